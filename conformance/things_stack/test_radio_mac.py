"""MAC commands: what the network asks nodes of ours, and what it answers them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.things_stack.equipment.values import commands_of
from conformance.things_stack.lab import Stage, payload_of
from conformance.things_stack.registering import CHANNELS_HZ
from conformance.things_stack.scripts import plays

Record = dict[str, Any]
AFTER_RX2_S = 2.3
GPS_EPOCH_S = 315_964_800
LEAP_S = 18
"""GPS time is ahead of UTC by so many seconds since 2017."""
ADDED_HZ = [867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000]


async def ask(
    stage: Stage,
    f_opts: bytes,
    *,
    version: str = "1.0.3",
    weaker_db: float | None = None,
    **options: Any,
) -> Record:
    """
    An uplink with commands of the device, and what answers it.

    ``weaker_db`` is the SNR at another gateway, which is the first to tell of it.
    """
    gateway, node = await stage.gateway(), await stage.abp(version)
    phy = node.uplink(b"\x01", f_cnt=1, f_opts=f_opts, **options)
    if weaker_db is not None:
        stage.send(phy, await stage.gateway(), snr_db=weaker_db)
    sent = stage.send(phy, gateway)
    answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    uplinks = await stage.uplinks(node, count=1)
    # By the network's clock: ours may go wrong.
    at_s = max((seconds_of(each) for each in uplinks), default=0.0)
    return {
        "commands": commands_of(answer.frame) if answer else [],
        "at_gps_s": at_s - GPS_EPOCH_S + LEAP_S,
        "answer": answer,
        "uplinks": uplinks,
    }


def seconds_of(message: Record) -> float:
    """When the network received an uplink."""
    received = message.get("received_at")
    return datetime.fromisoformat(received).timestamp() if isinstance(received, str) else 0.0


async def link_check(stage: Stage) -> Record:
    """LinkCheckReq with SF7, heard by two gateways, at 9.5 dB by the second one."""
    return await ask(stage, b"\x02", weaker_db=-3.0)


async def device_time(stage: Stage) -> Record:
    """DeviceTimeReq."""
    return await ask(stage, b"\x0d")


async def unknown_command(stage: Stage) -> Record:
    """A command that no version knows."""
    return await ask(stage, b"\x7f\x01")


async def reset_ind(stage: Stage) -> Record:
    """ResetInd of a device of 1.1."""
    return await ask(stage, b"\x01\x01", version="1.1")


async def adr_ack_req(stage: Stage) -> Record:
    """A device with ADR asks whether it is still heard."""
    return await ask(stage, b"", adr=True, adr_ack_req=True)


async def adr(stage: Stage, is_set: bool) -> Record:
    """Uplinks with SF10 at 10 dB, with and without the bit."""
    gateway = await stage.gateway()
    node = await stage.abp("1.0.3", adr={"dynamic": {"margin": 15}})
    found = []
    for f_cnt in (1, 2):
        sent = await stage.uplink(
            node, b"\x01", gateway, f_cnt=f_cnt, data_rate=2, snr_db=10.0, adr=is_set,
            is_confirmed=True,
        )  # fmt: skip
        answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
        found += commands_of(answer.frame) if answer else []
        await asyncio.sleep(1.0)
    return {"commands": found}


async def device_status(stage: Stage) -> Record:
    """A device that is asked for its status with every uplink answers."""
    gateway = await stage.gateway()
    node = await stage.abp("1.0.3", status_count_periodicity=1)
    found = []
    f_opts = b""
    for f_cnt in range(1, 4):
        sent = await stage.uplink(
            node, b"\x01", gateway, f_cnt=f_cnt, f_opts=f_opts, is_confirmed=True
        )
        answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
        asked = commands_of(answer.frame) if answer else []
        found += asked
        # Battery 127 of 254, and 5 dB of margin.
        f_opts = b"\x06\x7f\x05" if ["DevStatusReq"] in asked else b""
        await asyncio.sleep(1.0)
    mask = "battery_percentage,downlink_margin"
    path = f"/ns/applications/{{a}}/devices/{node.device_id}?field_mask={mask}"
    return {"commands": found, "device": await stage.needed("GET", path)}


async def settle(stage: Stage, **settings: Any) -> Record:
    """A device whose settings are not the wanted ones answers every request that it gets."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3", **settings)
    found: list[list[Any]] = []
    delays, places, f_opts = [], [], b""
    for f_cnt in range(1, 4):
        sent = await stage.uplink(
            node, b"\x01", gateway, f_cnt=f_cnt, f_opts=f_opts, is_confirmed=True
        )
        answer = await stage.answer(sent, within_s=4.3, read=node.read)
        asked = commands_of(answer.frame) if answer else []
        delays.append(answer.delay_us if answer else None)
        places.append(answer.where["frequency_hz"] if answer else None)
        found += asked
        f_opts = b"".join(ACCEPTED[each[0]] for each in asked if each[0] in ACCEPTED)
        await asyncio.sleep(max(delays[-1] or 0, 1_000_000) / 1_000_000)
    return {"commands": found, "delays": delays, "places": places}


