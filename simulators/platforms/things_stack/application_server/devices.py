"""Devices on the Application Server: session keys, formatters, versions."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack import device_calls
from simulators.platforms.things_stack.application_server.sessions import device_not_found
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.device_table import check_same_euis
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.masks import any_below, find

Document = dict[str, Any]

MAX_SCRIPT_BYTES = 40_960
_SCRIPTS = ("up_formatter_parameter", "down_formatter_parameter")
_KEYS = ("session.keys",)
# What a session must have when it is named: an address and a key.
_NEEDED = {"session.dev_addr": "00000000", "session.keys.app_s_key.key": "0" * 32}


def field_value(field: str, cause: StackError | None = None) -> StackError:
    """A field whose value cannot be."""
    return StackError("pkg/applicationserver:field_value", {"field": field}, cause=cause)


def check_scripts(formatters: Document, paths: list[str], prefix: str) -> None:
    """
    Let no formatter's script be too long.

    Raises:
        StackError: ``field_value``, caused by ``formatter_script_too_large``.
    """
    for name in _SCRIPTS:
        size = len(formatters.get(name, "").encode())
        if size > MAX_SCRIPT_BYTES and any_below(paths, f"{prefix}.{name}"):
            attributes = {"size": size, "max_size": MAX_SCRIPT_BYTES}
            cause = StackError("pkg/applicationserver:formatter_script_too_large", attributes)
            raise field_value(f"{prefix}.{name}", cause)


def set_device(call: Call) -> Document:
    """Add or change a device; values are looked at before rights."""
    given: Document = call.message["end_device"]
    ids: Document = given["ids"]
    _check_values(given, call.paths)
    device_calls.require(call, ids, "WRITE", _KEYS)
    devices = call.stack.application.devices
    row = device_calls.find(call, devices, ids)
    is_new = row is None
    if row is None:
        _check_address(given)
        devices.check_new(call.tenant, ids)
        row = device_calls.new_row(call, ids)
    else:
        check_same_euis("applicationserver", row.document["ids"], ids, call.paths)
    device_calls.change(call, row, given)
    if "session.dev_addr" in call.paths:
        row.document["ids"]["dev_addr"] = given["session"]["dev_addr"]
    devices.write(call.tenant, row)
    device_calls.publish(call, "as", row, is_new=is_new)
    return device_calls.shown(row.document, call.paths)


def _check_values(given: Document, paths: list[str]) -> None:
    for path, zero in _NEEDED.items():
        is_masked = path in paths or path.rpartition(".")[0] in paths
        if is_masked and find(given, tuple(path.split("."))) in (None, zero):
            raise field_value(path)
    check_scripts(given.get("formatters", {}), paths, "formatters")


def _check_address(given: Document) -> None:
    address = given["ids"].get("dev_addr")
    if address is not None and address != given.get("session", {}).get("dev_addr"):
        raise field_value("ids.dev_addr")


def get_device(call: Call) -> Document:
    """One device."""
    ids = call.message["end_device_ids"]
    device_calls.require(call, ids, "READ", ("session.keys", "pending_session.keys"))
    row = device_calls.find(call, call.stack.application.devices, ids)
    if row is None:
        raise StackError("pkg/redis:not_found")
    return device_calls.shown(row.document, call.paths)


def delete_device(call: Call) -> Document:
    """Forget a device."""
    missing = device_not_found(call.tenant, call.message)
    device_calls.delete(call, "as", call.stack.application.devices, missing)
    return {}


def delete_batch(call: Call) -> Document:
    """Forget several devices."""
    device_calls.delete_batch(call, "as", call.stack.application.devices)
    return {}
