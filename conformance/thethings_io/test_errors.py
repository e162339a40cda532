"""Errors: one shape for all of them, and no request that makes the server fail."""

import pytest

from conformance.clients.exchange import NOT_JSON
from conformance.clients.thethings_io import ThethingsClient
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.targets import Target
from conformance.thethings_io.cases import MALFORMED, REFUSED, WRONG_METHODS, Case, cases
from conformance.thethings_io.shapes import ERROR, is_error, is_refused, shown


@pytest.fixture(scope="module")
def key(thing: Thing) -> str:
    """A key with one value."""
    key = thing.key("there")
    thing.given([{"key": key, "value": 1}])
    return key


@pytest.mark.requirement("TIO-ERR-001")
@cases(REFUSED)
def test_refusal_is_the_error_object(
    thing: Thing, target: Target, unknown_token: str, requirement: Judge, case: Case
) -> None:
    answer = case.send(thing, target, unknown=unknown_token, never=thing.key("never"))

    requirement.check_that(is_error(answer.json), expected=ERROR, actual=shown(answer))


@pytest.mark.requirement("TIO-ERR-002")
@cases(REFUSED)
def test_code_equals_the_status(
    thing: Thing, target: Target, unknown_token: str, requirement: Judge, case: Case
) -> None:
    answer = case.send(thing, target, unknown=unknown_token, never=thing.key("never"))

    document = answer.json if isinstance(answer.json, dict) else {}
    requirement.check(document.get("code", answer.status), expected=answer.status)


@pytest.mark.requirement("TIO-ERR-003")
@pytest.mark.parametrize(
    "path",
    [
        "/v2/thingrig-nothing-here",
        "/v2/things/{thing}/thingrig-nothing-here",
        "/v2/utils/thingrig-nothing-here",
    ],
)
def test_unknown_path_is_404(thing: Thing, requirement: Judge, path: str) -> None:
    answer = thing.api.send("GET", path.replace("{thing}", thing.token))

    requirement.check(answer.status, expected=404)


@pytest.mark.requirement("TIO-ERR-004")
@cases(MALFORMED)
def test_malformed_request_is_answered_in_order(
    thing: Thing, target: Target, key: str, unknown_token: str, requirement: Judge, case: Case
) -> None:
    answer = case.send(thing, target, key=key, unknown=unknown_token)

    is_whole = answer.status is not None and answer.json is not NOT_JSON
    requirement.check_that(
        is_whole and (200 <= (answer.status or 0) < 300 or is_refused(answer)),
        expected=f"an answer in JSON: accepted, or a 4xx with {ERROR}",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-ERR-005")
@cases(WRONG_METHODS)
def test_unknown_method_is_refused(
    thing: Thing, target: Target, key: str, requirement: Judge, case: Case
) -> None:
    answer = case.send(thing, target, key=key)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-ERR-006")
def test_401_and_403_carry_a_code(
    api: ThethingsClient, unknown_token: str, requirement: Judge
) -> None:
    answers = [api.ping(), api.read(unknown_token, "a"), api.resources(unknown_token)]

    documents = {each.status: each.json for each in answers if isinstance(each.json, dict)}
    codes = {status: documents[status].get("code") for status in documents if status in (401, 403)}
    requirement.check(codes, expected={status: status for status in codes})


@pytest.mark.requirement("TIO-ERR-007")
def test_first_version_is_gone(api: ThethingsClient, requirement: Judge) -> None:
    answer = api.send("POST", "/v1/ThingWrite", json={"values": []})

    requirement.check(answer.status, expected=410)
