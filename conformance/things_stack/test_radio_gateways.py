"""What a gateway is owed: its datagrams are read whole, its port and its limits are respected."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.things_stack.lab import Stage, payload_of
from conformance.things_stack.registering import CHANNELS_HZ
from conformance.things_stack.scripts import plays
from conformance.things_stack.test_radio_downlinks import AFTER_RX2_S

Record = dict[str, Any]
PLACE = {"latitude": 47.5, "longitude": 8.25, "altitude": 400, "source": "SOURCE_REGISTRY"}
SETTINGS: dict[str, Record] = {
    "deaf": {"downlink_path_constraint": "DOWNLINK_PATH_CONSTRAINT_NEVER"},
    "public": {"antennas": [{"gain": 0, "location": PLACE}], "location_public": True},
    "private": {"antennas": [{"gain": 0, "location": PLACE}], "location_public": False},
}


async def two_ports(stage: Stage) -> Record:
    """A gateway sends PUSH_DATA from one port and PULL_DATA from another, as forwarders do."""
    gateway, node = await stage.gateway(settings=SETTINGS["private"]), await stage.abp("1.0.3")
    await gateway.part(stage.lab.place.host, stage.lab.place.port)
    sent = await stage.uplink(node, b"\x01", gateway, f_cnt=1, is_confirmed=True)
    answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    return {"uplinks": await stage.uplinks(node, count=1), "is_answered": answer is not None}


async def two_frames(stage: Stage) -> Record:
    """A gateway has heard two devices, and tells of both and of itself in one datagram."""
    gateway = await stage.gateway()
    nodes = [await stage.abp("1.0.3"), await stage.abp("1.0.3")]
    frames = [node.uplink(bytes((number,)), f_cnt=1) for number, node in enumerate(nodes, 1)]
    gateway.hear_both(frames, CHANNELS_HZ[0], stage.rate(5))
    return {"uplinks": [await stage.uplinks(node, count=1) for node in nodes]}


async def only_listening(stage: Stage) -> Record:
    """The gateway that hears a device best must not send; another one hears it, too."""
    other, gateway = await stage.gateway(), await stage.gateway(settings=SETTINGS["deaf"])
    node = await stage.abp("1.0.3")
    phy = node.uplink(b"\x01", f_cnt=1, is_confirmed=True)
    for each, snr_db in ((gateway, 9.5), (other, 2.5)):
        stage.send(phy, each, snr_db=snr_db)
    await asyncio.sleep(AFTER_RX2_S)
    found = [one.gateway for each in (gateway, other) for one in each.downlinks]
    return {"found": found, "other": other.gateway_id}


async def somewhere(stage: Stage, name: str) -> Record:
    """A gateway whose place is known to everybody, or is not, hears a device."""
    gateway, node = await stage.gateway(settings=SETTINGS[name]), await stage.abp("1.0.3")
    await stage.uplink(node, b"\x01", gateway, f_cnt=1)
    return {"uplinks": await stage.uplinks(node, count=1)}


def places_of(record: Record) -> list[Any]:
    """Latitude and longitude of every reception; None where none is told."""
    found = [
        each.get("location") for one in record["uplinks"] for each in one.get("rx_metadata", ())
    ]
    return [each and [each.get("latitude"), each.get("longitude")] for each in found]


@pytest.mark.requirement("LW-GW-001")
@plays(two_ports)
def test_downlinks_go_where_the_gateway_asks_for_them(record: Record, requirement: Judge) -> None:
    found = [payload_of(each).hex() for each in record["uplinks"]]
    requirement.check([found, record["is_answered"]], expected=[["01"], True])


@pytest.mark.requirement("LW-GW-002")
@plays(two_frames)
def test_every_frame_of_a_datagram_counts(record: Record, requirement: Judge) -> None:
    found = [[payload_of(each).hex() for each in one] for one in record["uplinks"]]
    requirement.check(found, expected=[["01"], ["02"]])


@pytest.mark.requirement("LW-GW-003")
@plays(only_listening)
def test_gateway_that_only_listens_sends_nothing(record: Record, requirement: Judge) -> None:
    requirement.check(record["found"], expected=[record["other"]])


@pytest.mark.requirement("LW-GW-004")
@plays(somewhere, name="public")
def test_public_place_is_told(record: Record, requirement: Judge) -> None:
    requirement.check(places_of(record), expected=[[47.5, 8.25]])


@pytest.mark.requirement("LW-GW-005")
@plays(somewhere, name="private")
def test_private_place_is_not_told(record: Record, requirement: Judge) -> None:
    requirement.check(places_of(record), expected=[None])
