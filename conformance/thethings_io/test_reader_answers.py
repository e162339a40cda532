"""What boards and clients in the field can digest of answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from conformance.clients.board import Heard
from conformance.clients.exchange import Response
from conformance.clients.readers import (
    Indigestible,
    arduino_thing_token,
    arduino_timestamp,
    browser_answer,
    indexed_status,
    node_answer,
    python_read,
)
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.thethings_io.field import hear, read, request, write
from conformance.thethings_io.shapes import is_error


def digest(reader: Callable[..., Any], *of: Any) -> Any:
    """What a reader makes of an answer, or where it goes wrong."""
    try:
        return reader(*of)
    except Indigestible as problem:
        return f"indigestible: {problem}"


def answered(heard: Heard) -> Heard:
    """An answer to digest; Inconclusive when none came."""
    if heard.response.status is None:
        raise Inconclusive(f"there is no answer to digest: {heard.response.summary()}")
    return heard


@pytest.mark.requirement("TIO-RDR-001")
def test_arduino_takes_the_token(activation: Response, requirement: Judge) -> None:
    document = activation.json
    token = document.get("thingToken") if isinstance(document, dict) else None
    if not isinstance(token, str):
        raise Inconclusive(f"the activation brought no token: {activation.summary()}")

    requirement.check(digest(arduino_thing_token, activation.body), expected=token)


@pytest.mark.requirement("TIO-RDR-002")
def test_arduino_takes_the_time(thing: Thing, requirement: Judge) -> None:
    path = f"/v2/utils/date?thingToken={thing.token}&format=unix_timestamp"

    seconds = digest(
        arduino_timestamp, answered(hear(thing, request(thing, "GET", path))).response.body
    )

    requirement.check_that(
        isinstance(seconds, int) and abs(seconds - time.time()) < 86_400,
        expected="the seconds since 1970",
        actual=seconds,
    )


@pytest.mark.requirement("TIO-RDR-003")
def test_node_takes_the_rows(thing: Thing, requirement: Judge) -> None:
    key = thing.key("rows")
    thing.given([{"key": key, "value": n, "datetime": f"2024013112000{n}"} for n in range(10)])

    path = f"/v2/things/{thing.token}/resources/{key}?limit=10"
    heard = answered(hear(thing, request(thing, "GET", path)))

    rows = digest(node_answer, heard.blocks)
    requirement.check_that(
        not isinstance(rows, str), expected="the rows, in one block", actual=rows
    )


@pytest.mark.requirement("TIO-RDR-004")
@pytest.mark.parametrize("path", ["/v2/", "/v2/things/TOKEN/resources/KEY", "/v2/nothing"])
def test_node_understands_refusals(thing: Thing, requirement: Judge, path: str) -> None:
    path = path.replace("TOKEN", thing.token).replace("KEY", thing.key("never"))

    heard = answered(hear(thing, request(thing, "GET", path)))

    told = digest(node_answer, heard.blocks)
    requirement.check_that(is_error(told), expected="the error object", actual=told)


@pytest.mark.requirement("TIO-RDR-005")
@pytest.mark.parametrize("kind", ["write", "read", "refusal"])
def test_browser_client_parses_answers(thing: Thing, requirement: Judge, kind: str) -> None:
    key = thing.key("typed")
    if kind == "read":
        thing.given([{"key": key, "value": 1}])
    data = write(thing, key) if kind == "write" else read(thing, key)

    answer = answered(hear(thing, data)).response

    told = digest(browser_answer, answer.headers, answer.body)
    requirement.check_that(not isinstance(told, str), expected="a document", actual=told)


@pytest.mark.requirement("TIO-RDR-006")
def test_python_client_understands_absence(thing: Thing, requirement: Judge) -> None:
    heard = answered(hear(thing, read(thing, thing.key("never"))))

    told = digest(python_read, heard.status_line, heard.response.body)
    requirement.check(told, expected=None)


@pytest.mark.requirement("TIO-RDR-007")
def test_python_client_finds_the_status(thing: Thing, requirement: Judge) -> None:
    answer = answered(hear(thing, write(thing, thing.key("status")))).response

    told = digest(indexed_status, answer.body)
    requirement.check_that(
        told != "error" and not told.startswith("indigestible"), expected="a status", actual=told
    )


@pytest.mark.requirement("TIO-RDR-007")
def test_python_client_finds_the_message(thing: Thing, requirement: Judge) -> None:
    path = f"/v2/things/{thing.token}"

    answer = answered(hear(thing, request(thing, "POST", path, body='{"values":7}'))).response

    told = digest(indexed_status, answer.body)
    requirement.check_that(
        not told.startswith("indigestible"), expected="a status, and a message", actual=told
    )
