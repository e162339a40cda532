"""Data uplinks: what reaches the application of frames that gateways of ours have heard."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.things_stack.lab import Stage, payload_of
from conformance.things_stack.scripts import plays

Record = dict[str, Any]
VERSIONS = ["1.0.2", "1.0.3", "1.0.4", "1.1"]
PAUSE_S = 0.35
"""Longer than the window in which copies of a frame are collected."""


async def talk(stage: Stage, version: str) -> Record:
    """One plain uplink."""
    gateway, node = await stage.gateway(), await stage.abp(version)
    await stage.uplink(node, b"\x01\x67\x00\xf8", gateway, f_port=2, f_cnt=1, snr_db=7.5)
    return {"gateway": gateway, "uplinks": await stage.uplinks(node, count=1)}


async def send_frames(
    stage: Stage,
    frames: list[dict[str, Any]],
    *,
    version: str = "1.0.3",
    last: int,
    **settings: Any,
) -> Record:
    """
    Uplinks one after the other, the first byte of each its number.

    ``last`` is how many of them must have come before the record is complete.
    """
    gateway, node = await stage.gateway(), await stage.abp(version, **settings)
    for number, options in enumerate(frames, 1):
        await stage.uplink(node, bytes((number,)), gateway, **options)
        await asyncio.sleep(PAUSE_S)
    await stage.uplinks(node, count=last)
    await asyncio.sleep(PAUSE_S)
    return {"uplinks": await stage.uplinks(node, count=last, within_s=0.0)}


async def wrong_mic(stage: Stage) -> Record:
    """A damaged frame, then a good one with the same counter."""
    return await send_frames(stage, [{"f_cnt": 1, "is_wrong": True}, {"f_cnt": 1}], last=1)


async def damaged(stage: Stage) -> Record:
    """A frame whose radio check failed, then a good one."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    phy = node.uplink(b"\x01", f_cnt=1)
    gateway.hear(phy, frequency_hz=868_100_000, modulation=stage.rate(5), crc=-1)
    await asyncio.sleep(PAUSE_S)
    await stage.uplink(node, b"\x02", gateway, f_cnt=2)
    return {"uplinks": await stage.uplinks(node, count=1)}


async def lower_counter(stage: Stage) -> Record:
    """Counters 5, 3, 6."""
    return await send_frames(stage, [{"f_cnt": 5}, {"f_cnt": 3}, {"f_cnt": 6}], last=2)


async def same_counter(stage: Stage) -> Record:
    """Counters 5, 5, 6, with different payloads."""
    return await send_frames(stage, [{"f_cnt": 5}, {"f_cnt": 5}, {"f_cnt": 6}], last=2)


async def largest_gap(stage: Stage) -> Record:
    """Counters 1 and 16385, once the first is told: from it on the network counts the gap."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    await stage.uplink(node, b"\x01", gateway, f_cnt=1)
    await stage.uplinks(node, count=1)
    await stage.uplink(node, b"\x02", gateway, f_cnt=16385)
    return {"uplinks": await stage.uplinks(node, count=2)}


async def too_large_gap(stage: Stage) -> Record:
    """Counters 1, 16386, 2."""
    return await send_frames(stage, [{"f_cnt": 1}, {"f_cnt": 16386}, {"f_cnt": 2}], last=2)


async def gap_of_today(stage: Stage) -> Record:
    """Counters 1 and 20001 of a device of 1.0.4."""
    return await send_frames(stage, [{"f_cnt": 1}, {"f_cnt": 20001}], last=2, version="1.0.4")


async def rollover(stage: Stage) -> Record:
    """Counters 65535 and 65536, of which 16 bits are on air."""
    frames = [{"f_cnt": 65535}, {"f_cnt": 65536}]
    return await send_frames(stage, frames, last=2, last_f_cnt_up=65530)


async def reset(stage: Stage) -> Record:
    """A device that may begin again does so."""
    frames = [{"f_cnt": 4}, {"f_cnt": 0}]
    return await send_frames(stage, frames, last=2, resets_f_cnt=True)


async def other_channel(stage: Stage) -> Record:
    """At 868.1 MHz, at a frequency that the device does not have, at 868.1 MHz again."""
    frames = [{"f_cnt": 1}, {"f_cnt": 2, "frequency_hz": 867_950_000}, {"f_cnt": 3}]
    only = ["868100000", "868300000", "868500000"]
    return await send_frames(stage, frames, last=2, factory_preset_frequencies=only)


async def wrong_channel_in_mic(stage: Stage) -> Record:
    """A frame of 1.1 that says it went out on channel 1, but was heard on channel 0."""
    frames = [{"f_cnt": 1, "tx_ch": 1}, {"f_cnt": 1}]
    return await send_frames(stage, frames, version="1.1", last=1)


async def network_port(stage: Stage) -> Record:
    """LinkCheckReq in a frame on port 0."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    await stage.uplink(node, b"\x02", gateway, f_port=0, f_cnt=1)
    return {"uplinks": await stage.uplinks(node, count=1)}


