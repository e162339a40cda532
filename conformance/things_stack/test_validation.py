"""Values that are refused, whoever asks."""

import pytest

from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import causes, fields, told

REFUSED = [400, "pkg/errors:validation"]
WRONG_IDS = [
    pytest.param("App1", id="upper-case"),
    pytest.param("my_app", id="underscore"),
    pytest.param("ab", id="two-characters"),
    pytest.param("-app", id="dash-first"),
    pytest.param("app-", id="dash-last"),
    pytest.param("my--app", id="two-dashes"),
    pytest.param("a" * 37, id="37-characters"),
]


@pytest.mark.requirement("TTS-VA-001")
@pytest.mark.parametrize("name", WRONG_IDS)
def test_wrong_application_id_is_refused(stack: Stack, name: str, requirement: Judge) -> None:
    answer = stack.api.get(f"/applications/{name}")

    requirement.check(told(answer), expected=REFUSED)
    requirement.check(fields(answer), expected=["application_ids", "application_id"])


@pytest.mark.requirement("TTS-VA-001")
@pytest.mark.parametrize("name", ["abc", "a-1b", "a" * 36])
def test_right_application_id_is_only_unknown(stack: Stack, name: str, requirement: Judge) -> None:
    answer = stack.api.get(f"/applications/{name}", field_mask="name")

    requirement.check_in(answer.status, accepted=[200, 403, 404])


@pytest.mark.requirement("TTS-VA-002")
def test_wrong_device_id_is_told_from_outside_in(stack: Stack, requirement: Judge) -> None:
    document = {"end_device": {"ids": {"device_id": "My_Device"}}}

    answer = stack.api.post("/applications/app1/devices", document)

    requirement.check(told(answer), expected=REFUSED)
    requirement.check(fields(answer), expected=["end_device", "ids", "device_id"])


@pytest.mark.requirement("TTS-VA-003")
def test_request_that_is_an_identifier_has_an_error_of_its_own(
    stack: Stack, requirement: Judge
) -> None:
    answer = stack.api.delete("/applications/Not_An_Id")

    requirement.check(answer.status, expected=400)
    requirement.check(
        causes(answer)[:2], expected=["pkg/ttnpb:identifiers", "pkg/errors:validation"]
    )


@pytest.mark.requirement("TTS-VA-004")
def test_user_id_of_one_character_is_refused(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/users/a")

    requirement.check(told(answer), expected=REFUSED)


@pytest.mark.requirement("TTS-VA-004")
def test_user_id_of_two_characters_is_only_unknown(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/users/z9", field_mask="name")

    requirement.check_in(answer.status, accepted=[200, 403, 404])


@pytest.mark.requirement("TTS-VA-005")
@pytest.mark.parametrize("kind", ["gateways", "clients", "organizations"])
@pytest.mark.parametrize("name", WRONG_IDS[1:3])
def test_other_ids_keep_the_rule(stack: Stack, kind: str, name: str, requirement: Judge) -> None:
    answer = stack.api.get(f"/{kind}/{name}")

    requirement.check(told(answer), expected=REFUSED)


@pytest.mark.requirement("TTS-VA-006")
def test_limit_above_1000_is_refused(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get(f"/users/{stack.user_id}/applications", limit=1001)

    requirement.check([*told(answer), fields(answer)], expected=[*REFUSED, ["limit"]])


@pytest.mark.requirement("TTS-VA-006")
def test_limit_of_1000_is_accepted(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get(f"/users/{stack.user_id}/applications", limit=1000)

    requirement.check(answer.status, expected=200)


@pytest.mark.requirement("TTS-VA-007")
def test_order_by_a_strange_field_is_refused(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get(f"/users/{stack.user_id}/applications", order="description")

    requirement.check([*told(answer), fields(answer)], expected=[*REFUSED, ["order"]])
