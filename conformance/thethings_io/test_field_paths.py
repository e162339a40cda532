"""Paths, queries and names as clients in the field send them."""

from __future__ import annotations

import pytest

from conformance.clients.exchange import Response
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.field import (
    ACCEPTED,
    hear,
    is_counted,
    outcome,
    read,
    request,
    tidily_read,
    write,
)
from conformance.thethings_io.shapes import shown

PAGE = "http://dashboard.example"
JSON = "Content-Type: application/json"


def body_of(key: str) -> str:
    """The write of one value."""
    return f'{{"values":[{{"key":"{key}","value":"on"}}]}}'


@pytest.mark.requirement("TIO-FLD-020")
def test_doubled_slash_counts_in_a_write(thing: Thing, requirement: Judge) -> None:
    key = thing.key("doubled")

    heard = hear(
        thing, request(thing, "POST", f"/v2//things/{thing.token}", JSON, body=body_of(key))
    )

    became = outcome(thing, heard, key)
    requirement.check_that(is_counted(became), expected=ACCEPTED, actual=became)


@pytest.mark.requirement("TIO-FLD-020")
def test_doubled_slash_counts_in_a_read(thing: Thing, requirement: Judge) -> None:
    key = thing.key("doubled")
    thing.given([{"key": key, "value": "there"}])

    path = f"/v2//things/{thing.token}/resources/{key}?limit=1"
    answer = hear(thing, request(thing, "GET", path)).response

    requirement.check(shown(answer), expected=tidily_read(thing, key))


@pytest.mark.requirement("TIO-FLD-021")
def test_empty_query_counts(thing: Thing, requirement: Judge) -> None:
    key = thing.key("empty")

    heard = hear(
        thing, request(thing, "POST", f"/v2/things/{thing.token}?", JSON, body=body_of(key))
    )

    became = outcome(thing, heard, key)
    requirement.check_that(is_counted(became), expected=ACCEPTED, actual=became)


@pytest.mark.requirement("TIO-FLD-022")
def test_slash_before_the_query_is_ignored(thing: Thing, requirement: Judge) -> None:
    key = thing.key("slash")
    thing.given([{"key": key, "value": "there"}])

    path = f"/v2/things/{thing.token}/resources/{key}/?limit=1"
    answer = hear(thing, request(thing, "GET", path)).response

    requirement.check(shown(answer), expected=tidily_read(thing, key))


@pytest.mark.requirement("TIO-FLD-023")
@pytest.mark.parametrize("host", ["api.devices.thethings.io", "api.thethings.io"])
def test_another_host_is_served(thing: Thing, requirement: Judge, host: str) -> None:
    key = thing.key("host")

    heard = hear(thing, write(thing, key, host=host))

    became = outcome(thing, heard, key)
    requirement.check_that(is_counted(became), expected=ACCEPTED, actual=became)
    answer = hear(thing, read(thing, key, host=host)).response
    requirement.check(shown(answer), expected=tidily_read(thing, key))


@pytest.mark.requirement("TIO-FLD-024")
def test_browser_may_ask(thing: Thing, requirement: Judge) -> None:
    answer = hear(
        thing,
        request(
            thing,
            "OPTIONS",
            f"/v2/things/{thing.token}",
            f"Origin: {PAGE}",
            "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: content-type",
        ),
    ).response

    allowed = str(answer.headers.get("Access-Control-Allow-Headers", "")).lower()
    requirement.check_that(
        answer.is_success and is_shared(answer) and ("content-type" in allowed or allowed == "*"),
        expected="a 2xx that allows the origin and the field Content-Type",
        actual=told(answer),
    )


@pytest.mark.requirement("TIO-FLD-025")
def test_browser_may_read_the_answer(thing: Thing, requirement: Judge) -> None:
    path = f"/v2/things/{thing.token}"
    fields = (JSON, f"Origin: {PAGE}")

    answer = hear(
        thing, request(thing, "POST", path, *fields, body=body_of(thing.key("origin")))
    ).response

    requirement.check_that(
        is_shared(answer), expected="an answer that allows the origin", actual=told(answer)
    )


def is_shared(answer: Response) -> bool:
    """Whether pages of the origin may read the answer."""
    return answer.headers.get("Access-Control-Allow-Origin") in ("*", PAGE)


def told(answer: Response) -> object:
    """Status and the fields about origins; why there is no answer otherwise."""
    fields = {name: text for name, text in answer.headers.items() if "access-control" in name}
    return {"status": answer.status, **fields} if answer.status else shown(answer)
