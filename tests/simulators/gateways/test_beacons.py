"""Beacons: at multiples of 128 seconds of GPS time, laid out as devices expect them."""

from __future__ import annotations

import pytest

from simulators.gateways.beacons import beacons_of
from simulators.lorawan.class_b import decode_beacon
from simulators.lorawan.modulation import Lora
from simulators.lorawan.regions import region
from simulators.wire.semtech_packets import TxPk
from simulators.wire.semtech_udp import TxAck
from tests.simulators.gateways.conftest import EU868, EUI, Build
from tests.simulators.gateways.stage import SF7

# The scenario starts at GPS second 1 388 102 418; the next multiple of 128 is 110 s later.
FIRST_US = 110_000_000
FIRST_GPS_S = 1_388_102_528


def test_one_every_128_seconds(forwarder: Build) -> None:
    made = forwarder(has_gps=True, beacons=beacons_of(EU868, latitude=45.0, longitude=-90.0))
    made.play(110 + 5 * 128 + 1)

    assert [each.start_us for each in made.air.sent] == [
        FIRST_US + number * 128_000_000 for number in range(6)
    ]
    first = made.air.sent[0]
    assert first.end_us - first.start_us == 152_576  # 17 bytes, implicit header, 10 symbols ahead
    assert (first.frequency_hz, first.modulation) == (869_525_000, Lora(9, 125_000))
    assert (first.power_dbm, first.preamble, first.is_downlink) == (29.15, 10, True)
    # RFU 2, time, CRC, InfoDesc, latitude, longitude, CRC.
    assert first.payload == bytes.fromhex("0000 80c3bc52 4883 00 000040 0000c0 d0b7")
    told = made.notebook.messages("radio")[0]
    assert (told["implicit_header"], told["tmst"]) == (True, FIRST_US)


@pytest.mark.parametrize(
    ("name", "hertz", "modulation", "size"),
    [
        ("US915", [923_300_000 + number * 600_000 for number in range(8)], Lora(12, 500_000), 23),
        ("IN865", [866_550_000] * 8, Lora(8, 125_000), 19),
        ("AS923-1", [923_400_000] * 8, Lora(9, 125_000), 17),
    ],
)
def test_regions_have_their_own(name: str, hertz: list[int], modulation: Lora, size: int) -> None:
    beacons = beacons_of(region(name))
    begin_s = 128 * 8 * 1000
    frames = [beacons.frame(begin_s + number * 128) for number in range(8)]
    assert [frame.frequency_hz for frame in frames] == hertz
    assert {frame.modulation for frame in frames} == {modulation}
    assert {len(frame.payload) for frame in frames} == {size}
    for number, frame in enumerate(frames):
        assert decode_beacon(frame.payload, beacons.layout).gps_s == begin_s + number * 128


def test_without_gps_there_are_none(forwarder: Build) -> None:
    made = forwarder(beacons=beacons_of(EU868))
    made.play(300)
    assert made.air.sent == []


def test_a_downlink_keeps_out_of_the_beacons_time(forwarder: Build) -> None:
    made = forwarder(has_gps=True, beacons=beacons_of(EU868))
    made.play(108)
    packet = TxPk(868_100_000, SF7, b"\x60" * 12, tmst=FIRST_US + 2_000_000, power_dbm=14)
    made.pull_resp(packet)
    made.pull_resp(packet._replace(tmst=FIRST_US - 1_000_000), token=8)
    made.pull_resp(packet._replace(tmst=None, gps_ms=(FIRST_GPS_S - 1) * 1000), token=9)
    made.play(109)
    assert made.of(TxAck) == [
        TxAck(7, EUI, "COLLISION_BEACON"),
        TxAck(8, EUI),
        TxAck(9, EUI, "COLLISION_BEACON"),
    ]


def test_a_beacon_that_finds_its_time_taken_is_told(forwarder: Build) -> None:
    made = forwarder(has_gps=True, beacons=beacons_of(EU868))
    made.play(100)
    # The fourth beacon is not in the queue yet.
    fourth_us = FIRST_US + 3 * 128_000_000
    packet = TxPk(868_100_000, SF7, b"\x60" * 12, tmst=fourth_us - 1_000_000, power_dbm=14)
    made.pull_resp(packet)
    made.play(700)
    assert [ack.error for ack in made.of(TxAck)] == [None]
    unsent = [told for told in made.notebook.messages("radio") if "unsent" in told]
    assert [(told["unsent"], told["tmst"]) for told in unsent] == [("COLLISION_PACKET", fourth_us)]
