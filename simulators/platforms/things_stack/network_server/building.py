"""
Downlink frames: what goes into one, and the bytes.

A draft changes nothing of the device but what is over anyhow, such as items that are too old. What
it says holds when a gateway has taken it: ``commit``.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import ACK, ADR, F_PENDING, MAX_F_OPTS
from simulators.lorawan.mac_commands import MacCommand, encode
from simulators.lorawan.regions.region import FHDR_AND_PORT
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.network_server import queue
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac import documents, requests
from simulators.platforms.things_stack.network_server.mac.handling import remember
from simulators.platforms.things_stack.network_server.mac.requests import Room
from simulators.platforms.things_stack.network_server.uplink_info import UplinkInfo
from simulators.platforms.things_stack.times import time_text

Document = dict[str, Any]

PRIORITIES = ("LOWEST", "LOW", "BELOW_NORMAL", "NORMAL", "ABOVE_NORMAL", "HIGH", "HIGHEST")
_HIGHEST_OF_APPLICATIONS = PRIORITIES.index("HIGH")


@dataclass
class Failure:
    """An item that is not sent, and why."""

    item: Document
    error: StackError


@dataclass
class Draft:
    """
    A frame that could be sent.

    Attributes:
        asked: the requests in it.
        item: the application's downlink in it.
        f_cnt: its counter, in full.
    """

    phy: bytes
    f_cnt: int
    item: Document | None
    asked: list[MacCommand]
    is_confirmed: bool
    is_network_only: bool
    has_commands: bool
    dropped: list[Failure] = field(default_factory=list)

    @property
    def priority(self) -> str:
        """What the network itself says goes first, applications at most high."""
        if self.has_commands or self.is_network_only:
            return PRIORITIES[-1]
        given = PRIORITIES.index((self.item or {}).get("priority", PRIORITIES[0]))
        return PRIORITIES[min(given, _HIGHEST_OF_APPLICATIONS)]

    @property
    def payload_size(self) -> int:
        """M as the regional parameters count it."""
        return len(self.phy) - 5

    def message(self) -> Document:
        """As the state remembers it."""
        payload: Document = {"full_f_cnt": self.f_cnt} if self.f_cnt else {}
        if self.item is not None:
            payload["f_port"] = self.item["f_port"]
        kind = "CONFIRMED_DOWN" if self.is_confirmed else "UNCONFIRMED_DOWN"
        return {"m_hdr": {"m_type": kind}, "mac_payload": payload}


@dataclass(frozen=True)
class Slot:
    """
    When and how a frame would be sent.

    Attributes:
        longest: M of the best window.
        answered: the uplink whose windows these are; None in class B and C.
    """

    longest: int
    answered: UplinkInfo | None


def prune(device: Device, now_us: int) -> list[Failure]:
    """Take out of the queue what can never be sent any more; the caller tells and saves."""
    session = device.state["session"]
    kept, dropped = [], []
    for item in queue.items(session):
        if queue.is_expired(item, now_us):
            dropped.append(Failure(item, StackError("pkg/networkserver:downlink_expired")))
        else:
            kept.append(item)
    if dropped:
        queue.put(session, kept)
    return dropped


def draft(device: Device, slot: Slot, now_us: int, *, is_forced: bool) -> Draft | None:
    """
    The frame for a slot; None when there is nothing to say.

    Args:
        is_forced: a frame without contents is wanted, too.
    """
    room = Room(slot.longest - FHDR_AND_PORT, _longest_uplink(device, slot.answered))
    answers: list[MacCommand] = []
    asked = requests.Collected()
    if slot.answered is not None:
        answers = _answers(device, room)
        asked = requests.collect(device, room, now_us)
    data = b"".join(encode(each) for each in (*answers, *asked.commands))
    item, dropped = _item(device, slot, data)
    if item is None and not data and not is_forced:
        return _nothing(dropped)
    try:
        drafted = _frame(device, slot, item, data, is_more=not asked.is_complete)
    except LoRaWanError:
        return _nothing(dropped)  # no counter is left in this session
    drafted.asked, drafted.dropped = asked.commands, dropped
    return drafted


def _nothing(dropped: list[Failure]) -> Draft | None:
    return Draft(b"", 0, None, [], False, False, False, dropped) if dropped else None


def _longest_uplink(device: Device, answered: UplinkInfo | None) -> int:
    """Bytes of commands that the device's next uplink can carry."""
    adr = answered is not None and answered.adr
    data_rate = answered.data_rate_index if answered is not None and adr else 0
    parameters = device.mac_state["current_parameters"]
    row = device.region.data_rates[data_rate]
    if row is None:
        return MAX_F_OPTS
    dwell = bool(parameters.get("uplink_dwell_time"))
    return max(MAX_F_OPTS, (row.max_payload_dwell or 0) if dwell else row.max_payload)


def _answers(device: Device, room: Room) -> list[MacCommand]:
    """Answers that fit, in their order; the others are not sent later either."""
    found = []
    for each in device.mac_state.get("queued_responses", ()):
        try:
            command = documents.command(each)
            size = len(encode(command))
        except (KeyError, ValueError):
            continue  # not one of ours: a caller has set the state
        if size <= room.down:
            room.down -= size
            found.append(command)
    return found


