"""
The downlinks of applications that wait for a device, in its session: encrypted and with counters.

Knows nothing of frames and gateways; whoever sends takes items out.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any

from simulators.lorawan.regions.region import Region
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.traits import MAC_VERSIONS
from simulators.platforms.things_stack.times import unix_us

Document = dict[str, Any]

CAPACITY = 10_000
ITEMS = "queued_application_downlinks"
# A time must be so far ahead that a gateway can still be asked.
AHEAD_US = 2_500_000
# Sessions with their states, and how their counters are named for the Application Server.
_SESSIONS = (("session", "mac_state", ""), ("pending_session", "pending_mac_state", "pending_"))


class QueueRefusal(StackError):  # noqa: N818 - named for what it is
    """Items that are not taken; ``queue`` tells of the sessions and counters that there are."""

    def __init__(self, name: str, attributes: Document, device: Device) -> None:
        super().__init__(f"pkg/networkserver:{name}", attributes)
        self.queue = _told(device)


def _told(device: Device) -> Document:
    told: Document = {}
    for name, state_name, prefix in _SESSIONS:
        session = device.state.get(name)
        if session is None:
            continue
        told[f"{prefix}dev_addr"] = session["dev_addr"]
        told[f"{prefix}session_key_id"] = session["keys"].get("session_key_id", "")
        told[f"{prefix}min_f_cnt_down"] = _least(device, session, state_name)
    return told


def items(session: Document) -> list[Document]:
    """What waits in a session, first the next one."""
    queued: list[Document] = session.get(ITEMS, [])
    return queued


def put(session: Document, queued: list[Document]) -> None:
    """Replace what waits in a session."""
    if queued:
        session[ITEMS] = queued
    else:
        session.pop(ITEMS, None)


def all_items(device: Device) -> list[Document]:
    """What waits in all sessions of a device."""
    return [each for name, _, _ in _SESSIONS for each in items(device.state.get(name, {}))]


def push(device: Device, added: list[Document], now_us: int, *, replaces: bool) -> None:
    """
    Add items, each to the session that it was encrypted for.

    Raises:
        StackError: one does not fit; then nothing has changed.
    """
    before = {name: items(device.state.get(name, {})) for name, _, _ in _SESSIONS}
    fitting: dict[str, list[Document]] = {}
    rest = added
    for name, state_name, _ in _SESSIONS:
        session = device.state.get(name)
        if session is None:
            continue
        key = session["keys"].get("session_key_id", "")
        own = [each for each in rest if each.get("session_key_id", "") == key]
        rest = [each for each in rest if each.get("session_key_id", "") != key]
        kept = [] if replaces else before[name]
        least = kept[-1].get("f_cnt", 0) + 1 if kept else _least(device, session, state_name)
        _check(device, own, least, now_us)
        fitting[name] = [*kept, *own]
    if rest:
        raise QueueRefusal("unknown_session", {}, device)
    if any(len(each) > CAPACITY for each in fitting.values()):
        raise StackError("pkg/networkserver:downlink_queue_capacity")
    for name, queued in fitting.items():
        put(device.state[name], queued)
    device.save()


def _check(device: Device, added: Iterable[Document], least: int, now_us: int) -> None:
    longest = longest_payload(device.region)
    for item in added:
        size = len(base64.b64decode(item.get("frm_payload", "")))
        if item.get("f_cnt", 0) < least:
            attributes = {"f_cnt": item.get("f_cnt", 0), "min_f_cnt": least}
            raise QueueRefusal("f_cnt_too_low", attributes, device)
        if size > longest:
            raise too_long(size, longest)
        if is_expired(item, now_us + AHEAD_US):
            raise StackError("pkg/networkserver:downlink_expired")
        if device.document.get("multicast"):
            _check_multicast(device, item)
        least = item.get("f_cnt", 0) + 1


def _check_multicast(device: Device, item: Document) -> None:
    if item.get("confirmed"):
        raise StackError("pkg/networkserver:confirmed_multicast_downlink")
    if not (fixed_gateways(item) or device.traffic.paths):
        raise StackError("pkg/networkserver:no_downlink_path")


def too_long(size: int, longest: int) -> StackError:
    """A payload that no frame holds."""
    attributes = {"length": size, "max": longest}
    return StackError("pkg/networkserver:application_downlink_too_long", attributes)


def longest_payload(region: Region) -> int:
    """Bytes of the longest payload that any of a region's downlinks can have."""
    return max(row.max_payload for row in region.data_rates if row is not None and row.is_downlink)


def absolute_us(item: Document) -> int | None:
    """When an item shall be sent, if it says so."""
    text = item.get("class_b_c", {}).get("absolute_time")
    return None if text is None else unix_us(text)


def is_expired(item: Document, at_us: int) -> bool:
    """Whether the item's time is over at ``at_us``."""
    time_us = absolute_us(item)
    return time_us is not None and time_us < at_us


def fixed_gateways(item: Document) -> list[Document]:
    """The gateways that an item names."""
    gateways: list[Document] = item.get("class_b_c", {}).get("gateways", [])
    return gateways


def is_for_class_a(item: Document) -> bool:
    """Whether an item may be sent in the windows after an uplink."""
    return not (fixed_gateways(item) or absolute_us(item) is not None)


# --- counters


def _least(device: Device, session: Document, state_name: str) -> int:
    """The least counter that the next item of an application may have."""
    state = device.state.get(state_name, {})
    version = MAC_VERSIONS.get(state.get("lorawan_version", ""), MacVersion.V1_0_2)
    is_shared = version < MacVersion.V1_1
    name = "last_n_f_cnt_down" if is_shared else "last_a_f_cnt_down"
    sent = list(_sent(state, None if is_shared else True))
    return session.get(name, 0) + 1 if sent or session.get(name) else 0


def next_network_f_cnt(session: Document, state: Document, *, is_shared: bool) -> int:
    """The counter of a frame without a port, or with port 0; the first one of a session has 0."""
    last: int = session.get("last_n_f_cnt_down", 0)
    return last + 1 if last or list(_sent(state, None if is_shared else False)) else 0


def _sent(state: Document, has_port: bool | None) -> Iterator[Document]:
    """Downlinks of the session: all, or those with or without a port."""
    for each in state.get("recent_downlinks", ()):
        payload = each.get("payload", {}).get("mac_payload")
        if payload is not None and (has_port is None or has_port == ("f_port" in payload)):
            yield payload


_MOST_RECENT = 5


def note_sent(state: Document, payload: Document, correlation_ids: list[str]) -> None:
    """
    Remember a downlink among the last ones.

    One without a port stays as long as no other comes: that a counter of 0 was used shows nowhere
    else.
    """
    recent: list[Document] = state.get("recent_downlinks", [])
    kept = [*recent, {"payload": payload, "correlation_ids": correlation_ids}]
    while len(kept) > _MOST_RECENT:
        portless = [each for each in kept if "f_port" not in each["payload"]["mac_payload"]]
        del kept[1 if portless == kept[:1] else 0]
    state["recent_downlinks"] = kept
