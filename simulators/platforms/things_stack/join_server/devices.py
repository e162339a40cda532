"""Devices on the Join Server: only those that join, known by both EUIs."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack import device_calls
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.device_table import DeviceRow, check_same_euis
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.masks import any_below, find

Document = dict[str, Any]

_KEYS = ("root_keys.app_key.key", "root_keys.nwk_key.key")
_ZERO_EUI, _ZERO_KEY = "0" * 16, "0" * 32
_CLAIMING = "claim_authentication_code"
_DEPRECATED = f"{_CLAIMING} is deprecated here; it is kept by the Identity Server"


def set_device(call: Call) -> Document:
    """Add or change a device; values are looked at before rights."""
    given: Document = call.message["end_device"]
    ids: Document = given["ids"]
    if "join_eui" not in ids:
        raise StackError("pkg/joinserver:no_join_eui")
    if ids.get("dev_eui", _ZERO_EUI) == _ZERO_EUI:
        raise StackError("pkg/joinserver:no_dev_eui")
    _check_keys(given, call.paths)
    device_calls.require(call, ids, "WRITE", ("root_keys",))
    _warn(call)
    devices = call.stack.join.devices
    row = device_calls.find(call, devices, ids)
    is_new = row is None
    if row is None:
        devices.check_new(call.tenant, ids)
        row = device_calls.new_row(call, ids)
    else:
        check_same_euis("joinserver", row.document["ids"], ids, ["ids"])
    device_calls.change(call, row, given)
    devices.write(call.tenant, row)
    device_calls.publish(call, "js", row, is_new=is_new)
    return device_calls.shown(row.document, call.paths)


def _check_keys(given: Document, paths: list[str]) -> None:
    for path in _KEYS:
        is_masked = path in paths or path.rpartition(".")[0] in paths
        if is_masked and find(given, tuple(path.split("."))) in (None, _ZERO_KEY):
            raise StackError("pkg/joinserver:field_value", {"field": path})


def _warn(call: Call) -> None:
    if any_below(call.paths, _CLAIMING):
        call.warn(_DEPRECATED)


def get_device(call: Call) -> Document:
    """One device."""
    ids = call.message["end_device_ids"]
    device_calls.require(call, ids, "READ", _KEYS)
    _warn(call)
    return device_calls.shown(_found(call, ids).document, call.paths)


def _found(call: Call, ids: Document) -> DeviceRow:
    row = device_calls.find(call, call.stack.join.devices, ids)
    if row is None:
        raise _missing()
    return row


def _missing() -> StackError:
    return StackError("pkg/joinserver:device_not_found")


def delete_device(call: Call) -> Document:
    """Forget a device."""
    device_calls.delete(call, "js", call.stack.join.devices, _missing())
    return {}


def delete_batch(call: Call) -> Document:
    """Forget several devices."""
    device_calls.delete_batch(call, "js", call.stack.join.devices)
    return {}
