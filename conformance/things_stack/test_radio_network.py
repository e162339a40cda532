"""What the network makes of joins, receptions and its gateways, beyond one frame and its answer."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.things_stack.equipment.gateway import Gateway
from conformance.things_stack.equipment.rates import rate_text
from conformance.things_stack.equipment.values import commands_of
from conformance.things_stack.lab import Stage
from conformance.things_stack.scripts import plays

Record = dict[str, Any]
ITEM = {"f_port": 42, "frm_payload": base64.b64encode(b"\xbe\xef").decode()}
FIRST_OF_CF_LIST_HZ = 867_100_000
AFTER_RX2_S = 2.3
APART_S = 0.06
"""Between two copies of a frame: longer than a slow network's jitter, shorter than its window."""

LONGEST_STATS_S = 75.0
"""Servers renew statistics half a minute after the last time, or once a minute."""


async def joined(stage: Stage) -> Record:
    """A device of class C joins, speaks on a channel of the CFList, then a downlink is queued."""
    gateway = await stage.gateway()
    node = await stage.otaa(
        "1.0.3", supports_class_c=True, desired_rx1_delay=3, desired_rx2_data_rate_index=None
    )
    accept = await stage.join(node, gateway, 1)
    if accept is None:
        raise Inconclusive("the device could not join")
    sent = await stage.uplink(
        node, b"\x01", gateway, frequency_hz=FIRST_OF_CF_LIST_HZ, is_confirmed=True
    )
    answer, _ = await asyncio.gather(
        stage.answer(sent, within_s=4.3, read=node.read), asyncio.sleep(4.3)
    )
    await stage.push(node, ITEM)
    later = await stage.answer(sent, within_s=4.0, read=node.read)
    uplinks = await stage.uplinks(node, count=1)
    path = f"/ns/applications/{{a}}/devices/{node.device_id}?field_mask=ids.dev_addr"
    return {
        "window": [answer.delay_us, answer.where["frequency_hz"]] if answer else None,
        "uplinks": uplinks,
        "ids": (await stage.needed("GET", path)).get("ids", {}),
        "dev_addr": accept.frame.dev_addr,
        "rx2": later.where["data_rate"] if later else None,
        "offered_rx2": rate_text(stage.rate(accept.frame.rx2_data_rate_index)),
    }


async def apart(stage: Stage) -> Record:
    """Two gateways hear a frame a moment apart, the better one later; a downlink waits."""
    far, near = await stage.gateway(), await stage.gateway()
    node = await stage.abp("1.0.3")
    await stage.push(node, ITEM)
    sent = await stage.uplink(node, b"\x01", far, f_cnt=1, snr_db=-3.0)
    await asyncio.sleep(APART_S)
    again = stage.send(sent.phy, near, snr_db=9.5, f_cnt=1)
    answer = await stage.answer(again, within_s=AFTER_RX2_S, read=node.read)
    uplinks = await stage.uplinks(node, count=2, within_s=1.0)
    return {
        "uplinks": uplinks,
        "is_by_better": answer is not None,
        "power_dbm": answer.downlink.packet.power_dbm if answer else None,
        "stats": await stats_of(stage, near),
    }


async def stats_of(stage: Stage, gateway: Gateway) -> Record:
    """A gateway's statistics, as soon as they count an uplink, or when the time is over."""
    path = f"/gs/gateways/{gateway.gateway_id}/connection/stats"
    end = asyncio.get_running_loop().time() + LONGEST_STATS_S
    found: Record = await stage.needed("GET", path)
    while "uplink_count" not in found and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.5)
        found = await stage.needed("GET", path)
    return found


async def adapted(stage: Stage) -> Record:
    """A device with ADR speaks with SF10, at best 5.25 dB above need, margin and safety."""
    gateway = await stage.gateway()
    node = await stage.abp("1.0.3", adr={"dynamic": {"margin": 10}})
    frames = []
    for f_cnt, snr_db in ((1, 2.75), (2, -3.0)):
        sent = await stage.uplink(
            node, b"\x01", gateway, f_cnt=f_cnt, data_rate=2, snr_db=snr_db, adr=True,
            is_confirmed=True,
        )  # fmt: skip
        answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
        frames += [answer.frame] if answer else []
        await asyncio.sleep(1.0)
    path = f"/ns/applications/{{a}}/devices/{node.device_id}?field_mask=session.last_f_cnt_up"
    return {
        "are_adr": [each.adr for each in frames],
        "commands": [each for frame in frames for each in commands_of(frame)],
        "device": await stage.needed("GET", path),
    }


