"""Bodies as boards and clients in the field send them."""

from __future__ import annotations

import json

import pytest

from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.field import (
    ACCEPTED,
    hear,
    is_counted,
    outcome,
    request,
    write,
)


@pytest.mark.requirement("TIO-FLD-010")
def test_body_without_a_type_counts(thing: Thing, requirement: Judge) -> None:
    key = thing.key("typeless")
    body = f'{{"values":[{{"key":"{key}","value":"on"}}]}}'

    heard = hear(thing, request(thing, "POST", f"/v2/things/{thing.token}", body=body))

    became = outcome(thing, heard, key)
    requirement.check_that(is_counted(became), expected=ACCEPTED, actual=became)


@pytest.mark.requirement("TIO-FLD-011")
def test_body_in_chunks_counts(thing: Thing, requirement: Judge) -> None:
    key = thing.key("chunks")
    body = f'{{"values":[{{"key":"{key}","value":"on"}}]}}'

    data = request(
        thing,
        "POST",
        f"/v2/things/{thing.token}",
        "Transfer-Encoding: chunked",
        body=f"{len(body):x}\r\n{body}\r\n0\r\n\r\n",
        length=False,
    )

    became = outcome(thing, hear(thing, data), key)
    requirement.check_that(is_counted(became), expected=ACCEPTED, actual=became)


@pytest.mark.requirement("TIO-FLD-012")
@pytest.mark.parametrize(
    "form",
    [
        "values[0][key]=KEY&values[0][value]=21.5",
        "values%5B0%5D%5Bkey%5D=KEY&values%5B0%5D%5Bvalue%5D=21.5",
    ],
    ids=["brackets", "escaped"],
)
def test_form_counts(thing: Thing, requirement: Judge, form: str) -> None:
    key = thing.key("form")

    data = request(
        thing,
        "POST",
        f"/v2/things/{thing.token}",
        "Content-Type: application/x-www-form-urlencoded; charset=UTF-8",
        body=form.replace("KEY", key),
    )

    became = outcome(thing, hear(thing, data), key)
    requirement.check_that(is_counted(became), expected=ACCEPTED, actual=became)


@pytest.mark.requirement("TIO-FLD-013")
@pytest.mark.parametrize("text", ["21.50", "-7", "0"])
def test_number_in_quotes_stays_a_string(thing: Thing, requirement: Judge, text: str) -> None:
    key = thing.key("quoted")

    hear(thing, write(thing, key, value=f'"{text}"'))

    rows = thing.read(key).json
    requirement.check_that(
        f'"value": "{text}"' in json.dumps(rows), expected=f'the value "{text}"', actual=rows
    )


@pytest.mark.requirement("TIO-FLD-014")
def test_message_pack_counts(thing: Thing, requirement: Judge) -> None:
    key = thing.key("pack")
    # {"values": [{"key": KEY, "value": 7}]}, the key as a string of up to 255 bytes
    body = b"\x81\xa6values\x91\x82\xa3key\xd9%c%b\xa5value\x07" % (len(key), key.encode())

    head = request(
        thing,
        "POST",
        f"/v2/things/{thing.token}",
        "Content-Type: application/msgpack",
        f"Content-Length: {len(body)}",
    )

    became = outcome(thing, hear(thing, head + body), key)
    requirement.check_that(is_counted(became), expected=ACCEPTED, actual=became)
