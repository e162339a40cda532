"""Regions other than EU868: devices join and talk where the target has a frequency plan for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.outcomes import Inconclusive, NotApplicable
from conformance.things_stack.equipment.gateway import Gateway
from conformance.things_stack.equipment.node import Node
from conformance.things_stack.equipment.values import channels_of, commands_of, masks_of
from conformance.things_stack.lab import Answer, Stage, payload_of
from conformance.things_stack.regions import FSB_2, REGIONS, SF7, SF9, Region
from conformance.things_stack.scripts import plays
from conformance.things_stack.test_radio_downlinks import AFTER_RX2_S, item
from conformance.things_stack.test_radio_mac import ACCEPTED

Record = dict[str, Any]
PLANS = list(REGIONS)
DWELL_PLANS = {"AS_923_NDT": 0, "AS_923_DT": 1}
"""Frequency plans of AS923 without and with a limit of 400 ms for both directions."""
AGREED = {**ACCEPTED, "TxParamSetupReq": b"\x09", "DevStatusReq": b"\x06\x7f\x05"}


async def newcomer(stage: Stage, gateway: Gateway, plan: str, version: str, **more: Any) -> Node:
    """A node for a region, whose receive settings are left to the network."""
    return await stage.otaa(
        version, frequency_plan_id=plan, desired_rx1_delay=1, desired_rx2_data_rate_index=None,
        **more,
    )  # fmt: skip


async def begin(stage: Stage, plan: str) -> Gateway:
    """A gateway with this plan, if the target has it."""
    if plan not in await stage.lab.plans():
        raise NotApplicable(f"the target offers no frequency plan {plan}")
    return await stage.gateway(plan)


async def live(stage: Stage, plan: str) -> Record:
    """A device joins, is answered in RX1, and then, being of class C, in RX2's place."""
    region, gateway = REGIONS[plan], await begin(stage, plan)
    how: dict[str, Any] = {"rate": SF7, "frequency_hz": region.up_hz}
    node = await newcomer(stage, gateway, plan, region.version, supports_class_c=True)
    accept = await stage.join(node, gateway, 1, **how)
    record: Record = {"region": region, "accept": accept, "rx1": None, "rx2": None}
    if accept is None:
        return record
    await stage.wait_events(node, "as.up.join.forward")
    # 1.0.4 has a counter from 0, too; class C begins with the first uplink.
    sent = await stage.uplink(node, b"\x01", gateway, is_confirmed=True, **how)
    record["rx1"] = answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    await asyncio.sleep(1.5)
    f_opts = agreed(answer)
    sent = await stage.uplink(node, b"\x02", gateway, f_opts=f_opts, **how)
    await asyncio.sleep(AFTER_RX2_S)
    await stage.push(node, item(b"\xca\xfe"))
    record["rx2"] = await stage.answer(sent, within_s=4.0, read=lambda phy: with_payload(node, phy))
    return record


async def live_from_1(stage: Stage, plan: str) -> Record:
    """A device that counts from 1 says again what it has agreed to until a downlink comes."""
    region, gateway = REGIONS[plan], await begin(stage, plan)
    how: dict[str, Any] = {"rate": SF7, "frequency_hz": region.up_hz}
    node = await newcomer(stage, gateway, plan, region.version)
    if await stage.join(node, gateway, 1, **how) is None:
        raise Inconclusive("the device could not join")
    await stage.wait_events(node, "as.up.join.forward")
    sent = await stage.uplink(node, b"\x01", gateway, f_cnt=1, is_confirmed=True, **how)
    answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    await asyncio.sleep(1.2)
    for number in (2, 3):
        await stage.uplink(node, bytes((number,)), gateway, f_opts=agreed(answer), **how)
        await asyncio.sleep(0.4)
    sent = await stage.uplink(
        node, b"\x04", gateway, f_opts=agreed(answer), is_confirmed=True, **how
    )
    last = await stage.answer(
        sent, within_s=AFTER_RX2_S, read=node.read, only_us=(1_000_000, 2_000_000)
    )
    return {"uplinks": await stage.uplinks(node, count=4), "answers": [answer, last]}


async def dwell(stage: Stage, plan: str) -> Record:
    """A device of AS923 learns of the limits, agrees, and is answered two data rates slower."""
    gateway = await begin(stage, plan)
    how: dict[str, Any] = {"rate": SF9, "frequency_hz": 923_200_000}
    node = await newcomer(stage, gateway, plan, "1.0.3", desired_rx1_data_rate_offset=2)
    if await stage.join(node, gateway, 1, **how) is None:
        raise Inconclusive("the device could not join")
    await stage.wait_events(node, "as.up.join.forward")
    asked: list[list[Any]] = []
    answer: Answer | None = None
    for number in range(3):
        sent = await stage.uplink(
            node, bytes((number,)), gateway, f_opts=agreed(answer), is_confirmed=True, **how
        )
        answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
        asked += commands_of(answer.frame) if answer else []
        await asyncio.sleep(1.2)
    limits = [each[1:] for each in asked if each[0] == "TxParamSetupReq"]
    where = [answer.where[name] for name in ("delay_us", "data_rate")] if answer else None
    return {"limits": limits, "where": where}


