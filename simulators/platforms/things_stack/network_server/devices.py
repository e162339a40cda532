"""Devices on the Network Server: add, change, read, forget, reset."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack import device_calls
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.device_table import DeviceRow, check_same_euis
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.masks import any_below
from simulators.platforms.things_stack.network_server import device_rules
from simulators.platforms.things_stack.network_server.device_rules import Draft
from simulators.platforms.things_stack.network_server.mac_settings import mac_state
from simulators.platforms.things_stack.network_server.recent_uplinks import recent_uplinks
from simulators.platforms.things_stack.network_server.server import STATE, NetworkServer
from simulators.platforms.things_stack.plans import plan, region_of

Document = dict[str, Any]

_KEYS = (
    "session.keys", "pending_session.keys", "mac_state.queued_join_accept.keys",
    "pending_mac_state.queued_join_accept.keys",
)  # fmt: skip
# Whoever changes one of these makes the state of a session that is there from the start anew.
_SHAPE_STATE = (
    "frequency_plan_id", "lorawan_version", "lorawan_phy_version", "mac_settings",
    "supports_class_b", "supports_class_c", "session.dev_addr", "session.keys",
)  # fmt: skip
_NEEDED = ("channels", "rx2_frequency", "max_eirp")  # of MACParameters
_COUNTERS = (
    "last_f_cnt_up", "last_n_f_cnt_down", "last_a_f_cnt_down", "last_conf_f_cnt_down",
    "queued_application_downlinks",
)  # fmt: skip
_STATUS = (
    "battery_percentage", "downlink_margin", "power_state", "last_dev_status_received_at",
)  # fmt: skip


def set_device(call: Call) -> Document:
    """Add or change a device; with its first session a device also gets a MAC state."""
    given: Document = call.message["end_device"]
    ids: Document = given["ids"]
    device_calls.require(call, ids, "WRITE", _KEYS)
    device_rules.check_masked(given, call.paths)
    network = call.stack.network
    row = device_calls.find(call, network.devices, ids)
    stored = None
    if row is None:
        row = device_calls.new_row(call, ids)
    else:
        check_same_euis("networkserver", row.document["ids"], ids, call.paths)
        row.document |= network.state(row.number)
        stored = dict(row.document)
    is_new = stored is None
    device_calls.change(call, row, given)
    draft = device_rules.draft(row.document, stored)
    if is_new:
        network.devices.check_new(call.tenant, ids)
    _start_session(call, draft)
    _write(call, row)
    device_calls.publish(call, "ns", row, is_new=is_new)
    return device_calls.shown(_whole(row), call.paths)


def _start_session(call: Call, draft: Draft) -> None:
    """A session has a state; who does not join has both from the first moment on."""
    device, is_new = draft.device, draft.stored is None
    if "session" not in device:
        return
    is_other = any_below(call.paths, "session.dev_addr", "session.keys")
    if draft.is_abp and (is_new or is_other):
        device["session"].setdefault("started_at", call.now)
    begun = mac_state(device, draft.region, draft.plan)
    is_given = any_below(call.paths, "mac_state") and "mac_state" in device
    is_changed = is_new or any_below(call.paths, *_SHAPE_STATE)
    if draft.is_abp and is_changed and not is_given:
        # Which counters were used shows in the last downlinks.
        sent = None if is_other else device.get("mac_state", {}).get("recent_downlinks")
        device["mac_state"] = begun | ({"recent_downlinks": sent} if sent else {})
    else:
        device["mac_state"] = _completed(device.get("mac_state", {}), begun)


def _completed(given: Document, begun: Document) -> Document:
    """A state that a caller has set in parts, with what no state can be without."""
    state = begun | given
    for name in ("current_parameters", "desired_parameters"):
        needed = {each: begun[name][each] for each in _NEEDED if each in begun[name]}
        state[name] = needed | state[name]
    return state


def _write(call: Call, row: DeviceRow) -> None:
    """Store settings and state apart; afterwards the row holds the settings."""
    state = {name: row.document.pop(name) for name in STATE if name in row.document}
    call.stack.network.write(call.tenant, row, state)
    row.document |= state


def _whole(row: DeviceRow) -> Document:
    """The device with its address among its ids, as answers show it."""
    address = row.document.get("session", {}).get("dev_addr")
    ids = row.document["ids"]
    return {**row.document, "ids": {**ids, "dev_addr": address} if address else ids}


def get_device(call: Call) -> Document:
    """One device."""
    ids = call.message["end_device_ids"]
    device_calls.require(call, ids, "READ", _KEYS)
    network = call.stack.network
    row = device_calls.find(call, network.devices, ids)
    if row is None:
        raise StackError("pkg/redis:not_found")
    row.document |= network.state(row.number)
    _show_uplinks(network, row)
    return device_calls.shown(_whole(row), call.paths)


def _show_uplinks(network: NetworkServer, row: DeviceRow) -> None:
    device, heard = row.document, network.devices.traffic(row.number)
    if heard is not None and heard.heard and "mac_state" in device and "session" in device:
        band_id = plan(device["frequency_plan_id"])["band_id"]
        region = region_of(band_id, device["lorawan_phy_version"])
        told = recent_uplinks(heard, device["session"]["dev_addr"], region)
        device["mac_state"]["recent_uplinks"] = told


def _found(call: Call, ids: Document) -> DeviceRow:
    row = device_calls.find(call, call.stack.network.devices, ids)
    if row is None:
        raise _missing()
    return row


def _missing() -> StackError:
    return StackError("pkg/networkserver:device_not_found")


def delete_device(call: Call) -> Document:
    """Forget a device."""
    device_calls.delete(call, "ns", call.stack.network.devices, _missing())
    return {}


def delete_batch(call: Call) -> Document:
    """Forget several devices."""
    device_calls.delete_batch(call, "ns", call.stack.network.devices)
    return {}


def reset_factory_defaults(call: Call) -> Document:
    """Begin again: who joins has to, who does not starts to count from nothing."""
    ids = call.message["end_device_ids"]
    application_id = device_calls.application_of(ids)
    device_calls.require(call, ids, "READ", _KEYS)
    call.require_application(application_id, "DEVICES_WRITE")
    row = _found(call, ids)
    document = row.document
    state = call.stack.network.state(row.number)
    for name in ("pending_session", "pending_mac_state", "mac_state", *_STATUS):
        state.pop(name, None)
    session: Document | None = state.pop("session", None)
    if not document.get("supports_join") and session is not None:
        kept = {name: value for name, value in session.items() if name not in _COUNTERS}
        state["session"] = {**kept, "started_at": call.now}
    document |= state
    draft = device_rules.draft(document, None)
    if draft.is_abp:
        document["mac_state"] = mac_state(document, draft.region, draft.plan)
    document["updated_at"] = call.now
    _write(call, row)
    call.publish("ns.end_device.update", {"device_ids": document["ids"]}, ["mac_state", "session"])
    return device_calls.shown(_whole(row), call.paths)
