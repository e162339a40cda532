"""Field masks are checked before anything else, so that no entity is needed."""

from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import attribute, code, told

FORBIDDEN = [400, "pkg/rpcmiddleware/validator:field_mask_paths"]


def forbidden(answer: Response) -> list[Any]:
    """Status, error, and the paths that it lists."""
    return [*told(answer), attribute(answer, "forbidden_paths")]


@pytest.mark.requirement("TTS-FM-001")
def test_all_forbidden_paths_are_listed_in_order(stack: Stack, requirement: Judge) -> None:
    mask = "session,name,lorawan_version,no_such_field"

    answer = stack.api.get("/applications/app1/devices/dev1", field_mask=mask)

    listed = ["session", "lorawan_version", "no_such_field"]
    requirement.check(forbidden(answer), expected=[*FORBIDDEN, listed])


@pytest.mark.requirement("TTS-FM-002")
def test_repeated_paths_are_a_mask(stack: Stack, requirement: Judge) -> None:
    query = "field_mask.paths=session&field_mask.paths=name&field_mask.paths=lorawan_version"

    answer = stack.api.get(f"/applications/app1/devices/dev1?{query}")

    requirement.check(forbidden(answer), expected=[*FORBIDDEN, ["session", "lorawan_version"]])


@pytest.mark.requirement("TTS-FM-003")
def test_two_masks_are_refused_without_details(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/applications/app1/devices/dev1?field_mask=name&field_mask=description")

    requirement.check([*told(answer), code(answer)], expected=[400, None, 3])


@pytest.mark.requirement("TTS-FM-004")
def test_identifiers_cannot_be_updated(stack: Stack, requirement: Judge) -> None:
    document = {
        "end_device": {"ids": {"dev_eui": "0102030405060708"}},
        "field_mask": {"paths": ["ids.dev_eui", "name"]},
    }

    answer = stack.api.put("/applications/app1/devices/dev1", document)

    requirement.check(forbidden(answer), expected=[*FORBIDDEN, ["ids.dev_eui"]])


@pytest.mark.requirement("TTS-FM-005")
@pytest.mark.parametrize(
    ("server", "path"),
    [("js", "frequency_plan_id"), ("ns", "formatters"), ("ns", "ids.dev_addr"), ("as", "session")],
)
def test_servers_refuse_the_paths_of_others(
    stack: Stack, server: str, path: str, requirement: Judge
) -> None:
    document = {"end_device": {}, "field_mask": {"paths": [path]}}

    answer = stack.api.put(f"/{server}/applications/app1/devices/dev1", document)

    requirement.check(forbidden(answer), expected=[*FORBIDDEN, [path]])


@pytest.mark.requirement("TTS-FM-006")
def test_parent_with_a_forbidden_child_is_refused(stack: Stack, requirement: Judge) -> None:
    session = {"dev_addr": "26000001", "keys": {"app_s_key": {"key": "01" * 16}}}
    document = {"end_device": {"session": session}, "field_mask": {"paths": ["session"]}}

    answer = stack.api.put("/ns/applications/app1/devices/dev1", document)

    requirement.check(told(answer), expected=[400, "pkg/rpcmiddleware/validator:non_zero_path"])


@pytest.mark.requirement("TTS-FM-007")
def test_mask_is_checked_before_the_token(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/gateways/gtw1", key=None, field_mask="no_such_field")

    requirement.check(forbidden(answer), expected=[*FORBIDDEN, ["no_such_field"]])


@pytest.mark.requirement("TTS-FM-008")
def test_read_answers_what_the_mask_names(stack: Stack, requirement: Judge) -> None:
    user = stack.given(stack.api.get(f"/users/{stack.user_id}", field_mask="state"))

    requirement.check(sorted(user), expected=["created_at", "ids", "state", "updated_at"])


OTHERS = [
    "battery_percentage", "downlink_margin", "formatters", "frequency_plan_id", "last_dev_nonce",
    "lorawan_phy_version", "lorawan_version", "mac_settings", "mac_settings.rx1_delay", "mac_state",
    "max_frequency", "min_frequency", "multicast", "net_id", "pending_session", "power_state",
    "resets_join_nonces", "root_keys", "session", "session.dev_addr", "skip_payload_crypto",
    "supports_class_b", "supports_class_c", "supports_join", "used_dev_nonces",
]  # fmt: skip


@pytest.mark.requirement("TTS-FM-009")
@pytest.mark.parametrize("call", ["read", "list", "update"])
def test_identity_server_refuses_the_paths_of_others(
    stack: Stack, call: str, requirement: Judge
) -> None:
    path = "/applications/app1/devices"
    mask = ",".join(OTHERS)

    if call == "update":
        document = {"end_device": {}, "field_mask": {"paths": OTHERS}}
        answer = stack.api.put(f"{path}/dev1", document)
    else:
        answer = stack.api.get(path if call == "list" else f"{path}/dev1", field_mask=mask)

    requirement.check(told(answer), expected=FORBIDDEN)
    listed = attribute(answer, "forbidden_paths")
    requirement.check(sorted(listed if isinstance(listed, list) else []), expected=OTHERS)