def agreed(answer: Answer | None) -> bytes:
    """What a device says that agrees to everything."""
    asked = commands_of(answer.frame) if answer else []
    return b"".join(AGREED.get(str(each[0]), b"") for each in asked)


def with_payload(node: Node, phy: bytes) -> Any:
    """A downlink of the application."""
    frame = node.read(phy)
    return frame if frame is not None and frame.f_port else None


def place(answer: Answer | None) -> list[Any] | None:
    """Frequency and data rate."""
    return [answer.where[name] for name in ("frequency_hz", "data_rate")] if answer else None


def listed(region: Region, cf_list: bytes) -> Any:
    """A CFList in the form of the region's literal."""
    if region.cf_list == FSB_2:
        return masks_of(cf_list)[:4]
    return [each for each in channels_of(cf_list) or () if each]


@pytest.mark.requirement("LW-REG-001")
@plays(live)
@pytest.mark.parametrize("plan", PLANS)
def test_accept_is_sent_in_a_join_window(plan: str, record: Record, requirement: Judge) -> None:
    region, accept = record["region"], record["accept"]
    windows = zip((5_000_000, 6_000_000), (region.rx1, region.rx2), strict=True)
    requirement.check_in(
        [accept.delay_us, *place(accept)] if accept else None,  # type: ignore[misc]
        accepted=[[delay_us, *window] for delay_us, window in windows],
    )


@pytest.mark.requirement("LW-REG-002")
@plays(live)
@pytest.mark.parametrize("plan", PLANS)
def test_accept_names_the_regions_rx2(plan: str, record: Record, requirement: Judge) -> None:
    accept = record["accept"]
    found = accept.frame.rx2_data_rate_index if accept else None
    requirement.check(found, expected=record["region"].rx2_index)


@pytest.mark.requirement("LW-REG-003")
@plays(live)
@pytest.mark.parametrize("plan", [name for name in PLANS if REGIONS[name].cf_list is not None])
def test_accept_lists_the_plans_channels(plan: str, record: Record, requirement: Judge) -> None:
    region, accept = record["region"], record["accept"]
    found = listed(region, accept.frame.cf_list) if accept else None
    requirement.check(found, expected=region.cf_list)


@pytest.mark.requirement("LW-REG-004")
@plays(live)
@pytest.mark.parametrize("plan", PLANS)
def test_uplink_is_answered_in_rx1(plan: str, record: Record, requirement: Judge) -> None:
    answer, region = record["rx1"], record["region"]
    found = [answer.delay_us, *place(answer)] if answer else None  # type: ignore[misc]
    rx1, rx2 = [1_000_000, *region.rx1], [2_000_000, *region.rx2]
    requirement.check_in(found, accepted=[rx1, rx2])


@pytest.mark.requirement("LW-REG-005")
@plays(live)
@pytest.mark.parametrize("plan", PLANS)
def test_class_c_is_reached_where_rx2_is(plan: str, record: Record, requirement: Judge) -> None:
    requirement.check(place(record["rx2"]), expected=list(record["region"].rx2))


@pytest.mark.requirement("LW-REG-006")
@plays(live_from_1)
@pytest.mark.parametrize("plan", PLANS)
def test_counter_may_begin_with_1(plan: str, record: Record, requirement: Judge) -> None:
    found = [payload_of(each).hex() for each in record["uplinks"]]
    answered = [each is not None for each in record["answers"]]
    requirement.check([found, answered], expected=[["01", "02", "03", "04"], [True, True]])


@pytest.mark.requirement("LW-REG-007")
@plays(dwell)
@pytest.mark.parametrize("plan", DWELL_PLANS)
def test_limits_of_as923_are_told(plan: str, record: Record, requirement: Judge) -> None:
    limit = DWELL_PLANS[plan]
    requirement.check(record["limits"][:1], expected=[[limit, limit]])


@pytest.mark.requirement("LW-REG-008")
@plays(dwell)
@pytest.mark.parametrize("plan", DWELL_PLANS)
def test_limits_of_as923_bound_rx1(plan: str, record: Record, requirement: Judge) -> None:
    expected = "SF10BW125" if DWELL_PLANS[plan] else "SF11BW125"
    requirement.check(record["where"], expected=[1_000_000, expected])
