"""Rights of API keys, route by route."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.clients.http import NO_DOCUMENT
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack import registration
from conformance.things_stack.answers import attribute, told
from conformance.things_stack.talk import downlink, uplink
from conformance.things_stack.test_network_server import abp_ids

ROUTES = {
    "identity": "/applications/{}/devices/{}",
    "join": "/js/applications/{}/devices/{}",
    "network": "/ns/applications/{}/devices/{}",
    "application": "/as/applications/{}/devices/{}",
}
KEYS = {
    "join": "root_keys.app_key.key",
    "network": "session.keys.f_nwk_s_int_key.key",
    "application": "session.keys.app_s_key.key",
}
ADDRESS = "260B0003"


@pytest.fixture(scope="module")
def reader(stack: Stack, application: str) -> str:
    """An API key that may read devices, and nothing else."""
    return stack.new_key(f"/applications/{application}", "RIGHT_APPLICATION_DEVICES_READ")


@pytest.fixture(scope="module")
def writer(stack: Stack, application: str) -> str:
    """An API key that may write devices, but not their keys."""
    return stack.new_key(f"/applications/{application}", "RIGHT_APPLICATION_DEVICES_WRITE")


def check_refused(answer: Response, requirement: Judge, *rights: str) -> None:
    """An answer that refuses, and names these rights among the missing."""
    requirement.check(
        told(answer), expected=[403, "pkg/auth/rights:insufficient_application_rights"]
    )
    named = [f"RIGHT_APPLICATION_{right}" for right in rights]
    missing = attribute(answer, "missing") or ()
    is_named = set(named) <= set(missing)
    requirement.check_that(is_named, expected=", ".join(named), actual=missing)


@pytest.mark.requirement("TTS-AC-001")
@pytest.mark.parametrize("server", ["join", "network", "application"])
def test_keys_are_not_read_by_everybody(
    stack: Stack, application: str, reader: str, server: str, requirement: Judge
) -> None:
    path = ROUTES[server].format(application, stack.new_id())

    answer = stack.api.get(path, key=reader, field_mask=KEYS[server])

    check_refused(answer, requirement, "DEVICES_READ_KEYS")


@pytest.mark.requirement("TTS-AC-002")
@pytest.mark.parametrize("server", ["network", "application"])
def test_session_keys_are_not_set_by_everybody(
    stack: Stack, application: str, writer: str, server: str, requirement: Judge
) -> None:
    ids = abp_ids(stack)
    document = {
        "network": registration.network_abp, "application": registration.application_abp,
    }[server](ids, ADDRESS)  # fmt: skip

    answer = stack.api.put(
        ROUTES[server].format(application, ids["device_id"]), document, key=writer
    )

    check_refused(answer, requirement, "DEVICES_WRITE_KEYS")


@pytest.mark.requirement("TTS-AC-003")
@pytest.mark.parametrize("server", ROUTES)
def test_devices_are_not_deleted_by_everybody(
    stack: Stack, application: str, reader: str, server: str, requirement: Judge
) -> None:
    path = ROUTES[server].format(application, stack.new_id())

    answer = stack.api.send("DELETE", path, key=reader)

    check_refused(answer, requirement, "DEVICES_WRITE")


@pytest.mark.requirement("TTS-AC-003")
@pytest.mark.parametrize("server", ROUTES)
def test_batches_are_not_deleted_by_everybody(
    stack: Stack, application: str, reader: str, server: str, requirement: Judge
) -> None:
    path = f"{ROUTES[server].format(application, 'batch')}?device_ids={stack.new_id()}"

    answer = stack.api.send("DELETE", path, key=reader)

    check_refused(answer, requirement, "DEVICES_WRITE")


@pytest.mark.requirement("TTS-AC-003")
def test_devices_are_not_changed_by_everybody(
    stack: Stack, application: str, reader: str, requirement: Judge
) -> None:
    path = ROUTES["identity"].format(application, stack.new_id())
    document = {"end_device": {"name": "Another"}, "field_mask": {"paths": ["name"]}}

    answer = stack.api.put(path, document, key=reader)

    check_refused(answer, requirement, "DEVICES_WRITE")


@pytest.mark.requirement("TTS-AC-004")
def test_webhooks_are_not_read_by_everybody(
    stack: Stack, application: str, reader: str, requirement: Judge
) -> None:
    answer = stack.api.get(f"/as/webhooks/{application}/{stack.new_id()}", key=reader)

    check_refused(answer, requirement, "TRAFFIC_READ")


@pytest.mark.requirement("TTS-AC-004")
def test_webhooks_are_not_set_by_everybody(
    stack: Stack, application: str, reader: str, requirement: Judge
) -> None:
    ids = {"application_ids": {"application_id": application}, "webhook_id": stack.new_id()}
    webhook = {"ids": ids, "base_url": "https://example.com/hook", "format": "json"}
    document = {"webhook": webhook, "field_mask": {"paths": ["base_url", "format"]}}

    answer = stack.api.post(f"/as/webhooks/{application}", document, key=reader)

    rights = ("SETTINGS_BASIC", "TRAFFIC_READ", "TRAFFIC_DOWN_WRITE")
    check_refused(answer, requirement, *rights)


@pytest.mark.requirement("TTS-AC-004")
def test_webhooks_are_not_deleted_by_everybody(
    stack: Stack, application: str, reader: str, requirement: Judge
) -> None:
    path = f"/as/webhooks/{application}/{stack.new_id()}"

    answer = stack.api.send("DELETE", path, key=reader)

    check_refused(answer, requirement, "SETTINGS_BASIC")


@pytest.mark.requirement("TTS-AC-005")
@pytest.mark.parametrize(
    ("method", "call", "document", "right"),
    [
        pytest.param("POST", "down/push", {"downlinks": [downlink()]}, "DOWN_WRITE", id="push"),
        pytest.param(
            "POST", "down/replace", {"downlinks": [downlink()]}, "DOWN_WRITE", id="replace"
        ),
        pytest.param("GET", "down", NO_DOCUMENT, "READ", id="list"),
        pytest.param("POST", "up/simulate", uplink(), "UP_WRITE", id="simulate"),
    ],
)
def test_traffic_is_not_everybodys(
    stack: Stack, application: str, reader: str, method: str, call: str, document: Any,
    right: str, requirement: Judge,
) -> None:  # fmt: skip
    path = f"{ROUTES['application'].format(application, stack.new_id())}/{call}"

    answer = stack.api.send(method, path, document, key=reader)

    check_refused(answer, requirement, f"TRAFFIC_{right}")


@pytest.mark.requirement("TTS-AC-006")
@pytest.mark.parametrize(
    ("path", "right"),
    [
        pytest.param("/applications/{}/api-keys", "SETTINGS_API_KEYS", id="keys"),
        pytest.param("/as/applications/{}/link", "SETTINGS_BASIC", id="link"),
    ],
)
def test_settings_are_not_read_by_everybody(
    stack: Stack, application: str, reader: str, path: str, right: str, requirement: Judge
) -> None:
    answer = stack.api.get(path.format(application), key=reader)

    check_refused(answer, requirement, right)


@pytest.mark.requirement("TTS-AC-007")
def test_key_belongs_to_its_application(stack: Stack, application: str, requirement: Judge) -> None:
    other = stack.new_application()
    document = {"name": stack.new_id(), "rights": ["RIGHT_APPLICATION_INFO"]}
    key = stack.given(stack.api.post(f"/applications/{other}/api-keys", document))

    answer = stack.api.get(f"/applications/{application}/api-keys/{key.get('id')}")

    requirement.check(told(answer), expected=[404, "pkg/identityserver/store:api_key_not_found"])


@pytest.mark.requirement("TTS-AC-008")
def test_others_restore_nothing(stack: Stack, application: str, requirement: Judge) -> None:
    path = f"/applications/{stack.new_application()}"
    key = stack.new_key(f"/applications/{application}", "RIGHT_APPLICATION_ALL")
    stack.given(stack.api.delete(path))

    answer = stack.api.post(f"{path}/restore", {}, key=key)

    requirement.check_in(answer.status, accepted=[403, 404])
    after = stack.api.get(path, field_mask="name")
    requirement.check_in(after.status, accepted=[403, 404])


@pytest.mark.requirement("TTS-AC-012")
def test_gateways_are_not_deleted_by_everybody(stack: Stack, requirement: Judge) -> None:
    path = f"/gateways/{stack.new_gateway()}"
    key = stack.new_key(path, "RIGHT_GATEWAY_INFO")

    answer = stack.api.send("DELETE", path, key=key)

    requirement.check(told(answer), expected=[403, "pkg/auth/rights:insufficient_gateway_rights"])
    requirement.check(stack.api.get(path).status, expected=200)
