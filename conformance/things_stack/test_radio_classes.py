"""Classes B and C, and multicast: what is sent to devices that have not just spoken."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.things_stack.answers import told
from conformance.things_stack.equipment.class_b import is_ping_slot, slot_of, without_slots_s
from conformance.things_stack.equipment.gateway import GPS_AHEAD_S, Gateway, gps_us
from conformance.things_stack.equipment.values import commands_of
from conformance.things_stack.lab import Stage, payload_of
from conformance.things_stack.scripts import plays
from conformance.things_stack.test_radio_downlinks import AFTER_RX2_S, item

Record = dict[str, Any]
RX2 = [869_525_000, "SF12BW125"]
EVERY_SECOND = 32
"""Slots of 30 ms between those of a device that listens every second."""
PING_SLOT_INFO_REQ, PING_SLOT_INFO_ANS = b"\x10\x00", "PingSlotInfoAns"
AT_ONCE_S = 4.0
PAUSE_S = 0.35
"""Longer than the window in which copies of a frame are collected."""
CLASS_C_TIMEOUT_S = 4
AHEAD_S = 5.0
"""How far ahead a downlink is asked for; networks take none less than 2.5 s ahead."""
AT_MOST_US = 2_000
STRANGER = bytes.fromhex("400000000000000000000000")
"""A frame of nobody: with it a gateway tells the network what its counter shows."""
NETWORK = "pkg/networkserver"


def through(*gateways: Gateway) -> dict[str, Any]:
    """The member of an item that names gateways."""
    ids = [{"gateway_ids": {"gateway_id": each.gateway_id}} for each in gateways]
    return {"class_b_c": {"gateways": ids}}


async def group(stage: Stage) -> Record:
    """A multicast group: a downlink without a way, a confirmed one, a good one; an uplink."""
    gateways = [await stage.gateway(), await stage.gateway()]
    node = await stage.abp("1.0.3", multicast=True, supports_class_c=True)
    other = await stage.abp("1.0.3")
    stage.send(STRANGER, gateways[1])
    lost = await stage.push(node, item(b"\x01"))
    confirmed = await stage.push(node, item(b"\x02", confirmed=True, **through(gateways[1])))
    quiet = stage.quiet(*gateways)
    pushed = await stage.push(node, item(b"\xbe\xef", **through(gateways[1])))
    answer = await stage.answer(quiet, within_s=AT_ONCE_S, read=node.read)
    await stage.uplink(node, b"\x01", gateways[0], f_cnt=1)
    await asyncio.sleep(PAUSE_S)
    # The gateway's next uplink comes after whatever comes of this one.
    await stage.uplink(other, b"\x02", gateways[0], f_cnt=1)
    heard = await stage.uplinks(other, count=1)
    return {
        "lost": lost, "heard": heard, "confirmed": confirmed, "pushed": pushed, "answer": answer,
        "wanted": gateways[1].gateway_id, "uplinks": await stage.uplinks(node, count=1, within_s=0),
    }  # fmt: skip


async def named_gateway(stage: Stage) -> Record:
    """A device of class C that one gateway hears is to be spoken to through another one."""
    gateways = [await stage.gateway(), await stage.gateway()]
    node = await stage.abp("1.0.3", supports_class_c=True)
    stage.send(STRANGER, gateways[1])
    await stage.uplink(node, b"\x01", gateways[0], f_cnt=1)
    await asyncio.sleep(AFTER_RX2_S)
    quiet = stage.quiet(*gateways)
    await stage.push(node, item(b"\xca\xfe", **through(gateways[1])))
    answer = await stage.answer(quiet, within_s=AT_ONCE_S, read=node.read)
    return {"answer": answer, "wanted": gateways[1].gateway_id}


async def two_confirmed(stage: Stage) -> Record:
    """Two confirmed downlinks for a device of class C that answers neither."""
    gateway = await stage.gateway()
    node = await stage.abp("1.0.3", supports_class_c=True, class_c_timeout=f"{CLASS_C_TIMEOUT_S}s")
    await stage.uplink(node, b"\x01", gateway, f_cnt=1)
    await asyncio.sleep(AFTER_RX2_S)
    # Once only: what is tried again would be in the way of the gateway's next script.
    once = {"confirmed": True, "confirmed_retry": {"max_attempts": 1}}
    await stage.push(node, item(b"\x01", **once), item(b"\x02", **once))
    found = [
        await stage.answer(stage.quiet(gateway), within_s=AT_ONCE_S + 4.0, read=node.read)
        for _ in range(2)
    ]
    given_up = await stage.wait_events(node, "as.down.data.nack.forward")
    return {"answers": found, "given_up": [payload_of(nack_in(each)).hex() for each in given_up]}


def nack_in(event: Record) -> Record:
    """The downlink that an event says was not acknowledged."""
    found: Record = event.get("data", {}).get("downlink_nack", {})
    return found


async def ping_slots(stage: Stage) -> Record:
    """A device tells its slots, goes to class B, and then something is queued for it."""
    gateway = await stage.gateway(has_gps=True)
    node = await stage.abp("1.0.3", supports_class_b=True, ping_slot_periodicity="PING_EVERY_1S")
    sent = await stage.uplink(node, b"\x01", gateway, f_cnt=1, f_opts=PING_SLOT_INFO_REQ)
    agreed = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    await asyncio.sleep(1.2)
    await stage.uplink(node, b"\x02", gateway, f_cnt=2, class_b=True)
    await asyncio.sleep(AFTER_RX2_S)
    quiet, patience_s = stage.quiet(gateway), in_slots_s(AT_ONCE_S + 2.0)
    await stage.push(node, item(b"\xb0\x0b"))
    answer = await stage.answer(
        quiet, within_s=patience_s, read=lambda phy: with_port(node.read(phy))
    )
    return {
        "commands": commands_of(agreed.frame) if agreed else [], "answer": answer,
        "gps_us": gps_us(gateway, answer.downlink) if answer else None,
        "dev_addr": node.session.dev_addr if node.session else "",
    }  # fmt: skip


async def not_in_class_b(stage: Stage) -> Record:
    """A device that may be in class B, but has not said so, speaks again after a while."""
    gateway = await stage.gateway(has_gps=True)
    node = await stage.abp("1.0.3", supports_class_b=True, ping_slot_periodicity="PING_EVERY_1S")
    await stage.uplink(node, b"\x01", gateway, f_cnt=1)
    await asyncio.sleep(AFTER_RX2_S)
    quiet, patience_s = stage.quiet(gateway), in_slots_s(AT_ONCE_S)
    await stage.push(node, item(b"\xb0\x0b"))
    early = await stage.answer(quiet, within_s=patience_s, read=node.read)
    sent = await stage.uplink(node, b"\x02", gateway, f_cnt=2)
    answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    return {"early": early, "answer": answer}


async def at_a_time(stage: Stage) -> Record:
    """A device of class C is to be spoken to at a time that the item names."""
    gateway = await stage.gateway(has_gps=True)
    node = await stage.abp("1.0.3", supports_class_c=True)
    await stage.uplink(node, b"\x01", gateway, f_cnt=1)
    await asyncio.sleep(AFTER_RX2_S)
    quiet = stage.quiet(gateway)
    at = datetime.fromtimestamp(time.time() + AHEAD_S, UTC).replace(microsecond=250_000)
    when = {"class_b_c": {"absolute_time": at.isoformat().replace("+00:00", "Z")}}
    pushed = await stage.push(node, item(b"\xab\x5e", **when))
    if pushed.status != 200:
        raise Inconclusive(f"the item was not taken, perhaps by its clock: {pushed.summary()}")
    answer = await stage.answer(quiet, within_s=AHEAD_S + 1.0, read=node.read)
    return {
        "answer": answer, "gps_us": gps_us(gateway, answer.downlink) if answer else None,
        "wanted_us": round((at.timestamp() + GPS_AHEAD_S) * 1_000_000),
    }  # fmt: skip


def in_slots_s(seconds: float) -> float:
    """So long, and longer when a beacon with its time without slots comes in between."""
    gps_us = int((time.time() + GPS_AHEAD_S) * 1_000_000)
    return seconds + without_slots_s(gps_us, seconds)


def with_port(frame: Any) -> Any:
    """A downlink of the application."""
    return frame if frame is not None and frame.f_port else None


def place(record: Record) -> list[Any] | None:
    """Frequency and data rate of a record's answer."""
    answer = record["answer"]
    return [answer.where[name] for name in ("frequency_hz", "data_rate")] if answer else None