async def offset(stage: Stage, f_opts: bytes) -> Record:
    """A device that is to have RX1 two data rates slower agrees to it, or does not."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3", desired_rx1_data_rate_offset=2)
    rates, asked = [], False
    for f_cnt in range(1, 4):
        sent = await stage.uplink(
            node, b"\x01", gateway, f_cnt=f_cnt, f_opts=f_opts if asked else b"", is_confirmed=True
        )
        answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
        rates.append(answer.where["data_rate"] if answer else None)
        names = [each[0] for each in commands_of(answer.frame)] if answer else []
        asked = "RXParamSetupReq" in names
        await asyncio.sleep(1.0)
    return {"rates": rates}


async def sticky(stage: Stage) -> Record:
    """A device says again and again what it has answered, as it must until a downlink comes."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3", desired_rx1_delay=3)
    first = await stage.uplink(node, b"\x01", gateway, f_cnt=1, is_confirmed=True)
    answer = await stage.answer(first, within_s=AFTER_RX2_S, read=node.read)
    await asyncio.sleep(1.2)
    for f_cnt in (2, 3, 4):
        await stage.uplink(node, bytes((f_cnt,)), gateway, f_cnt=f_cnt, f_opts=b"\x08")
        await asyncio.sleep(0.4)
    last = await stage.uplink(node, b"\x05", gateway, f_cnt=5, f_opts=b"\x08", is_confirmed=True)
    end = await stage.answer(last, within_s=4.3, read=node.read, only_us=[3_000_000])
    return {
        "is_asked": answer is not None and ["RXTimingSetupReq", 3] in commands_of(answer.frame),
        "is_answered": end is not None and end.frame.ack,
        "uplinks": await stage.uplinks(node, count=5),
    }


REFUSALS = [b"\x05\x00", b"\x05\x06", b"\x05\x05", b"\x05\x03"]
"""RXParamSetupAns that agree to nothing, and to all but one of three settings."""
ACCEPTED = {
    "RXTimingSetupReq": b"\x08", "RXParamSetupReq": b"\x05\x07", "NewChannelReq": b"\x07\x03",
    "LinkADRReq": b"\x03\x07", "DlChannelReq": b"\x0a\x03", "DutyCycleReq": b"\x04",
}  # fmt: skip


def named(record: Record, name: str) -> list[list[Any]]:
    """The values of the commands of that name, in order."""
    return [each[1:] for each in record["commands"] if each[0] == name]


@pytest.mark.requirement("LW-MAC-001")
@plays(link_check)
def test_link_check_tells_the_margin(record: Record, requirement: Judge) -> None:
    # 9.5 dB are 17 dB above the -7.5 dB that SF7 needs.
    requirement.check([each[0] for each in named(record, "LinkCheckAns")], expected=[17])


@pytest.mark.requirement("LW-MAC-002")
@plays(link_check)
def test_link_check_counts_gateways(record: Record, requirement: Judge) -> None:
    requirement.check([each[1] for each in named(record, "LinkCheckAns")], expected=[2])


@pytest.mark.requirement("LW-MAC-003")
@plays(device_time)
def test_device_time_is_gps_time(record: Record, requirement: Judge) -> None:
    found = [each[0] for each in named(record, "DeviceTimeAns")]
    requirement.check_that(
        len(found) == 1 and abs(found[0] - record["at_gps_s"]) <= 2,
        expected=f"one DeviceTimeAns with {record['at_gps_s']:.0f} s, 2 s more or less",
        actual=found,
    )


@pytest.mark.requirement("LW-MAC-004")
@plays(device_status)
def test_status_is_asked_for(record: Record, requirement: Judge) -> None:
    requirement.check(len(named(record, "DevStatusReq")) > 1, expected=True)


@pytest.mark.requirement("LW-MAC-005")
@plays(device_status)
def test_status_is_shown(record: Record, requirement: Judge) -> None:
    battery = record["device"].get("battery_percentage", -1)
    found = [round(battery, 2), record["device"].get("downlink_margin")]
    requirement.check(found, expected=[0.5, 5])


@pytest.mark.requirement("LW-MAC-006")
@plays(adr, is_set=True)
def test_data_rate_is_raised(record: Record, requirement: Judge) -> None:
    found = [each[0] for each in named(record, "LinkADRReq")]
    requirement.check_that(
        bool(found) and max(found) > 2, expected="LinkADRReq with DR3 or more", actual=found
    )


