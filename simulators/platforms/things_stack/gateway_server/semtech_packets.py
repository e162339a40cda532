"""
The JSON that packet forwarders send, read as The Things Stack reads it.

Unknown members are ignored; one of the wrong type spoils the whole datagram. Frequencies are cut to
whole Hz, and of the same frame heard several times the strongest counts.

Source: Semtech PROTOCOL.TXT; The Things Stack, pkg/ttnpb/udp.
"""

from __future__ import annotations

from binascii import Error, a2b_base64
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.modulation import Lora, Modulation, parse_datr
from simulators.platforms.things_stack.configuration import rate_document
from simulators.platforms.things_stack.times import parse_time, time_text_ns

Document = dict[str, Any]
U8 = Annotated[int, Meta(ge=0, lt=2**8)]
U32 = Annotated[int, Meta(ge=0, lt=2**32)]
I32 = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
Number = I32 | Annotated[float, Meta(ge=-(2.0**63), le=2.0**63)]

_BROKEN = -1
_LONGEST = 255
_LOWEST_HZ, _HIGHEST_HZ = 100_000, 2**63
_GPS_EPOCH_NS = 315_964_800_000_000_000
_LEAP_NS = 18_000_000_000
_MOST_GPS_MS = 10_000_000_000_000


class Signal(msgspec.Struct, gc=False):
    """How one antenna heard a frame."""

    ant: U8 = 0
    chan: U8 = 0
    rssic: Number = 0
    lsnr: Number = 0
    rssis: Number | None = None
    rssisd: Number | None = None
    ftime: U32 | None = None
    foff: I32 | None = None
    etime: str | None = None


class RxPk(msgspec.Struct):
    """A received frame."""

    tmst: U32 = 0
    tmms: int | None = None
    time: str | None = None
    freq: Number = 0
    chan: U8 = 0
    stat: I32 = 0
    modu: str = ""
    datr: str | U32 = ""
    codr: str = ""
    rssi: Number = 0
    lsnr: Number = 0
    rssis: Number | None = None
    foff: I32 | None = None
    ftime: U32 | None = None
    hpw: U8 | None = None
    data: str = ""
    rsig: list[Signal] | None = None


class Stat(msgspec.Struct):
    """What a gateway tells of itself."""

    time: str = ""
    boot: str | None = None
    lati: Number | None = None
    long: Number | None = None
    alti: I32 | None = None
    rxnb: U32 = 0
    rxok: U32 = 0
    rxfw: U32 = 0
    ackr: Number = 0
    dwnb: U32 = 0
    txnb: U32 = 0
    temp: Number | None = None
    lpps: U32 | None = None


class Push(msgspec.Struct):
    """The body of PUSH_DATA."""

    rxpk: list[RxPk] | None = None
    stat: Stat | None = None


class Acknowledgment(msgspec.Struct):
    """The one member of TX_ACK's body."""

    error: str = ""
    warn: str = ""


class TxAck(msgspec.Struct):
    """The body of TX_ACK."""

    txpk_ack: Acknowledgment | None = None


decode_push = msgspec.json.Decoder(Push).decode
decode_tx_ack = msgspec.json.Decoder(TxAck).decode


class Where(NamedTuple):
    """What is the same for all frames of a channel and a data rate."""

    frequency_hz: int
    modulation: Modulation
    data_rate: Document
    frequency: str


@lru_cache(maxsize=4096)
def where(freq: Number, modu: str, datr: str | int, codr: str) -> Where:
    """
    Channel and data rate of a frame.

    Raises:
        LoRaWanError: no modulation, or no frequency.
    """
    modulation = parse_datr(datr, codr or "4/5")
    frequency_hz = int(freq * 1_000_000)
    is_lora = isinstance(modulation, Lora)
    if modu != ("LORA" if is_lora else "FSK") or not _LOWEST_HZ <= frequency_hz < _HIGHEST_HZ:
        raise LoRaWanError("expected LORA or FSK at a frequency")
    return Where(frequency_hz, modulation, rate_document(modulation), str(frequency_hz))