def _item(device: Device, slot: Slot, commands: bytes) -> tuple[Document | None, list[Failure]]:
    """
    The next item for this slot, and items that are too long for it.

    With commands in the frame a long one waits; alone, it would never fit.
    """
    dropped: list[Failure] = []
    if len(commands) > MAX_F_OPTS:
        return None, dropped
    longest = slot.longest - FHDR_AND_PORT
    for item in queue.items(device.state["session"]):
        if slot.answered is not None and not queue.is_for_class_a(item):
            return None, dropped  # those behind it have larger counters
        if item.get("confirmed") and "pending_application_downlink" in device.mac_state:
            return None, dropped  # one at a time: the next uplink tells about that one
        size = len(item.get("frm_payload", "")) and len(base64.b64decode(item["frm_payload"]))
        if size <= longest - len(commands):
            return item, dropped
        if size <= longest:
            return None, dropped
        dropped.append(Failure(item, queue.too_long(size, longest)))
    return None, dropped


def _frame(
    device: Device, slot: Slot, item: Document | None, commands: bytes, *, is_more: bool
) -> Draft:
    state, session = device.mac_state, device.state["session"]
    answered = slot.answered
    is_shared = device.version() < MacVersion.V1_1
    waiting = len(queue.items(session)) - (item is not None)
    is_c = answered is None and state.get("device_class") == "CLASS_C"
    f_ctrl = F_PENDING if (is_more or waiting) and not is_c else 0  # class C listens anyway
    if _uses_adr(device):
        f_ctrl |= ADR
    is_ack = answered is not None and answered.is_confirmed
    f_ctrl |= ACK if is_ack else 0
    conf_f_cnt = answered.f_cnt if answered is not None and is_ack else 0
    if item is not None:
        f_cnt, f_port = item.get("f_cnt", 0), item["f_port"]
        payload, f_opts = base64.b64decode(item.get("frm_payload", "")), commands
    else:
        f_cnt = queue.next_network_f_cnt(session, state, is_shared=is_shared)
        fits = len(commands) <= MAX_F_OPTS
        f_port, payload, f_opts = (None, b"", commands) if fits else (0, commands, b"")
    is_confirmed = item is not None and bool(item.get("confirmed"))
    phy = _protected(
        device, f_cnt, f_port, payload, f_ctrl=f_ctrl, f_opts=f_opts,
        is_confirmed=is_confirmed, conf_f_cnt=conf_f_cnt,
    )  # fmt: skip
    return Draft(phy, f_cnt, item, [], is_confirmed, item is None, bool(commands))


def _protected(
    device: Device,
    f_cnt: int,
    f_port: int | None,
    payload: bytes,
    *,
    f_ctrl: int,
    f_opts: bytes,
    is_confirmed: bool,
    conf_f_cnt: int,
) -> bytes:
    """The PHY payload; what the application sends is encrypted already."""
    crypto = device.crypto()
    if f_port:
        # Encrypted with the application's key, which is not here: it is put in as it is.
        plain = crypto.protect_downlink(
            f_cnt, f_port, f_ctrl=f_ctrl, f_opts=f_opts, is_confirmed=is_confirmed,
            conf_f_cnt=conf_f_cnt,
        )  # fmt: skip
        message = plain[:-4] + payload
        conf = conf_f_cnt if f_ctrl & ACK else 0
        return message + crypto.downlink_mic(message, f_cnt, conf_f_cnt=conf)
    return crypto.protect_downlink(
        f_cnt, f_port, payload, f_ctrl=f_ctrl, f_opts=f_opts, is_confirmed=is_confirmed,
        conf_f_cnt=conf_f_cnt,
    )  # fmt: skip


def _uses_adr(device: Device) -> bool:
    settings = device.document.get("mac_settings", {})
    is_off = "disabled" in settings.get("adr", {}) or settings.get("use_adr") is False
    return not is_off and not device.document.get("multicast")


def commit(device: Device, drafted: Draft, slot: Slot, at_us: int, told: list[str]) -> Document:
    """
    The frame is sent at that time: counters, queue and what the device was asked.

    Returns:
        A ``downlink_queue_invalidated`` when items have counters that are used up; else empty.
    """
    state, session = device.mac_state, device.state["session"]
    is_shared = device.version() < MacVersion.V1_1
    queue.note_sent(state, drafted.message(), told)
    counts_network = drafted.is_network_only or is_shared
    name = "last_n_f_cnt_down" if counts_network else "last_a_f_cnt_down"
    if drafted.f_cnt:
        session[name] = drafted.f_cnt
    state["last_downlink_at"] = time_text(at_us)
    if slot.answered is not None:
        state.pop("queued_responses", None)
        if drafted.asked:
            state["pending_requests"] = [documents.document(each) for each in drafted.asked]
    else:
        state["last_network_initiated_downlink_at"] = time_text(at_us)
    if drafted.item is not None:
        rest = [each for each in queue.items(session) if each is not drafted.item]
        queue.put(session, rest)
    if drafted.is_confirmed:
        state["pending_application_downlink"] = drafted.item
        state["last_confirmed_downlink_at"] = time_text(at_us)
        remember(session, {"last_conf_f_cnt_down": drafted.f_cnt})
    return _used_up(device, session, drafted, is_shared=is_shared)


def _used_up(device: Device, session: Document, drafted: Draft, *, is_shared: bool) -> Document:
    queued = queue.items(session)
    if drafted.is_network_only and not is_shared:
        return {}
    if not any(each.get("f_cnt", 0) <= drafted.f_cnt for each in queued):
        return {}
    queue.put(session, [])
    message: Document = {"downlinks": queued}
    if drafted.f_cnt:
        message["last_f_cnt_down"] = drafted.f_cnt
    key = session["keys"].get("session_key_id")
    return message | ({"session_key_id": key} if key else {})