@pytest.mark.requirement("LW-MAC-007")
@plays(adr, is_set=False)
def test_data_rate_is_the_devices_own(record: Record, requirement: Judge) -> None:
    requirement.check(
        [each[0] for each in named(record, "LinkADRReq") if each[0] != 2], expected=[]
    )


@pytest.mark.requirement("LW-MAC-008")
@plays(adr_ack_req)
def test_adr_request_is_answered(record: Record, requirement: Judge) -> None:
    requirement.check(record["answer"] is not None, expected=True)


@pytest.mark.requirement("LW-MAC-009")
@plays(settle, desired_rx1_delay=3)
def test_delay_is_set_up(record: Record, requirement: Judge) -> None:
    requirement.check(named(record, "RXTimingSetupReq")[:1], expected=[[3]])


@pytest.mark.requirement("LW-MAC-010")
@plays(settle, desired_rx1_delay=3)
def test_delay_holds_once_it_is_answered(record: Record, requirement: Judge) -> None:
    # In RX2, a second later, what could not be sent in RX1.
    late_us = {CHANNELS_HZ[0]: 0, 869_525_000: 1_000_000}
    rx1 = [
        None if delay_us is None else delay_us - late_us.get(place, 0)
        for delay_us, place in zip(record["delays"], record["places"], strict=True)
    ]
    requirement.check(rx1, expected=[1_000_000, 3_000_000, 3_000_000])


@pytest.mark.requirement("LW-MAC-011")
@plays(settle, desired_rx2_data_rate_index=4)
def test_second_window_is_set_up(record: Record, requirement: Judge) -> None:
    requirement.check(named(record, "RXParamSetupReq")[:1], expected=[[0, 4, 869_525_000]])


@pytest.mark.requirement("LW-MAC-012")
@plays(settle, factory_preset_frequencies=None)
def test_channels_are_set_up(record: Record, requirement: Judge) -> None:
    found = {each[1] for each in named(record, "NewChannelReq")}
    requirement.check(sorted(found), expected=ADDED_HZ)


@pytest.mark.requirement("LW-MAC-013")
@plays(reset_ind)
def test_reset_is_confirmed(record: Record, requirement: Judge) -> None:
    requirement.check(named(record, "ResetConf"), expected=[[1]])


@pytest.mark.requirement("LW-MAC-014")
@plays(unknown_command)
def test_unknown_command_spares_the_payload(record: Record, requirement: Judge) -> None:
    requirement.check([payload_of(each).hex() for each in record["uplinks"]], expected=["01"])


@pytest.mark.requirement("LW-MAC-015")
@plays(settle, rx1_delay=2, desired_rx1_delay=3)
def test_delay_of_the_factory_holds_at_first(record: Record, requirement: Judge) -> None:
    requirement.check(record["delays"], expected=[2_000_000, 3_000_000, 3_000_000])


@pytest.mark.requirement("LW-MAC-016")
@plays(offset, f_opts=b"\x05\x07")
def test_offset_holds_once_it_is_agreed(record: Record, requirement: Judge) -> None:
    requirement.check(record["rates"], expected=["SF7BW125", "SF9BW125", "SF9BW125"])


@pytest.mark.requirement("LW-MAC-017")
@plays(offset)
@pytest.mark.parametrize("f_opts", REFUSALS, ids=["all", "channel", "data-rate", "offset"])
def test_refused_offset_does_not_hold(f_opts: bytes, record: Record, requirement: Judge) -> None:
    requirement.check(record["rates"], expected=["SF7BW125", "SF7BW125", "SF7BW125"])


@pytest.mark.requirement("LW-MAC-018")
@plays(sticky)
def test_repeated_answers_are_no_news(record: Record, requirement: Judge) -> None:
    found = [payload_of(each).hex() for each in record["uplinks"]]
    requirement.check(
        [record["is_asked"], found, record["is_answered"]],
        expected=[True, ["01", "02", "03", "04", "05"], True],
    )


@pytest.mark.requirement("LW-MAC-025")
@plays(settle, desired_max_duty_cycle="DUTY_CYCLE_4")
def test_duty_cycle_is_set_up_once(record: Record, requirement: Judge) -> None:
    requirement.check(named(record, "DutyCycleReq"), expected=[[2]])


@pytest.mark.requirement("LW-MAC-026")
@plays(settle, desired_rx1_delay=3)
def test_channels_of_the_factory_are_not_set_up(record: Record, requirement: Judge) -> None:
    requirement.check(named(record, "NewChannelReq"), expected=[])