def payload(packet: RxPk) -> bytes | None:
    """The frame's bytes; None when they are none."""
    text = packet.data
    try:
        data = a2b_base64(text, strict_mode=True)
    except (Error, ValueError):
        data = _unpadded(text)
    return data if 0 < len(data) <= _LONGEST else None


def _unpadded(text: str) -> bytes:
    try:
        bare = text.rstrip("=")
        return a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True)
    except (Error, ValueError):
        return b""


def is_broken(packet: RxPk) -> bool:
    """Whether the gateway says that the checksum is wrong."""
    return packet.stat == _BROKEN


def gps_us(packet: RxPk) -> int | None:
    """The gateway's own time of the reception, microseconds since the GPS epoch."""
    tmms = packet.tmms
    return tmms * 1000 if tmms is not None and 0 < tmms < _MOST_GPS_MS else None


def metadata(packet: RxPk) -> list[Document]:
    """RxMetadata, one per antenna."""
    common: Document = {"timestamp": packet.tmst} if packet.tmst else {}
    moment = gps_us(packet)
    if moment is not None:
        text = time_text_ns(moment * 1000 + _GPS_EPOCH_NS - _LEAP_NS)
        common["time"] = common["gps_time"] = text
    elif packet.time is not None and (text := _time(packet.time)):
        common["time"] = text
    if packet.hpw:
        common["hopping_width"] = packet.hpw
    if packet.rsig:
        return [{**common, **_signal(each)} for each in packet.rsig]
    if packet.rssi:
        common["rssi"] = common["channel_rssi"] = packet.rssi
    if packet.lsnr:
        common["snr"] = packet.lsnr
    if packet.chan:
        common["channel_index"] = packet.chan
    if packet.rssis:
        common["signal_rssi"] = packet.rssis
    if packet.foff:
        common["frequency_offset"] = str(packet.foff)
    if packet.ftime:
        common["fine_timestamp"] = str(packet.ftime)
    return [common]


def _signal(signal: Signal) -> Document:
    document = {
        "antenna_index": signal.ant,
        "channel_index": signal.chan,
        "rssi": signal.rssic,
        "channel_rssi": signal.rssic,
        "signal_rssi": signal.rssis,
        "rssi_standard_deviation": signal.rssisd,
        "snr": signal.lsnr,
        "frequency_offset": str(signal.foff) if signal.foff else None,
        "fine_timestamp": str(signal.ftime) if signal.ftime else None,
        "encrypted_fine_timestamp": signal.etime,
    }
    return {name: value for name, value in document.items() if value}


def status(stat: Stat, *, version: str, ip: str) -> Document:
    """GatewayStatus."""
    metrics: Document = {
        "rxin": stat.rxnb,
        "rxok": stat.rxok,
        "rxfw": stat.rxfw,
        "ackr": stat.ackr,
        "txin": stat.dwnb,
        "txok": stat.txnb,
    }
    if stat.temp is not None:
        metrics["temp"] = stat.temp
    if stat.lpps is not None:
        metrics["lpps"] = stat.lpps
    document: Document = {}
    for name, text in (("time", stat.time), ("boot_time", stat.boot)):
        if text and (moment := _time(text)):
            document[name] = moment
    document["versions"] = {"ttn-lw-gateway-server": version}
    if (location := _location(stat)) is not None:
        document["antenna_locations"] = [location]
    if ip:
        document["ip"] = [ip]
    document["metrics"] = metrics
    return document


def _location(stat: Stat) -> Document | None:
    """Where the gateway says it is; zeros are what one without GPS says."""
    latitude, longitude = stat.lati, stat.long
    if not latitude or not longitude or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    document: Document = {"latitude": latitude, "longitude": longitude}
    if stat.alti:
        document["altitude"] = stat.alti
    return {**document, "source": "SOURCE_GPS"}


def _time(text: str) -> str:
    """``2014-01-12 08:59:28 GMT`` or RFC 3339 in its canonical form; "" when it is neither."""
    if text.endswith(" GMT"):
        text = f"{text[:-4].replace(' ', 'T')}Z"
    try:
        return time_text_ns(parse_time(text))
    except (ValueError, OverflowError):
        return ""
