"""Bodies: what every answer has in common."""

import re

import pytest

from conformance.clients.exchange import NOT_JSON, Response
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.targets import Target
from conformance.thethings_io.cases import REFUSED, SERVED, Case, cases
from conformance.thethings_io.shapes import shown

IN_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


@pytest.fixture(scope="module")
def key(thing: Thing) -> str:
    """A key with two values, one of them with spaces and letters beyond ASCII."""
    key = thing.key("body")
    thing.given([{"key": key, "value": {"a b": ["ü ", 1, True]}, "datetime": "20240131120000"}])
    thing.given([{"key": key, "value": "x"}])
    return key


def is_json_type(answer: Response) -> bool:
    """Whether the Content-Type is application/json, with or without parameters."""
    content_type = str(answer.headers.get("Content-Type", ""))
    return content_type.partition(";")[0].strip().lower() == "application/json"


@pytest.mark.requirement("TIO-FMT-001")
@cases(SERVED)
def test_success_is_of_type_json(
    thing: Thing, target: Target, key: str, requirement: Judge, case: Case
) -> None:
    answer = case.send(thing, target, key=key)

    requirement.check_that(
        is_json_type(answer),
        expected="application/json",
        actual=answer.headers.get("Content-Type"),
    )


@pytest.mark.requirement("TIO-FMT-002")
@cases(REFUSED)
def test_error_is_of_type_json(
    thing: Thing, target: Target, unknown_token: str, requirement: Judge, case: Case
) -> None:
    answer = case.send(thing, target, unknown=unknown_token, never=thing.key("never"))

    requirement.check_that(
        is_json_type(answer),
        expected="application/json",
        actual=answer.headers.get("Content-Type"),
    )


@pytest.mark.requirement("TIO-FMT-003")
@cases(SERVED)
def test_body_is_compact(
    thing: Thing, target: Target, key: str, requirement: Judge, case: Case
) -> None:
    text = case.send(thing, target, key=key).body.decode("utf-8", "replace").rstrip("\r\n")

    between = IN_STRING.sub("", text)
    requirement.check_that(
        re.search(r"\s", between) is None, expected="no space outside of strings", actual=text
    )


@pytest.mark.requirement("TIO-FMT-004")
@cases(SERVED)
def test_body_is_one_json_document(
    thing: Thing, target: Target, key: str, requirement: Judge, case: Case
) -> None:
    answer = case.send(thing, target, key=key)

    requirement.check_that(
        answer.json is not NOT_JSON, expected="one JSON document in UTF-8", actual=shown(answer)
    )