async def empty(stage: Stage) -> Record:
    """A frame of nothing."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    await stage.uplink(node, b"", gateway, f_cnt=1)
    return {"uplinks": await stage.uplinks(node, count=1)}


async def repeated(stage: Stage) -> Record:
    """A frame, the same bytes again after a while, and the next one."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    sent = await stage.uplink(node, b"\x01", gateway, f_cnt=1)
    await asyncio.sleep(1.5)  # past the window for copies and what follows it
    stage.send(sent.phy, gateway, frequency_hz=868_300_000)
    await asyncio.sleep(PAUSE_S)
    await stage.uplink(node, b"\x02", gateway, f_cnt=2)
    return {"uplinks": await stage.uplinks(node, count=2)}


async def two_gateways(stage: Stage) -> Record:
    """A frame that two gateways hear, and one that one of them hears."""
    gateways = [await stage.gateway(), await stage.gateway()]
    node = await stage.abp("1.0.3")
    await stage.uplink(node, b"\x01", *gateways, f_cnt=1)
    await asyncio.sleep(PAUSE_S)
    await stage.uplink(node, b"\x02", gateways[0], f_cnt=2)
    names = [each.gateway_id for each in gateways]
    return {"gateways": names, "uplinks": await stage.uplinks(node, count=2)}


async def confirmed(stage: Stage, version: str) -> Record:
    """A confirmed uplink."""
    gateway, node = await stage.gateway(), await stage.abp(version)
    sent = await stage.uplink(node, b"\x01", gateway, f_cnt=3, is_confirmed=True)
    answer = await stage.answer(sent, within_s=2.2, read=lambda phy: node.read(phy, conf_f_cnt=3))
    return {"answer": answer, "uplinks": await stage.uplinks(node, count=1)}


def numbers(record: Record) -> list[int]:
    """Which of the frames reached the application."""
    return [payload_of(each)[0] if payload_of(each) else 0 for each in record["uplinks"]]


def counters(record: Record) -> list[int]:
    """Their counters."""
    return [each.get("f_cnt", 0) for each in record["uplinks"]]


def without_reception(message: dict[str, Any]) -> list[Any]:
    """Port, counter and payload; None for what is not there."""
    return [message.get(name) for name in ("f_port", "f_cnt", "frm_payload")]


@pytest.mark.requirement("LW-UP-001")
@plays(talk)
@pytest.mark.parametrize("version", VERSIONS)
def test_uplink_reaches_the_application(version: str, record: Record, requirement: Judge) -> None:
    found = [without_reception(each) for each in record["uplinks"]]
    requirement.check(found, expected=[[2, 1, "AWcA+A=="]])


@pytest.mark.requirement("LW-UP-019")
@plays(talk, version="1.0.3")
def test_reception_is_told(record: Record, requirement: Judge) -> None:
    message = record["uplinks"][0] if record["uplinks"] else {}
    settings = message.get("settings", {})
    lora = settings.get("data_rate", {}).get("lora", {})
    found = [
        [each.get("gateway_ids", {}).get("gateway_id"), each.get("rssi"), each.get("snr")]
        for each in message.get("rx_metadata", ())
    ]
    found += [[settings.get("frequency"), lora.get("spreading_factor"), lora.get("bandwidth")]]
    requirement.check(
        found, expected=[[record["gateway"].gateway_id, -42, 7.5], ["868100000", 7, 125000]]
    )


@pytest.mark.requirement("LW-UP-002")
@plays(wrong_mic)
def test_wrong_mic_is_discarded(record: Record, requirement: Judge) -> None:
    requirement.check(numbers(record), expected=[2])


