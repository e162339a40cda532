"""
Class B: beacons as bytes, and where the ping slots of a device lie.

GPS time throughout: seconds since 1980-01-06, or microseconds where the name says so.
Source: LoRaWAN 1.0.4, chapters 8 to 11 and 15; RP002 for the lengths.
"""

from __future__ import annotations

from binascii import crc_hqx
from struct import Struct
from typing import NamedTuple

from simulators.lorawan.aes import BLOCK, encryptor
from simulators.lorawan.errors import LoRaWanError, require
from simulators.lorawan.identifiers import to_air

BEACON_PERIOD_S = 128
BEACON_PERIOD_US = 128_000_000
BEACON_RESERVED_US = 2_120_000
BEACON_WINDOW_US = 122_880_000
BEACON_GUARD_US = 3_000_000
SLOT_US = 30_000
SLOTS = 4096  # BEACON_WINDOW_US / SLOT_US
BEACONLESS_US = 7_200_000_000  # how long a device goes on without hearing a beacon

_CRC = Struct("<H")
_GATEWAY = Struct("<B6s")
_COORDINATE_STEPS = 1 << 23
_random = encryptor(bytes(BLOCK))  # not for secrecy: only to spread the slots


class BeaconLayout(NamedTuple):
    """How many bytes stand before the time, and how many reserved ones at the end."""

    before_time: int
    reserved: int

    @property
    def size(self) -> int:
        return self.before_time + 4 + 2 + 7 + self.reserved + 2


# By spreading factor: the reserved bytes fill the last symbols.
BEACON_LAYOUTS = {
    8: BeaconLayout(1, 3),
    9: BeaconLayout(2, 0),
    10: BeaconLayout(3, 1),
    11: BeaconLayout(4, 2),
    12: BeaconLayout(5, 3),
}


class Beacon(NamedTuple):
    """
    What a gateway broadcasts every 128 seconds.

    ``info`` is None when the second checksum is wrong: the time still holds then. ``param`` is the
    last byte before the time; its lower two bits tell how precise the time is.
    """

    gps_s: int
    param: int = 0
    info_desc: int = 0
    info: bytes | None = bytes(6)


def encode_beacon(beacon: Beacon, layout: BeaconLayout) -> bytes:
    """The bytes of a beacon; raises LoRaWanError for a value that does not fit."""
    param = require(beacon.param, 0, 255, "a beacon parameter")
    time = (beacon.gps_s & 0xFFFF_FFFF).to_bytes(4, "little")
    info = beacon.info or bytes(6)
    if len(info) != 6:
        raise LoRaWanError(f"expected gateway information of 6 bytes; got {len(info)}")
    network = bytes(layout.before_time - 1) + bytes((param,)) + time
    gateway = _GATEWAY.pack(require(beacon.info_desc, 0, 255, "an InfoDesc"), info)
    return _with_crc(network) + _with_crc(gateway + bytes(layout.reserved))


def decode_beacon(data: bytes, layout: BeaconLayout) -> Beacon:
    """
    Read a beacon.

    Raises:
        LoRaWanError: another size, or a wrong first checksum.
    """
    if len(data) != layout.size:
        at = min(len(data), layout.size)
        raise LoRaWanError(f"expected a beacon of {layout.size} bytes; got {len(data)}", at)
    end = layout.before_time + 4
    found, expected = data[end : end + 2], _CRC.pack(crc_hqx(data[:end], 0))
    if found != expected:
        raise LoRaWanError(f"expected checksum {expected.hex()}; got {found.hex()}", end)
    gps_s = int.from_bytes(data[end - 4 : end], "little")
    gateway = data[end + 2 : -2]
    info_desc, info = _GATEWAY.unpack_from(gateway)
    is_good = _CRC.pack(crc_hqx(gateway, 0)) == data[-2:]
    return Beacon(gps_s, data[end - 5], info_desc, info if is_good else None)


def _with_crc(data: bytes) -> bytes:
    return data + _CRC.pack(crc_hqx(data, 0))


def encode_coordinates(latitude: float, longitude: float) -> bytes:
    """Where a gateway's antenna is, in degrees, as the six bytes of ``info``."""
    return _encode_angle(latitude, 90) + _encode_angle(longitude, 180)


def decode_coordinates(info: bytes) -> tuple[float, float]:
    """Latitude and longitude in degrees; ``info`` has six bytes."""
    return _decode_angle(info[:3], 90), _decode_angle(info[3:6], 180)


def _encode_angle(degrees: float, half: int) -> bytes:
    # The upper bound itself would be one step too far.
    steps = min(round(degrees * _COORDINATE_STEPS / half), _COORDINATE_STEPS - 1)
    return require(steps, -_COORDINATE_STEPS, _COORDINATE_STEPS, "an angle").to_bytes(
        3, "little", signed=True
    )


def _decode_angle(data: bytes, half: int) -> float:
    return int.from_bytes(data, "little", signed=True) * half / _COORDINATE_STEPS


def next_beacon_s(gps_s: int) -> int:
    """When the first beacon after ``gps_s`` begins."""
    return gps_s - gps_s % BEACON_PERIOD_S + BEACON_PERIOD_S


def beacon_channel(beacon_s: int, channels: int = 8) -> int:
    """Which of the channels a beacon is sent on where beacons hop."""
    return beacon_s // BEACON_PERIOD_S % channels


def ping_channel(beacon_s: int, dev_addr: str, channels: int = 8) -> int:
    """Which of the channels a device's ping slots use where they hop."""
    return (int(dev_addr, 16) + beacon_s // BEACON_PERIOD_S) % channels


def ping_count(periodicity: int) -> int:
    """Ping slots per beacon: 128 for periodicity 0, one for 7."""
    return 1 << 7 - require(periodicity, 0, 7, "a periodicity")


def ping_period(periodicity: int) -> int:
    """From one ping slot to the next, in slots of 30 ms."""
    return SLOTS // ping_count(periodicity)


def ping_offset(beacon_s: int, dev_addr: str, periodicity: int) -> int:
    """The first ping slot after the beacon at ``beacon_s``: 0 up to the period."""
    time = (beacon_s & 0xFFFF_FFFF).to_bytes(4, "little")
    rand = _random((time + to_air(dev_addr)).ljust(BLOCK, b"\0"))
    return (rand[0] + 256 * rand[1]) % ping_period(periodicity)


def ping_slots_us(beacon_s: int, dev_addr: str, periodicity: int) -> range:
    """When the ping slots after the beacon at ``beacon_s`` begin, in µs of GPS time."""
    first = ping_offset(beacon_s, dev_addr, periodicity)
    begin_us = beacon_s * 1_000_000 + BEACON_RESERVED_US
    end_us = begin_us + BEACON_WINDOW_US
    return range(begin_us + first * SLOT_US, end_us, ping_period(periodicity) * SLOT_US)


def next_ping_slot_us(gps_us: int, dev_addr: str, periodicity: int) -> int:
    """When the first ping slot at or after ``gps_us`` begins, in µs of GPS time."""
    beacon_s = gps_us // BEACON_PERIOD_US * BEACON_PERIOD_S
    while True:
        slots = ping_slots_us(beacon_s, dev_addr, periodicity)
        index = max(0, -(-(gps_us - slots.start) // slots.step))
        if index < len(slots):
            return slots[index]
        beacon_s += BEACON_PERIOD_S
