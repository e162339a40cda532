"""Bytes that answers tell as hexadecimal digits, whichever call tells them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack import registration
from conformance.things_stack.answers import part
from conformance.things_stack.test_join_server import new_ids
from conformance.things_stack.test_network_server import abp_ids, need_examples_plan

DEV_ADDR = "260B0007"
SESSION_KEY = "101112131415161718191A1B1C1D1E1F"
APP_KEY = "000102030405060708090A0B0C0D0E0F"


@dataclass
class Shelf:
    """An application with one device, and where calls find that device."""

    stack: Stack
    application: str
    ids: dict[str, str]

    @property
    def devices(self) -> str:
        """Path of the application's devices."""
        return f"/applications/{self.application}/devices"

    def read(self, path: str, **query: str) -> Any:
        """What a call tells of the only device."""
        document = self.stack.given(self.stack.api.get(path, **query))
        listed = document.get("end_devices") if isinstance(document, dict) else None
        return listed[0] if isinstance(listed, list) and listed else document


@pytest.fixture(scope="module")
def shelf(stack: Stack) -> Shelf:
    """A device that joins, on the Identity Server."""
    found = Shelf(stack, stack.new_application(), new_ids(stack))
    stack.given(stack.api.post(found.devices, registration.identity(found.ids)))
    return found


def euis(device: Any) -> list[Any]:
    """The EUIs that an answer tells of a device."""
    return [part(device, "ids", name) for name in ("dev_eui", "join_eui")]


@pytest.mark.requirement("TTS-BD-010")
@pytest.mark.parametrize("call", ["get", "list", "batch", "search"])
def test_euis_are_hexadecimal(shelf: Shelf, call: str, requirement: Judge) -> None:
    name = shelf.ids["device_id"]
    path = {
        "get": f"{shelf.devices}/{name}",
        "list": shelf.devices,
        "batch": f"{shelf.devices}/batch?device_ids={name}",
        "search": f"/search{shelf.devices}",
    }[call]

    device = shelf.read(path)

    requirement.check(euis(device), expected=[shelf.ids["dev_eui"], shelf.ids["join_eui"]])


@pytest.mark.requirement("TTS-BD-010")
def test_euis_of_an_update_are_hexadecimal(shelf: Shelf, requirement: Judge) -> None:
    document = {"end_device": {"name": "new"}, "field_mask": {"paths": ["name"]}}

    answer = shelf.stack.api.put(f"{shelf.devices}/{shelf.ids['device_id']}", document)

    device = shelf.stack.given(answer)
    requirement.check(euis(device), expected=[shelf.ids["dev_eui"], shelf.ids["join_eui"]])


@pytest.mark.requirement("TTS-BD-010")
def test_root_keys_are_hexadecimal(shelf: Shelf, requirement: Judge) -> None:
    path = f"/js{shelf.devices}/{shelf.ids['device_id']}"
    shelf.stack.given(shelf.stack.api.put(path, registration.join(shelf.ids)))

    device = shelf.read(path, field_mask="ids,root_keys.app_key.key")

    found = [*euis(device), part(device, "root_keys", "app_key", "key")]
    requirement.check(found, expected=[shelf.ids["dev_eui"], shelf.ids["join_eui"], APP_KEY])


@pytest.mark.requirement("TTS-BD-010")
@pytest.mark.parametrize(
    ("server", "document", "key_name"),
    [
        pytest.param("ns", registration.network_abp, "f_nwk_s_int_key", id="network"),
        pytest.param("as", registration.application_abp, "app_s_key", id="application"),
    ],
)
def test_sessions_are_hexadecimal(
    shelf: Shelf, server: str, document: Any, key_name: str, requirement: Judge
) -> None:
    if server == "ns":
        need_examples_plan(shelf.stack)
    ids = abp_ids(shelf.stack)
    path = f"/{server}{shelf.devices}/{ids['device_id']}"
    answer = shelf.stack.given(shelf.stack.api.put(path, document(ids, DEV_ADDR.lower())))

    mask = f"ids,session.dev_addr,session.keys.{key_name}.key"
    device = shelf.read(path, field_mask=mask)

    requirement.check(part(answer, "ids", "dev_eui"), expected=ids["dev_eui"])
    session = part(device, "session")
    found = [euis(device)[0], part(session, "dev_addr"), part(session, "keys", key_name, "key")]
    requirement.check(found, expected=[ids["dev_eui"], DEV_ADDR, SESSION_KEY])


@pytest.mark.requirement("TTS-BD-010")
@pytest.mark.parametrize("is_list", [False, True], ids=["get", "list"])
def test_gateway_euis_are_hexadecimal(stack: Stack, is_list: bool, requirement: Judge) -> None:
    eui = stack.new_eui()
    name = stack.new_id()
    document = {"gateway": {"ids": {"gateway_id": name, "eui": eui.lower()}}}
    path = f"/users/{stack.user_id}/gateways"
    stack.given(stack.api.post(path, document))

    if is_list:
        answer = stack.given(stack.api.get(path, order="-created_at", limit=1000))
        told = [part(each, "ids") for each in part(answer, "gateways") or []]
    else:
        told = [part(stack.given(stack.api.get(f"/gateways/{name}")), "ids")]

    found = [part(each, "eui") for each in told if part(each, "gateway_id") == name]
    requirement.check(found, expected=[eui])
