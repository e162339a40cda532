"""
LoRa frames in a capture file: pcap with LoRaTap headers, written and read.

Version 0 is what every dissector reads; version 1 adds gateway, counter, coding rate and more. In
both, direction stands in the frame itself alone. Numbers in the headers are big endian, those
of the file little endian.

Source: github.com/eriknl/LoRaTap, README; Wireshark, epan/dissectors/packet-loratap.c; tcpdump.org,
linktypes (LINKTYPE_LORATAP) and pcap-savefile(5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from simulators.lorawan.modulation import Fsk, Lora, Modulation
from simulators.wire.errors import WireError

LINKTYPE_LORATAP = 270
SYNC_WORD = 0x34  # LoRaWAN's; dissectors take no other

_FILE = struct.Struct("<IHHiIII")
_RECORD = struct.Struct("<IIII")
_MAGIC, _LONGEST = 0xA1B2C3D4, 0xFFFF
_V0 = struct.Struct(">BBHIBBBBBbB")
_V1 = struct.Struct(">8sIBBHBBH")

_FSK, _INVERTED, _IMPLICIT, _CRC_OK, _CRC_BAD, _NO_CRC = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_RSSI_OFFSET, _NO_RSSI = 139, 255
_CODING_RATES = {"4/5": 5, "4/6": 6, "4/7": 7, "4/8": 8}


class Capture(NamedTuple):
    """
    One frame of a capture.

    ``rssi_dbm`` and ``snr_db`` are None for what was sent rather than received; what version 0
    cannot hold reads back as its default.
    """

    unix_us: int
    frequency_hz: int
    modulation: Modulation
    phy_payload: bytes
    rssi_dbm: float | None = None
    snr_db: float | None = None
    gateway_eui: str = "0" * 16
    tmst: int = 0
    is_downlink: bool = False
    has_implicit_header: bool = False
    channel: int = 0
    rf_chain: int = 0


def file_header() -> bytes:
    """What stands at the beginning of a capture file."""
    return _FILE.pack(_MAGIC, 2, 4, 0, 0, _LONGEST, LINKTYPE_LORATAP)


def record(capture: Capture, *, version: int = 0) -> bytes:
    """
    One record of a capture file.

    Raises:
        ValueError: ``version`` is neither 0 nor 1.
    """
    packet = loratap_header(capture, version) + capture.phy_payload
    seconds, micros = divmod(capture.unix_us, 1_000_000)
    return _RECORD.pack(seconds, micros, len(packet), len(packet)) + packet


def loratap_header(capture: Capture, version: int) -> bytes:
    """
    The header before one frame.

    Raises:
        ValueError: ``version`` is neither 0 nor 1.
    """
    if version not in (0, 1):
        raise ValueError(f"expected LoRaTap version 0 or 1; got {version}")
    head = _V0.pack(
        version,
        0,
        _V0.size + version * _V1.size,
        capture.frequency_hz,
        *_speed(capture.modulation),
        _rssi(capture.rssi_dbm),
        _rssi(capture.rssi_dbm),
        _NO_RSSI,
        _clamped(4 * (capture.snr_db or 0), -128, 127),
        SYNC_WORD,
    )
    return head + _more(capture) if version else head


def read_captures(data: bytes) -> Iterator[Capture]:
    """
    Every frame of a capture file.

    Raises:
        WireError: another kind of file, or one that ends too early.
    """
    if len(data) < _FILE.size:
        raise WireError(f"expected a file header of {_FILE.size} bytes; got {len(data)}")
    magic, *_, linktype = _FILE.unpack_from(data)
    if (magic, linktype) != (_MAGIC, LINKTYPE_LORATAP):
        raise WireError(f"expected a pcap of link type 270; got {magic:08x} and {linktype}")
    at = _FILE.size
    while at < len(data):
        if at + _RECORD.size > len(data):
            raise WireError(f"expected a whole record at byte {at}; the file ends before")
        seconds, micros, size, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if at + size > len(data):
            raise WireError(f"expected {size} bytes at byte {at}; the file ends before")
        yield _read_packet(seconds * 1_000_000 + micros, data[at : at + size])
        at += size


def _speed(modulation: Modulation) -> tuple[int, int]:
    if isinstance(modulation, Fsk):
        return 0, 0
    return modulation.bandwidth_hz // 125_000, modulation.spreading_factor


def _rssi(rssi_dbm: float | None) -> int:
    return _NO_RSSI if rssi_dbm is None else _clamped(rssi_dbm + _RSSI_OFFSET, 0, _NO_RSSI - 1)


def _clamped(value: float, low: int, high: int) -> int:
    return max(low, min(high, round(value)))


def _more(capture: Capture) -> bytes:
    modulation = capture.modulation
    # LoRaWAN has a CRC on uplinks and none on downlinks and beacons.
    flags = _NO_CRC | _INVERTED if capture.is_downlink else _CRC_OK
    if capture.has_implicit_header:  # a beacon: sent as uplinks are
        flags = _NO_CRC | _IMPLICIT
    coding_rate, bit_rate = 0, 0
    if isinstance(modulation, Fsk):
        flags = flags & ~_INVERTED | _FSK
        bit_rate = min(modulation.bit_rate, 0xFFFF)
    else:
        coding_rate = _CODING_RATES[modulation.coding_rate]
    eui = bytes.fromhex(capture.gateway_eui)
    return _V1.pack(
        eui, capture.tmst, flags, coding_rate, bit_rate, capture.channel, capture.rf_chain, 0
    )


def _read_packet(unix_us: int, packet: bytes) -> Capture:
    if len(packet) < _V0.size:
        raise WireError(f"expected a LoRaTap header of {_V0.size} bytes; got {len(packet)}")
    version, _, length, hertz, width, factor, rssi, _, _, snr, _ = _V0.unpack_from(packet)
    if version > 1 or length != _V0.size + version * _V1.size or length > len(packet):
        raise WireError(f"expected a LoRaTap header of version 0 or 1; got {packet[:4].hex()}")
    if factor and not width:
        raise WireError("expected a bandwidth of a LoRa frame; got 0")
    read = Capture(
        unix_us,
        hertz,
        Lora(factor, width * 125_000) if factor else Fsk(50_000),
        packet[length:],
        None if rssi == _NO_RSSI else rssi - _RSSI_OFFSET,
        None if rssi == _NO_RSSI else snr / 4,
    )
    return _with_more(read, packet) if version else read


def _with_more(read: Capture, packet: bytes) -> Capture:
    eui, tmst, flags, coding, bit_rate, channel, chain, _ = _V1.unpack_from(packet, _V0.size)
    modulation = read.modulation
    if isinstance(modulation, Lora):
        if coding not in _CODING_RATES.values():
            raise WireError(f"expected a coding rate from 5 to 8; got {coding}")
        modulation = modulation._replace(coding_rate=f"4/{coding}")
    else:
        modulation = Fsk(bit_rate)
    return read._replace(
        modulation=modulation,
        gateway_eui=eui.hex(),
        tmst=tmst,
        is_downlink=bool(flags & _NO_CRC) and not flags & _IMPLICIT,
        has_implicit_header=bool(flags & _IMPLICIT),
        channel=channel,
        rf_chain=chain,
    )
