"""Basics Stations: how one of ours is let in, what it is told, and what passes through it."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.things_stack.equipment.class_b import is_ping_slot, slot_of
from conformance.things_stack.equipment.station import (
    FOUND,
    Station,
    channels_of,
    id6,
    place_of,
    single_channels_of,
    windows_of,
)
from conformance.things_stack.lab import Stage, payload_of
from conformance.things_stack.registering import eui
from conformance.things_stack.scripts import plays
from conformance.things_stack.test_radio_classes import (
    AT_ONCE_S,
    EVERY_SECOND,
    PING_SLOT_INFO_REQ,
    in_slots_s,
    with_port,
)
from conformance.things_stack.test_radio_downlinks import AFTER_RX2_S, item

Record = dict[str, Any]
KNOWN_REGIONS = ["EU863", "EU868"]
"""Names of this region with which a station of 2.0.6 sends downlinks."""
CHANNELS_HZ = [
    867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000, 868_100_000, 868_300_000,
    868_500_000,
]  # fmt: skip
AHEAD_S = 5.0
"""How far ahead a downlink is asked for; networks take none less than 2.5 s ahead."""
GPS_AHEAD_S = 18 - 315_964_800
"""From Unix time to GPS time: leap seconds since 2017, and where it begins."""


async def discovery(stage: Stage) -> Record:
    """
    A station asks where to go: for itself, for one that nobody knows, and without a key.

    Where the last two are told an address, they go there.
    """
    station, key = await stage.station()
    address = str(stage.lab.place.lns)
    known = await station.discover(address, key)
    if "problem" in known:
        raise Inconclusive(f"{address} cannot be reached: {known['problem']}")
    record = {
        "router": id6(station.eui), "known": known,
        "unknown": await followed(station, address, key, eui()),
        "keyless": await followed(station, address, None),
    }  # fmt: skip
    stage.be_unlimited()
    return record


async def followed(
    station: Station, address: str, key: str | None, asked: str | None = None
) -> Record:
    """What a station is told, and how its data connection fares where it is told to open one."""
    told = await station.discover(address, key, asked)
    uri = str(told.get("uri"))
    opened = await station.open(uri, key) if uri.startswith("ws") else None
    await station.close()
    return {"told": told, "opened": opened}


async def doors(stage: Stage) -> Record:
    """A data connection is asked for with keys that may not, for a stranger, and as it should."""
    station, key = await stage.station()
    weak = await stage.key(station.gateway_id, "RIGHT_GATEWAY_INFO")
    uri = str((await station.discover(str(stage.lab.place.lns), key)).get("uri"))
    if not uri.startswith("ws"):
        raise Inconclusive("the station is not told where to go")
    stranger = re.sub(station.eui, eui().upper(), uri, flags=re.IGNORECASE)
    # Each of its own: a network may remember for minutes whom it has refused.
    other, _ = await stage.station()
    others = re.sub(station.eui, other.eui.upper(), uri, flags=re.IGNORECASE)
    record = {
        "keyless": await other.open(others, None),
        "foreign": await other.open(others, key),
        "stranger": await station.open(stranger, key),
        "weak": await station.open(uri, weak),
        "right": await (await stage.linked())[0].configuration(),
    }  # fmt: skip
    stage.be_unlimited()
    return record


async def configured(stage: Stage, features: str) -> Record:
    """A station tells its version."""
    _, configuration = await stage.linked(features)
    return {"configuration": configuration}


async def joined(stage: Stage) -> Record:
    """A device joins through a station, speaks, and is answered."""
    station, _ = await stage.linked()
    node = await stage.otaa("1.0.3", desired_rx1_delay=1)
    xtime = await station.hear(node.join_request(1))
    accept = await station.wait(
        lambda each: node.open_accept(bytes.fromhex(each.get("pdu", "")), 1), within_s=6.2
    )
    record: Record = {"accept": accept, "windows": windows_of(accept or {}, xtime), "uplinks": []}
    record["diids"] = []
    if accept is None:
        return record
    node.follow(node.open_accept(bytes.fromhex(accept["pdu"]), 1), 1)  # type: ignore[arg-type]
    await stage.wait_events(node, "as.up.join.forward")
    await station.hear(node.uplink(b"\x01\x02", is_confirmed=True), rssi_dbm=-61, snr_db=7.5)
    uplinks = await stage.uplinks(node, count=1)
    await station.wait(lambda each: node.read(bytes.fromhex(each.get("pdu", ""))), within_s=2.3)
    diids = [each.get("diid") for each in station.messages if each.get("msgtype") == "dnmsg"]
    return record | {"gateway": station.gateway_id, "uplinks": uplinks, "diids": diids}


async def answered(stage: Stage, is_told: bool) -> Record:
    """A downlink goes through a station that does, or does not, tell that it has sent it."""
    station, _ = await stage.linked()
    station.lacks_ack = not is_told
    node = await stage.abp("1.0.3")
    await stage.push(node, item(b"\xbe\xef"))
    xtime = await station.hear(node.uplink(b"\x01", f_cnt=1))
    found = await station.wait(lambda each: node.read(bytes.fromhex(each.get("pdu", ""))))
    frame = node.read(bytes.fromhex(found["pdu"])) if found else None
    if is_told:
        told = await stage.wait_events(node, "as.down.data.sent.forward")
    else:  # what is told of a later uplink comes after whatever is told of the downlink
        await station.hear(node.uplink(b"\x02", f_cnt=2))
        await stage.uplinks(node, count=2)
        told = stage.events(node, "as.down.data.sent.forward")
    return {"message": found, "windows": windows_of(found or {}, xtime), "frame": frame,
            "told": told}  # fmt: skip


async def unasked(stage: Stage) -> Record:
    """A device of class C has spoken through a station; a while later a downlink is queued."""
    station, _ = await stage.linked()
    node = await stage.abp("1.0.3", supports_class_c=True)
    await station.hear(node.uplink(b"\x01", f_cnt=1))
    await asyncio.sleep(AFTER_RX2_S)
    await stage.push(node, item(b"\xca\xfe"))
    found = await station.wait(lambda each: node.read(bytes.fromhex(each.get("pdu", ""))))
    frame = node.read(bytes.fromhex(found["pdu"])) if found else None
    return {"place": place_of(found or {}), "frame": frame}


async def at_a_time(stage: Stage) -> Record:
    """A device of class C behind a station with GPS is to be spoken to at a time of its own."""
    station, _ = await stage.linked()
    node = await stage.abp("1.0.3", supports_class_c=True)
    await station.hear(node.uplink(b"\x01", f_cnt=1), gpstime=gps_us(time.time()))
    await asyncio.sleep(AFTER_RX2_S)
    at = datetime.fromtimestamp(time.time() + AHEAD_S, UTC).replace(microsecond=250_000)
    when = {"class_b_c": {"absolute_time": at.isoformat().replace("+00:00", "Z")}}
    pushed = await stage.push(node, item(b"\xab\x5e", **when))
    if pushed.status != 200:
        raise Inconclusive(f"the item was not taken, perhaps by its clock: {pushed.summary()}")
    found = await station.wait(
        lambda each: "gpstime" in each and node.read(bytes.fromhex(each.get("pdu", ""))),
        within_s=AHEAD_S + 1.0,
    )
    return {"message": found or {}, "wanted_us": gps_us(at.timestamp())}


async def ping_slots(stage: Stage) -> Record:
    """A device goes to class B behind a station with GPS, and then something is queued for it."""
    station, _ = await stage.linked()
    node = await stage.abp("1.0.3", supports_class_b=True, ping_slot_periodicity="PING_EVERY_1S")
    first = node.uplink(b"\x01", f_cnt=1, f_opts=PING_SLOT_INFO_REQ)
    await station.hear(first, gpstime=gps_us(time.time()))
    await asyncio.sleep(AFTER_RX2_S)
    second = node.uplink(b"\x02", f_cnt=2, class_b=True)
    await station.hear(second, gpstime=gps_us(time.time()))
    await asyncio.sleep(AFTER_RX2_S)
    patience_s = in_slots_s(AT_ONCE_S + 2.0)
    await stage.push(node, item(b"\xb0\x0b"))
    found = await station.wait(
        lambda each: "gpstime" in each and with_port(node.read(bytes.fromhex(each.get("pdu", "")))),
        within_s=patience_s,
    )
    return {"message": found or {}, "dev_addr": node.session.dev_addr if node.session else ""}


def gps_us(seconds: float) -> int:
    """Unix time as µs of GPS time."""
    return round((seconds + GPS_AHEAD_S) * 1_000_000)


async def untimed(stage: Stage) -> Record:
    """Uplinks without and with the time at which the radio heard them, the second one bare."""
    station, _ = await stage.linked()
    node = await stage.abp("1.0.3")
    await station.hear(node.uplink(b"\x01", f_cnt=1), has_xtime=False)
    await asyncio.sleep(0.4)
    await station.hear(node.uplink(b"", f_cnt=2))
    return {"uplinks": await stage.uplinks(node, count=1)}


async def heard_twice(stage: Stage) -> Record:
    """A packet forwarder and a station hear the same frame."""
    (station, _), gateway = await stage.linked(), await stage.gateway()
    node = await stage.abp("1.0.3")
    sent = await stage.uplink(node, b"\x01", gateway, f_cnt=1)
    await station.hear(sent.phy)
    await stage.uplinks(node, count=1)
    await asyncio.sleep(0.4)
    await stage.uplink(node, b"\x02", gateway, f_cnt=2)
    return {
        "gateways": [gateway.gateway_id, station.gateway_id],
        "uplinks": await stage.uplinks(node, count=2),
    }


async def clock(stage: Stage) -> Record:
    """A station asks for the time."""
    station, _ = await stage.linked()
    at_s = time.time()
    await station.say({"msgtype": "timesync", "txtime": 4_711_000})
    answer = await station.wait(
        lambda each: each.get("msgtype") == "timesync" and each.get("txtime") == 4_711_000
    )
    return {"answer": answer, "at_gps_s": at_s + GPS_AHEAD_S}


def is_kept_out(found: Record) -> bool:
    """Refused at once, or where it was sent."""
    return is_refusal(found["told"]) or is_refusal(found["opened"])


def is_refusal(answer: Any) -> bool:
    """A refused WebSocket, or an answer that names an error and no place to go to."""
    if isinstance(answer, dict):
        status = answer.get("status")
        return is_refusal(status) if status else "uri" not in answer and "error" in answer
    return isinstance(answer, int) and 400 <= answer < 500


@pytest.mark.requirement("LW-BS-001")
@plays(discovery)
def test_discovery_tells_where_to_go(record: Record, requirement: Judge) -> None:
    answer = record["known"]
    uri = str(answer.get("uri"))
    found = [answer.get("router"), uri.partition("://")[0] in ("ws", "wss"), answer.get("error")]
    requirement.check(found, expected=[record["router"], True, None])


@pytest.mark.requirement("LW-BS-002")
@plays(discovery)
def test_stranger_gets_nowhere(record: Record, requirement: Judge) -> None:
    requirement.check_that(
        is_kept_out(record["unknown"]),
        expected="an error and no uri, or a uri at which it is refused",
        actual=record["unknown"],
    )


@pytest.mark.requirement("LW-BS-003")
@plays(discovery)
def test_discovery_needs_a_key(record: Record, requirement: Judge) -> None:
    requirement.check_that(
        is_kept_out(record["keyless"]),
        expected="status 401, an error and no uri, or a uri at which it is refused",
        actual=record["keyless"],
    )


@pytest.mark.requirement("LW-BS-004")
@plays(doors)
def test_connection_needs_a_key(record: Record, requirement: Judge) -> None:
    requirement.check_in(record["keyless"], accepted=[401, 403])


@pytest.mark.requirement("LW-BS-005")
@plays(doors)
def test_key_needs_the_right_to_link(record: Record, requirement: Judge) -> None:
    requirement.check_in(record["weak"], accepted=[401, 403])


@pytest.mark.requirement("LW-BS-006")
@plays(doors)
def test_key_of_another_gateway_is_refused(record: Record, requirement: Judge) -> None:
    requirement.check_in(record["foreign"], accepted=[401, 403])


@pytest.mark.requirement("LW-BS-007")
@plays(doors)
def test_unknown_station_is_refused(record: Record, requirement: Judge) -> None:
    found = record["stranger"]
    requirement.check_that(
        found != FOUND and is_refusal(found), expected="a status from 400 to 499", actual=found
    )


@pytest.mark.requirement("LW-BS-008")
@plays(doors)
def test_key_with_the_right_is_let_in(record: Record, requirement: Judge) -> None:
    requirement.check(record["right"].get("msgtype"), expected="router_config")


@pytest.mark.requirement("LW-BS-009")
@plays(configured, features="rmtsh")
def test_region_is_one_that_stations_know(record: Record, requirement: Judge) -> None:
    requirement.check_in(record["configuration"].get("region"), accepted=KNOWN_REGIONS)


@pytest.mark.requirement("LW-BS-010")
@plays(configured, features="rmtsh")
def test_data_rates_are_those_of_the_region(record: Record, requirement: Judge) -> None:
    rates = record["configuration"].get("DRs", [])
    expected = [[factor, 125, 0] for factor in (12, 11, 10, 9, 8, 7)]
    requirement.check([rates[:6], len(rates)], expected=[expected, 16])


@pytest.mark.requirement("LW-BS-011")
@plays(configured, features="rmtsh")
def test_channels_are_those_of_the_plan(record: Record, requirement: Judge) -> None:
    requirement.check(channels_of(record["configuration"]), expected=CHANNELS_HZ)


@pytest.mark.requirement("LW-BS-033")
@plays(configured, features="rmtsh")
def test_channels_of_one_data_rate_are_those_of_the_plan(
    record: Record, requirement: Judge
) -> None:
    found = single_channels_of(record["configuration"])
    requirement.check(found, expected=[868_300_000, 868_800_000])


@pytest.mark.requirement("LW-BS-034")
@plays(joined)
def test_downlinks_are_told_apart(record: Record, requirement: Judge) -> None:
    diids = record["diids"]
    if len(diids) < 2:
        raise Inconclusive(f"two downlinks were to come, {len(diids)} did")
    requirement.check(len(set(diids)), expected=len(diids))


@pytest.mark.requirement("LW-BS-012")
@plays(configured, features="rmtsh")
def test_range_holds_every_frequency(record: Record, requirement: Judge) -> None:
    found = record["configuration"].get("freq_range", [])
    is_wide = len(found) == 2 and found[0] <= CHANNELS_HZ[0] and found[1] >= 869_525_000
    requirement.check_that(
        is_wide, expected="from 867.1 MHz or less to 869.525 MHz or more", actual=found
    )


@pytest.mark.requirement("LW-BS-013")
@plays(configured, features="rmtsh")
def test_every_board_is_described(record: Record, requirement: Judge) -> None:
    configuration = record["configuration"]
    boards = len(configuration.get("sx1301_conf", ()))
    requirement.check(
        [boards > 0, configuration.get("hwspec")], expected=[True, f"sx1301/{boards}"]
    )


@pytest.mark.requirement("LW-BS-014")
@plays(configured, features="rmtsh")
def test_no_filter_keeps_devices_out(record: Record, requirement: Judge) -> None:
    configuration = record["configuration"]
    found = [configuration.get(name) for name in ("NetID", "JoinEui", "msgtype")]
    requirement.check(found, expected=[None, None, "router_config"])


@pytest.mark.requirement("LW-BS-015")
@plays(configured, features="rmtsh prod")
def test_production_build_keeps_its_limits(record: Record, requirement: Judge) -> None:
    configuration = record["configuration"]
    found = [bool(configuration.get(name)) for name in ("nocca", "nodc", "nodwell")]
    requirement.check(
        [configuration.get("msgtype"), *found], expected=["router_config", False, False, False]
    )


@pytest.mark.requirement("LW-BS-016")
@plays(joined)
def test_join_is_answered_in_a_join_window(record: Record, requirement: Judge) -> None:
    rx1, rx2 = [5_000_000, 868_100_000, 5], [6_000_000, 869_525_000, 0]
    requirement.check_in(record["windows"], accepted=[[rx1], [rx2], [rx1, rx2]])


@pytest.mark.requirement("LW-BS-017")
@plays(joined)
def test_uplink_reaches_the_application(record: Record, requirement: Judge) -> None:
    found = [[each.get("f_port"), payload_of(each).hex()] for each in record["uplinks"]]
    requirement.check(found, expected=[[1, "0102"]])


@pytest.mark.requirement("LW-BS-018")
@plays(joined)
def test_reception_is_told(record: Record, requirement: Judge) -> None:
    message = record["uplinks"][0] if record["uplinks"] else {}
    settings = message.get("settings", {})
    lora = settings.get("data_rate", {}).get("lora", {})
    found = [
        [each.get("gateway_ids", {}).get("gateway_id"), each.get("rssi"), each.get("snr")]
        for each in message.get("rx_metadata", ())
    ]
    found += [[settings.get("frequency"), lora.get("spreading_factor"), lora.get("bandwidth")]]
    requirement.check(found, expected=[[record.get("gateway"), -61, 7.5], ["868100000", 7, 125000]])


@pytest.mark.requirement("LW-BS-019")
@plays(answered, is_told=True)
def test_downlink_answers_the_uplink(record: Record, requirement: Judge) -> None:
    rx1, rx2 = [1_000_000, 868_100_000, 5], [2_000_000, 869_525_000, 0]
    requirement.check_in(record["windows"], accepted=[[rx1], [rx2], [rx1, rx2]])


@pytest.mark.requirement("LW-BS-020")
@plays(answered, is_told=True)
def test_downlink_holds_what_a_station_needs(record: Record, requirement: Judge) -> None:
    message = record["message"] or {}
    missing = [name for name in ("DevEui", "dC", "diid", "pdu", "xtime") if name not in message]
    requirement.check([missing, message.get("dC")], expected=[[], 0])


@pytest.mark.requirement("LW-BS-021")
@plays(answered, is_told=True)
def test_downlink_is_what_was_queued(record: Record, requirement: Judge) -> None:
    frame = record["frame"]
    found = [frame.f_port, frame.frm_payload.hex()] if frame else None
    requirement.check(found, expected=[42, "beef"])


@pytest.mark.requirement("LW-BS-022")
@plays(answered, is_told=True)
def test_sent_downlink_is_told(record: Record, requirement: Judge) -> None:
    requirement.check(len(record["told"]), expected=1)


@pytest.mark.requirement("LW-BS-023")
@plays(answered, is_told=False)
def test_downlink_is_not_sent_before_the_station_says_so(
    record: Record, requirement: Judge
) -> None:
    requirement.check([record["message"] is not None, len(record["told"])], expected=[True, 0])


@pytest.mark.requirement("LW-BS-024")
@plays(untimed)
def test_frame_without_a_time_is_dropped(record: Record, requirement: Judge) -> None:
    found = [[each.get("f_cnt"), each.get("f_port")] for each in record["uplinks"]]
    requirement.check(found, expected=[[2, None]])


@pytest.mark.requirement("LW-BS-025")
@plays(heard_twice)
def test_frame_of_both_kinds_of_gateway_reaches_once(record: Record, requirement: Judge) -> None:
    found = [
        sorted(
            each.get("gateway_ids", {}).get("gateway_id", "")
            for each in message.get("rx_metadata", ())
        )
        for message in record["uplinks"]
    ]
    gateways = record["gateways"]
    requirement.check(found, expected=[sorted(gateways), gateways[:1]])


@pytest.mark.requirement("LW-BS-026")
@plays(clock)
def test_time_is_gps_time(record: Record, requirement: Judge) -> None:
    answer = record["answer"] or {}
    found = answer.get("gpstime", 0) / 1_000_000
    requirement.check_that(
        abs(found - record["at_gps_s"]) <= 5,
        expected=f"gpstime of {record['at_gps_s']:.0f} s, 5 s more or less",
        actual=answer,
    )


@pytest.mark.requirement("LW-BS-027")
@plays(unasked)
def test_class_c_needs_no_uplink(record: Record, requirement: Judge) -> None:
    frame = record["frame"]
    payload = frame.frm_payload.hex() if frame else None
    requirement.check([record["place"], payload], expected=[[869_525_000, 0], "cafe"])


@pytest.mark.requirement("LW-BS-028")
@plays(at_a_time)
def test_time_of_a_downlink_is_told(record: Record, requirement: Judge) -> None:
    message, wanted_us = record["message"], record["wanted_us"]
    found = [message.get(name) for name in ("dC", "Freq", "DR")]
    requirement.check(found, expected=[1, 869_525_000, 0])
    late_us = message.get("gpstime", 0) - wanted_us
    requirement.check_that(
        abs(late_us) <= 2_000, expected=f"gpstime {wanted_us}", actual=message.get("gpstime")
    )


@pytest.mark.requirement("LW-BS-029")
@plays(ping_slots)
def test_slot_of_a_downlink_is_told(record: Record, requirement: Judge) -> None:
    message = record["message"]
    found = [message.get(name) for name in ("dC", "Freq", "DR")]
    requirement.check(found, expected=[1, 869_525_000, 3])
    at_us = message["gpstime"]
    requirement.check_that(
        is_ping_slot(at_us, record["dev_addr"], EVERY_SECOND),
        expected="a gpstime at which one of the device's slots begins",
        actual={"gpstime": at_us, "slot and µs in it": slot_of(at_us)},
    )