@pytest.mark.requirement("LW-NW-001")
@plays(joined)
def test_delay_of_the_join_holds(record: Record, requirement: Judge) -> None:
    rx1, rx2 = [3_000_000, FIRST_OF_CF_LIST_HZ], [4_000_000, 869_525_000]
    requirement.check_in(record["window"], accepted=[rx1, rx2])


@pytest.mark.requirement("LW-NW-002")
@plays(joined)
def test_channels_of_the_join_hold(record: Record, requirement: Judge) -> None:
    requirement.check(len(record["uplinks"]), expected=1)


@pytest.mark.requirement("LW-NW-003")
@plays(joined)
def test_second_window_of_the_join_holds(record: Record, requirement: Judge) -> None:
    requirement.check(record["rx2"], expected=record["offered_rx2"])


@pytest.mark.requirement("LW-NW-013")
@plays(joined)
def test_ids_hold_the_address_of_the_join(record: Record, requirement: Judge) -> None:
    if not record["uplinks"]:
        raise Inconclusive("no uplink in the new session was taken")
    requirement.check(record["ids"].get("dev_addr"), expected=record["dev_addr"].upper())


@pytest.mark.requirement("LW-NW-004")
@plays(apart)
def test_copies_a_moment_apart_are_one(record: Record, requirement: Judge) -> None:
    found = [len(each.get("rx_metadata", ())) for each in record["uplinks"]]
    requirement.check(found, expected=[2])


@pytest.mark.requirement("LW-NW-005")
@plays(apart)
def test_better_gateway_answers(record: Record, requirement: Judge) -> None:
    requirement.check(record["is_by_better"], expected=True)


@pytest.mark.requirement("LW-NW-006")
@plays(apart)
def test_power_is_lawful(record: Record, requirement: Judge) -> None:
    power = record["power_dbm"]
    if power is None:
        raise Inconclusive("no downlink came")
    requirement.check_that(power <= 14, expected="14 dBm at most", actual=power)


@pytest.mark.requirement("LW-NW-007")
@plays(apart)
def test_airtime_is_told(record: Record, requirement: Judge) -> None:
    found = {each.get("consumed_airtime") for each in record["uplinks"]}
    requirement.check(found, expected={"0.046336s"})


@pytest.mark.requirement("LW-NW-012")
@plays(apart)
def test_application_key_stays(record: Record, requirement: Judge) -> None:
    requirement.check(["app_s_key" in each for each in record["uplinks"]], expected=[False])


@pytest.mark.requirement("LW-NW-008")
@plays(apart)
def test_gateway_is_counted(record: Record, requirement: Judge) -> None:
    stats = record["stats"]
    is_counted = int(stats.get("uplink_count", 0)) > 0 and "last_uplink_received_at" in stats
    requirement.check_that(is_counted, expected="uplink_count and its time", actual=str(stats))


@pytest.mark.requirement("LW-NW-009")
@plays(adapted)
def test_network_says_that_it_adapts(record: Record, requirement: Judge) -> None:
    requirement.check(set(record["are_adr"]), expected={True})


@pytest.mark.requirement("LW-NW-010")
@plays(adapted)
def test_data_rate_is_what_the_margin_allows(record: Record, requirement: Judge) -> None:
    found = [each[1] for each in record["commands"] if each[0] == "LinkADRReq"]
    requirement.check(found, expected=[4, 4])


@pytest.mark.requirement("LW-NW-011")
@plays(adapted)
def test_counter_is_shown(record: Record, requirement: Judge) -> None:
    requirement.check(record["device"].get("session", {}).get("last_f_cnt_up"), expected=2)


@pytest.mark.requirement("LW-NW-014")
@plays(apart)
def test_uplink_tells_when_and_where_it_came(record: Record, requirement: Judge) -> None:
    for message in record["uplinks"]:
        told = ["received_at" in message, "net_id" in message.get("network_ids", {})]
        requirement.check(told, expected=[True, True])
        received = [each.get("received_at") for each in message.get("rx_metadata", ())]
        requirement.check_that(
            None not in received, expected="the time of each reception", actual=received
        )