@pytest.mark.requirement("LW-MC-001")
@plays(group)
def test_group_is_spoken_to_where_rx2_is(record: Record, requirement: Judge) -> None:
    requirement.check(place(record), expected=RX2)


@pytest.mark.requirement("LW-MC-002")
@plays(group)
def test_group_reads_what_was_queued(record: Record, requirement: Judge) -> None:
    frame = record["answer"].frame if record["answer"] else None
    found = [frame.f_port, frame.f_cnt, frame.frm_payload.hex()] if frame else None
    requirement.check(found, expected=[42, 1, "beef"])


@pytest.mark.requirement("LW-MC-003")
@plays(group)
def test_group_needs_a_way(record: Record, requirement: Judge) -> None:
    requirement.check(told(record["lost"]), expected=[404, f"{NETWORK}:no_downlink_path"])


@pytest.mark.requirement("LW-MC-004")
@plays(group)
def test_group_confirms_nothing(record: Record, requirement: Judge) -> None:
    expected = [400, f"{NETWORK}:confirmed_multicast_downlink"]
    requirement.check(told(record["confirmed"]), expected=expected)


@pytest.mark.requirement("LW-MC-005")
@plays(group)
def test_group_is_not_heard(record: Record, requirement: Judge) -> None:
    if not record["heard"]:
        raise Inconclusive("an uplink of another device was not told either")
    requirement.check([record["pushed"].status, record["uplinks"]], expected=[200, []])


