"""Beacons in both directions, checksums, and where ping slots lie."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lorawan.class_b import (
    BEACON_LAYOUTS,
    Beacon,
    beacon_channel,
    decode_beacon,
    decode_coordinates,
    encode_beacon,
    encode_coordinates,
    next_beacon_s,
    next_ping_slot_us,
    ping_channel,
    ping_count,
    ping_offset,
    ping_period,
    ping_slots_us,
)
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.gps_time import to_gps_us, to_unix_us

BEACON_S, DEV_ADDR = 1_234_567_936, "52d4c302"
# Both checksums are those of the specification's example.
EXAMPLE = "0000000002cca27e000120000081 03de55"


def test_the_example_of_the_specification() -> None:
    beacon = Beacon(0xCC020000, info=bytes.fromhex("012000008103"))
    assert encode_beacon(beacon, BEACON_LAYOUTS[9]) == bytes.fromhex(EXAMPLE)
    assert decode_beacon(bytes.fromhex(EXAMPLE), BEACON_LAYOUTS[9]) == beacon


@pytest.mark.parametrize(
    ("spreading_factor", "size", "time_at", "info_desc_at"),
    [(8, 19, 1, 7), (9, 17, 2, 8), (10, 19, 3, 9), (11, 21, 4, 10), (12, 23, 5, 11)],
)
def test_a_beacon_fills_the_symbols_of_its_spreading_factor(
    spreading_factor: int, size: int, time_at: int, info_desc_at: int
) -> None:
    layout = BEACON_LAYOUTS[spreading_factor]
    beacon = Beacon(0x01020304, param=3, info_desc=2, info=b"abcdef")
    data = encode_beacon(beacon, layout)
    assert len(data) == layout.size == size
    assert data[:time_at] == bytes(time_at - 1) + b"\3"
    assert data[time_at : time_at + 4] == b"\4\3\2\1"
    assert data[info_desc_at : info_desc_at + 7] == b"\2abcdef"
    assert decode_beacon(data, layout) == beacon


def test_the_time_holds_without_the_second_checksum() -> None:
    data = bytearray.fromhex(EXAMPLE)
    data[-1] ^= 1
    assert decode_beacon(bytes(data), BEACON_LAYOUTS[9]) == Beacon(0xCC020000, info=None)


@pytest.mark.parametrize(
    ("data", "offset", "reason"),
    [
        (EXAMPLE.replace("a2", "a3"), 6, "expected checksum a27e; got a37e"),
        (EXAMPLE[:-2], 16, "expected a beacon of 17 bytes; got 16"),
        (EXAMPLE + "00", 17, "expected a beacon of 17 bytes; got 18"),
    ],
)
def test_what_is_no_beacon_is_refused(data: str, offset: int, reason: str) -> None:
    with pytest.raises(LoRaWanError) as refused:
        decode_beacon(bytes.fromhex(data), BEACON_LAYOUTS[9])
    assert (refused.value.offset, refused.value.reason) == (offset, reason)


@given(st.binary(max_size=25), st.sampled_from(sorted(BEACON_LAYOUTS)))
def test_no_bytes_break_the_reader(data: bytes, spreading_factor: int) -> None:
    with suppress(LoRaWanError):
        decode_beacon(data, BEACON_LAYOUTS[spreading_factor])


@pytest.mark.parametrize(
    ("latitude", "longitude", "info"),
    [
        (0, 0, "000000000000"),
        (45, -90, "0000400000c0"),
        (-90, 180, "000080ffff7f"),
        (90, -180, "ffff7f000080"),
    ],
)
def test_coordinates_stand_in_the_information(latitude: float, longitude: float, info: str) -> None:
    assert encode_coordinates(latitude, longitude) == bytes.fromhex(info)
    assert decode_coordinates(bytes.fromhex(info)) == pytest.approx((latitude, longitude), abs=3e-5)


@pytest.mark.parametrize(
    ("periodicity", "period", "count", "offset"),
    [(7, 4096, 1, 1024), (2, 128, 32, 0), (0, 32, 128, 0)],
)
def test_ping_slots_of_the_published_vector(
    periodicity: int, period: int, count: int, offset: int
) -> None:
    assert (ping_period(periodicity), ping_count(periodicity)) == (period, count)
    assert ping_offset(BEACON_S, DEV_ADDR, periodicity) == offset


def test_ping_slots_begin_after_the_reserved_time() -> None:
    slots = ping_slots_us(BEACON_S, DEV_ADDR, 0)
    assert len(slots) == 128
    assert slots[0] == BEACON_S * 1_000_000 + 2_120_000
    assert slots[1] - slots[0] == 32 * 30_000
    (only,) = ping_slots_us(BEACON_S, DEV_ADDR, 7)
    assert only == BEACON_S * 1_000_000 + 2_120_000 + 1024 * 30_000


@pytest.mark.parametrize("periodicity", [-1, 8])
def test_other_periodicities_are_refused(periodicity: int) -> None:
    with pytest.raises(LoRaWanError, match="expected a periodicity between 0 and 7"):
        ping_period(periodicity)


@given(st.integers(0, 2 * 128_000_000), st.integers(0, 7))
def test_the_next_ping_slot_is_the_first_that_has_not_begun(
    after_us: int, periodicity: int
) -> None:
    gps_us = BEACON_S * 1_000_000 + after_us
    slots = [
        slot
        for beacon_s in range(BEACON_S, BEACON_S + 4 * 128, 128)
        for slot in ping_slots_us(beacon_s, DEV_ADDR, periodicity)
    ]
    expected = min(slot for slot in slots if slot >= gps_us)
    assert next_ping_slot_us(gps_us, DEV_ADDR, periodicity) == expected


def test_beacons_begin_at_multiples_of_their_period() -> None:
    assert next_beacon_s(BEACON_S - 1) == BEACON_S
    assert next_beacon_s(BEACON_S) == BEACON_S + 128


def test_hopping_channels() -> None:
    # 1234567936 / 128 = 9645062, which is 6 modulo 8; the address is 2 modulo 8
    assert beacon_channel(BEACON_S) == 6
    assert ping_channel(BEACON_S, DEV_ADDR) == 0
    assert ping_channel(BEACON_S + 128, DEV_ADDR) == 1


@pytest.mark.parametrize(
    ("unix_us", "gps_us"),
    [
        # 2018-01-01T00:00:00Z
        (1_514_764_800_000_000, 1_198_800_018_000_000),
        (1_704_067_200_000_001, 1_388_102_418_000_001),
    ],
)
def test_gps_time_is_ahead_of_utc_by_the_leap_seconds(unix_us: int, gps_us: int) -> None:
    assert to_gps_us(unix_us) == gps_us
    assert to_unix_us(gps_us) == unix_us
