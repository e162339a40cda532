"""End devices on the Join Server."""

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack import registration
from conformance.things_stack.answers import attribute, part, told


def new_ids(stack: Stack) -> dict[str, str]:
    """Identifiers of a device that joins."""
    return {
        "device_id": stack.new_id(), "dev_eui": stack.new_eui(), "join_eui": stack.new_eui(),
    }  # fmt: skip


def put(stack: Stack, application: str, document: registration.Document) -> Response:
    """PUT of a device."""
    name = document["end_device"]["ids"]["device_id"]
    return stack.api.put(f"/js/applications/{application}/devices/{name}", document)


@pytest.fixture(scope="module")
def ids(stack: Stack) -> dict[str, str]:
    """Identifiers of the device of ``registered``."""
    return new_ids(stack)


@pytest.fixture(scope="module")
def registered(stack: Stack, application: str, ids: dict[str, str]) -> Response:
    """The answer to the document's example."""
    return put(stack, application, registration.join(ids))


@pytest.mark.requirement("TTS-JS-001")
def test_otaa_example_is_answered_with_its_key(
    application: str, ids: dict[str, str], registered: Response, requirement: Judge
) -> None:
    requirement.check(registered.status, expected=200)
    expected = {**ids, "application_ids": {"application_id": application}}
    requirement.check(part(registered.json, "ids"), expected=expected)
    requirement.check(
        part(registered.json, "root_keys", "app_key", "key"),
        expected="000102030405060708090A0B0C0D0E0F",
    )
    addresses = [
        part(registered.json, f"{server}_server_address") for server in ("network", "application")
    ]
    requirement.check(addresses, expected=["thethings.example.com"] * 2)


@pytest.mark.requirement("TTS-JS-002")
@pytest.mark.parametrize("name", ["join_eui", "dev_eui"])
def test_both_euis_are_needed(
    stack: Stack, application: str, name: str, requirement: Judge
) -> None:
    document = registration.without(registration.join(new_ids(stack)), "ids", name)

    answer = put(stack, application, document)

    requirement.check(told(answer), expected=[400, f"pkg/joinserver:no_{name}"])


@pytest.mark.requirement("TTS-JS-003")
def test_masked_key_must_be_there(stack: Stack, application: str, requirement: Judge) -> None:
    document = registration.without(registration.join(new_ids(stack)), "root_keys", "app_key")

    answer = put(stack, application, document)

    requirement.check(told(answer), expected=[400, "pkg/joinserver:field_value"])


@pytest.mark.requirement("TTS-JS-004")
def test_same_device_once_more_is_an_update(
    stack: Stack, application: str, requirement: Judge
) -> None:
    document = registration.join(new_ids(stack))

    answers = [put(stack, application, document) for _ in range(2)]

    requirement.check([each.status for each in answers], expected=[200, 200])


@pytest.mark.requirement("TTS-JS-005")
def test_euis_cannot_be_changed(
    stack: Stack, application: str, ids: dict[str, str], registered: Response, requirement: Judge
) -> None:
    stack.given(registered)

    answer = put(stack, application, registration.join({**ids, "dev_eui": stack.new_eui()}))

    requirement.check(told(answer), expected=[400, "pkg/joinserver/redis:read_only_field"])


@pytest.mark.requirement("TTS-JS-006")
def test_taken_euis_are_refused(
    stack: Stack, application: str, ids: dict[str, str], registered: Response, requirement: Judge
) -> None:
    stack.given(registered)

    answer = put(stack, application, registration.join({**ids, "device_id": stack.new_id()}))

    requirement.check(told(answer), expected=[409, "pkg/internal/registry:end_device_euis_taken"])


@pytest.mark.requirement("TTS-JS-007")
def test_keys_are_read_by_mask(
    stack: Stack, application: str, ids: dict[str, str], registered: Response, requirement: Judge
) -> None:
    stack.given(registered)
    path = f"/js/applications/{application}/devices/{ids['device_id']}"

    answer = stack.api.get(path, field_mask="root_keys")

    requirement.check(
        part(answer.json, "root_keys"),
        expected={"app_key": {"key": "000102030405060708090A0B0C0D0E0F"}},
    )


@pytest.mark.requirement("TTS-JS-008")
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_unknown_device_is_not_found(
    stack: Stack, application: str, method: str, requirement: Judge
) -> None:
    path = f"/js/applications/{application}/devices/{stack.new_id()}"

    answer = stack.api.send(method, path)

    requirement.check(told(answer), expected=[404, "pkg/joinserver:device_not_found"])


@pytest.mark.requirement("TTS-JS-009")
def test_missing_right_is_named(stack: Stack, application: str, requirement: Judge) -> None:
    key = stack.new_key(
        f"/applications/{application}",
        "RIGHT_APPLICATION_DEVICES_READ",
        "RIGHT_APPLICATION_DEVICES_WRITE",
    )
    document = registration.join(new_ids(stack))
    path = f"/js/applications/{application}/devices/{document['end_device']['ids']['device_id']}"

    answer = stack.api.put(path, document, key=key)

    requirement.check(
        told(answer), expected=[403, "pkg/auth/rights:insufficient_application_rights"]
    )
    missing = attribute(answer, "missing")
    is_named = "RIGHT_APPLICATION_DEVICES_WRITE_KEYS" in (missing or ())
    requirement.check_that(is_named, expected="the missing right", actual=missing)