@pytest.mark.requirement("LW-DN-022")
@plays(named_gateway)
def test_named_gateway_sends(record: Record, requirement: Judge) -> None:
    answer = record["answer"]
    requirement.check(answer.downlink.gateway if answer else None, expected=record["wanted"])


@pytest.mark.requirement("LW-DN-023")
@plays(two_confirmed)
def test_next_confirmed_downlink_waits(record: Record, requirement: Judge) -> None:
    answers = record["answers"]
    found = [each.frame.frm_payload.hex() if each else None for each in answers]
    requirement.check(found, expected=["01", "02"])
    times_s = [each.downlink.arrived_s for each in answers]
    requirement.check_that(
        times_s[1] - times_s[0] > CLASS_C_TIMEOUT_S - 0.5,
        expected=f"the second one {CLASS_C_TIMEOUT_S} s after the first",
        actual=round(times_s[1] - times_s[0], 2),
    )


@pytest.mark.requirement("LW-DN-025")
@plays(at_a_time)
def test_downlink_begins_at_its_time(record: Record, requirement: Judge) -> None:
    at_us, wanted_us = record["gps_us"], record["wanted_us"]
    requirement.check_that(
        at_us is not None and abs(at_us - wanted_us) <= AT_MOST_US,
        expected=f"{wanted_us} µs of GPS time",
        actual=at_us,
    )


@pytest.mark.requirement("LW-DN-031")
@plays(two_confirmed)
def test_unanswered_downlink_is_told(record: Record, requirement: Judge) -> None:
    requirement.check(record["given_up"][:1], expected=["01"])


@pytest.mark.requirement("LW-CB-001")
@plays(ping_slots)
def test_slots_are_agreed(record: Record, requirement: Judge) -> None:
    found = [each for each in record["commands"] if each[0] == PING_SLOT_INFO_ANS]
    requirement.check(found, expected=[[PING_SLOT_INFO_ANS]])


@pytest.mark.requirement("LW-CB-002")
@plays(ping_slots)
def test_downlink_begins_with_a_slot(record: Record, requirement: Judge) -> None:
    at_us = record["gps_us"]
    requirement.check_that(
        at_us is not None and is_ping_slot(at_us, record["dev_addr"], EVERY_SECOND),
        expected="a time at which one of the device's slots begins",
        actual=None if at_us is None else {"gps_us": at_us, "slot and µs in it": slot_of(at_us)},
    )


@pytest.mark.requirement("LW-CB-003")
@plays(ping_slots)
def test_slots_have_their_channel(record: Record, requirement: Judge) -> None:
    requirement.check(place(record), expected=[869_525_000, "SF9BW125"])


@pytest.mark.requirement("LW-CB-004")
@plays(ping_slots)
def test_class_b_reads_what_was_queued(record: Record, requirement: Judge) -> None:
    answer = record["answer"]
    requirement.check(answer.frame.frm_payload.hex() if answer else None, expected="b00b")


@pytest.mark.requirement("LW-CB-005")
@plays(not_in_class_b)
def test_class_a_hears_nothing_in_slots(record: Record, requirement: Judge) -> None:
    answer = record["answer"]
    found = [record["early"] is not None, answer.frame.frm_payload.hex() if answer else None]
    requirement.check(found, expected=[False, "b00b"])