@pytest.mark.requirement("LW-UP-003")
@plays(lower_counter)
def test_lower_counter_is_discarded(record: Record, requirement: Judge) -> None:
    requirement.check(numbers(record), expected=[1, 3])


@pytest.mark.requirement("LW-UP-004")
@plays(same_counter)
def test_same_counter_is_discarded(record: Record, requirement: Judge) -> None:
    requirement.check(numbers(record), expected=[1, 3])


@pytest.mark.requirement("LW-UP-005")
@plays(largest_gap)
def test_largest_gap_is_taken(record: Record, requirement: Judge) -> None:
    requirement.check(counters(record), expected=[1, 16385])


@pytest.mark.requirement("LW-UP-006")
@plays(too_large_gap)
def test_larger_gap_is_discarded(record: Record, requirement: Judge) -> None:
    requirement.check(counters(record), expected=[1, 2])


@pytest.mark.requirement("LW-UP-007")
@plays(gap_of_today)
def test_gap_has_no_limit_any_more(record: Record, requirement: Judge) -> None:
    requirement.check(counters(record), expected=[1, 20001])


@pytest.mark.requirement("LW-UP-008")
@plays(rollover)
def test_counter_goes_on_past_16_bits(record: Record, requirement: Judge) -> None:
    requirement.check(counters(record), expected=[65535, 65536])


@pytest.mark.requirement("LW-UP-009")
@plays(repeated)
def test_repeated_frame_reaches_once(record: Record, requirement: Judge) -> None:
    requirement.check(numbers(record), expected=[1, 2])


@pytest.mark.requirement("LW-UP-010")
@plays(two_gateways)
def test_frame_heard_twice_reaches_once(record: Record, requirement: Judge) -> None:
    requirement.check(numbers(record), expected=[1, 2])


@pytest.mark.requirement("LW-UP-011")
@plays(two_gateways)
def test_both_gateways_are_named(record: Record, requirement: Judge) -> None:
    metadata = record["uplinks"][0].get("rx_metadata", ()) if record["uplinks"] else ()
    found = sorted(each.get("gateway_ids", {}).get("gateway_id", "") for each in metadata)
    requirement.check(found, expected=sorted(record["gateways"]))


@pytest.mark.requirement("LW-UP-012")
@plays(reset)
def test_counter_may_begin_again(record: Record, requirement: Judge) -> None:
    requirement.check(counters(record), expected=[4, 0])


@pytest.mark.requirement("LW-UP-013")
@plays(other_channel)
def test_foreign_channel_is_discarded(record: Record, requirement: Judge) -> None:
    requirement.check(numbers(record), expected=[1, 3])


@pytest.mark.requirement("LW-UP-014")
@plays(network_port)
def test_port_0_is_told_without_payload(record: Record, requirement: Judge) -> None:
    found = [without_reception(each) for each in record["uplinks"]]
    requirement.check(found, expected=[[None, 1, None]])


@pytest.mark.requirement("LW-UP-015")
@plays(empty)
def test_empty_frame_is_told(record: Record, requirement: Judge) -> None:
    found = [without_reception(each) for each in record["uplinks"]]
    requirement.check(found, expected=[[None, 1, None]])


@pytest.mark.requirement("LW-UP-016")
@plays(confirmed, version="1.0.3")
def test_confirmed_uplink_is_marked(record: Record, requirement: Judge) -> None:
    requirement.check([each.get("confirmed") for each in record["uplinks"]], expected=[True])


@pytest.mark.requirement("LW-UP-017")
@plays(confirmed)
@pytest.mark.parametrize("version", VERSIONS)
def test_confirmed_uplink_is_acknowledged(version: str, record: Record, requirement: Judge) -> None:
    answer = record["answer"]
    requirement.check(answer.frame.ack if answer else None, expected=True)


@pytest.mark.requirement("LW-UP-018")
@plays(wrong_channel_in_mic)
def test_mic_holds_the_channel(record: Record, requirement: Judge) -> None:
    requirement.check(numbers(record), expected=[2])


@pytest.mark.requirement("LW-UP-020")
@plays(damaged)
def test_damaged_frame_is_discarded(record: Record, requirement: Judge) -> None:
    requirement.check(numbers(record), expected=[2])
