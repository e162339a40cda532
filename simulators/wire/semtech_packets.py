"""
The JSON in Semtech's UDP protocol: ``rxpk``, ``stat`` and ``txpk``.

Frequencies are in Hz, times in µs unless named otherwise. Encoders write by template, because a
gateway under load writes little else; every value is a number, a word of ours, or base64.

Source: Lora-net/packet_forwarder 4.0.1, PROTOCOL.TXT, sections 4 and 6; Lora-net/sx1302_hal,
packet_forwarder/PROTOCOL.md (``mid``, ``foff``, ``rssis``, ``nhdr``).
"""

from __future__ import annotations

from binascii import b2a_base64
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from simulators.lorawan.modulation import Fsk, Lora, Modulation, datr, parse_datr
from simulators.wire import fields
from simulators.wire.errors import WireError

LONGEST_PAYLOAD = 255
# tmst, channel_json, SNR, RSSI, size, base64.
LORA_FRAME = b'{"tmst":%d,%b,"lsnr":%.1f,"rssi":%.0f,"size":%d,"data":"%b"}'

_UINT32 = 0xFFFFFFFF
_INT64 = 2**63 - 1
_LOWEST_HZ, _HIGHEST_HZ = 1_000_000, 10_000_000_000
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_FRAME = b'{"tmst":%d,%b,"rssi":%.0f,"size":%d,"data":"%b"}'
_CODING_RATES = ("4/5", "4/6", "4/7", "4/8")


class RxPk(NamedTuple):
    """A frame that a gateway received; ``tmst`` is the end of its reception, modulo 2^32."""

    tmst: int
    frequency_hz: int
    modulation: Modulation
    data: bytes
    rssi_dbm: float
    snr_db: float | None = None  # FSK has none
    channel: int = 0
    rf_chain: int = 0
    crc: int = 1  # 1 right, -1 wrong, 0 none
    unix_us: int | None = None  # ``time``
    gps_ms: int | None = None  # ``tmms``
    modem: int | None = None  # ``mid``
    frequency_offset_hz: int | None = None  # ``foff``
    signal_rssi_dbm: int | None = None  # ``rssis``


class Stat(NamedTuple):
    """What a gateway tells of itself; counters since its last one."""

    unix_s: int | None = None  # ``time``
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: int | None = None
    received: int = 0  # ``rxnb``
    received_ok: int = 0  # ``rxok``
    forwarded: int = 0  # ``rxfw``
    acknowledged_percent: float = 0.0  # ``ackr``
    downlinks: int = 0  # ``dwnb``
    transmitted: int = 0  # ``txnb``
    temperature_c: float | None = None  # ``temp``


class TxPk(NamedTuple):
    """A frame to be sent at once, at ``tmst`` or at ``gps_ms``; the first that is there counts."""

    frequency_hz: int
    modulation: Modulation
    data: bytes
    is_immediate: bool = False
    tmst: int | None = None
    gps_ms: int | None = None  # ``tmms``
    power_dbm: int = 0  # ``powe``: at the antenna's connector
    rf_chain: int = 0
    inverts_polarity: bool = False
    has_crc: bool = True  # not ``ncrc``
    has_header: bool = True  # not ``nhdr``
    preamble: int | None = None
    deviation_hz: int | None = None  # ``fdev``, FSK


def rxpk_json(packet: RxPk) -> bytes:
    """One member of ``rxpk``, as JSON; nothing in it needs to be escaped."""
    (
        tmst, frequency_hz, modulation, data, rssi_dbm, snr_db, channel, rf_chain, crc,
        unix_us, gps_ms, modem, offset_hz, signal_dbm,
    ) = packet  # fmt: skip
    more = ""
    if unix_us is not None:
        more = f'"time":"{iso_time(unix_us)}",'
    if gps_ms is not None:
        more += f'"tmms":{gps_ms},'
    if modem is not None:
        more += f'"mid":{modem},'
    if offset_hz is not None:
        more += f'"foff":{offset_hz},'
    if signal_dbm is not None:
        more += f'"rssis":{signal_dbm},'
    where = more.encode() + channel_json(frequency_hz, modulation, channel, rf_chain, crc)
    if snr_db is None:
        return frame_json(tmst, where, rssi_dbm, data)
    return lora_frame_json(tmst, where, rssi_dbm, snr_db, data)


def channel_json(
    frequency_hz: int, modulation: Modulation, channel: int, rf_chain: int = 0, crc: int = 1
) -> bytes:
    """The members of ``rxpk`` that are the same for every frame of a channel and data rate."""
    text = (
        f'"chan":{channel},"rfch":{rf_chain},"freq":{_megahertz(frequency_hz)},"stat":{crc},'
        f"{_modulation_json(modulation)}"
    )
    return text.encode()


def lora_frame_json(tmst: int, where: bytes, rssi_dbm: float, snr_db: float, data: bytes) -> bytes:
    """A member of ``rxpk``; ``where`` are the members in its middle, as from ``channel_json``."""
    return LORA_FRAME % (
        tmst, where, snr_db, rssi_dbm, len(data), b2a_base64(data, newline=False),
    )  # fmt: skip


def frame_json(tmst: int, where: bytes, rssi_dbm: float, data: bytes) -> bytes:
    """The same for FSK, which has no SNR."""
    return _FRAME % (tmst, where, rssi_dbm, len(data), b2a_base64(data, newline=False))


def iso_time(unix_us: int) -> str:
    """``time`` of a received frame: UTC with µs and Z."""
    return f"{_UNIX + timedelta(microseconds=unix_us):%Y-%m-%dT%H:%M:%S.%fZ}"


def stat_json(stat: Stat) -> str:
    """The member ``stat``, as JSON."""
    more = ""
    if stat.unix_s is not None:
        more = f'"time":"{_UNIX + timedelta(seconds=stat.unix_s):%Y-%m-%d %H:%M:%S} GMT",'
    if stat.latitude is not None and stat.longitude is not None:
        more += f'"lati":{stat.latitude:.5f},"long":{stat.longitude:.5f},'
        more += f'"alti":{stat.altitude_m or 0},'
    if stat.temperature_c is not None:
        more += f'"temp":{stat.temperature_c:.1f},'
    return (
        f'{{{more}"rxnb":{stat.received},"rxok":{stat.received_ok},"rxfw":{stat.forwarded},'
        f'"ackr":{stat.acknowledged_percent:.1f},"dwnb":{stat.downlinks},"txnb":{stat.transmitted}}}'
    )


def txpk_json(packet: TxPk) -> str:
    """The member ``txpk``, as JSON."""
    members = []
    if packet.is_immediate:
        members.append('"imme":true')
    if packet.tmst is not None:
        members.append(f'"tmst":{packet.tmst}')
    if packet.gps_ms is not None:
        members.append(f'"tmms":{packet.gps_ms}')
    members += [
        f'"freq":{_megahertz(packet.frequency_hz)}',
        f'"rfch":{packet.rf_chain}',
        f'"powe":{packet.power_dbm}',
        _modulation_json(packet.modulation, received=False),
    ]
    if isinstance(packet.modulation, Fsk):
        deviation_hz = packet.deviation_hz or packet.modulation.bit_rate // 2
        members.append(f'"fdev":{deviation_hz}')
    else:
        members.append(f'"ipol":{"true" if packet.inverts_polarity else "false"}')
    if packet.preamble is not None:
        members.append(f'"prea":{packet.preamble}')
    if not packet.has_crc:
        members.append('"ncrc":true')
    if not packet.has_header:
        members.append('"nhdr":true')
    encoded = b2a_base64(packet.data, newline=False).decode()
    members.append(f'"size":{len(packet.data)},"data":"{encoded}"')
    return f"{{{','.join(members)}}}"


@lru_cache(maxsize=1024)
def _megahertz(frequency_hz: int) -> str:
    return f"{frequency_hz // 1_000_000}.{frequency_hz % 1_000_000:06d}"


@lru_cache(maxsize=256)
def _modulation_json(modulation: Modulation, *, received: bool = True) -> str:
    if isinstance(modulation, Fsk):
        coding = ',"codr":"OFF"' if received else ""
        return f'"modu":"FSK","datr":{modulation.bit_rate}{coding}'
    return f'"modu":"LORA","datr":"{datr(modulation)}","codr":"{modulation.coding_rate}"'


def read_rxpk(value: Any) -> RxPk:
    """
    Read a received frame.

    Raises:
        WireError: a member is absent or wrong.
    """
    packet = fields.nested(value, "rxpk")
    return RxPk(
        tmst=fields.integer(packet, "tmst", 0, _UINT32),
        frequency_hz=_read_hertz(packet),
        modulation=_read_modulation(packet),
        data=_read_data(packet),
        rssi_dbm=fields.number(packet, "rssi", -1000, 1000),
        snr_db=fields.number(packet, "lsnr", -1000, 1000, None),
        channel=fields.integer(packet, "chan", 0, 0xFFFF, 0),
        rf_chain=fields.integer(packet, "rfch", 0, 0xFF, 0),
        crc=fields.integer(packet, "stat", -1, 1, 1),
        unix_us=_read_iso_time(packet),
        gps_ms=fields.integer(packet, "tmms", 0, _INT64, None),
        modem=fields.integer(packet, "mid", 0, 0xFFFF, None),
        frequency_offset_hz=fields.integer(packet, "foff", -_UINT32, _UINT32, None),
        signal_rssi_dbm=fields.integer(packet, "rssis", -1000, 1000, None),
    )


def read_stat(value: Any) -> Stat:
    """
    Read a status.

    Raises:
        WireError: a member is absent or wrong.
    """
    stat = fields.nested(value, "stat")
    return Stat(
        unix_s=_read_gmt(stat),
        latitude=fields.number(stat, "lati", -90, 90, None),
        longitude=fields.number(stat, "long", -180, 180, None),
        altitude_m=fields.integer(stat, "alti", -_UINT32, _UINT32, None),
        received=fields.integer(stat, "rxnb", 0, _UINT32, 0),
        received_ok=fields.integer(stat, "rxok", 0, _UINT32, 0),
        forwarded=fields.integer(stat, "rxfw", 0, _UINT32, 0),
        acknowledged_percent=fields.number(stat, "ackr", 0, 1_000_000, 0.0),
        downlinks=fields.integer(stat, "dwnb", 0, _UINT32, 0),
        transmitted=fields.integer(stat, "txnb", 0, _UINT32, 0),
        temperature_c=fields.number(stat, "temp", -1000, 1000, None),
    )


def read_txpk(value: Any) -> TxPk:
    """
    Read a frame to be sent.

    Raises:
        WireError: a member is absent or wrong.
    """
    packet = fields.nested(value, "txpk")
    read = TxPk(
        frequency_hz=_read_hertz(packet),
        modulation=_read_modulation(packet),
        data=_read_data(packet),
        is_immediate=fields.boolean(packet, "imme", False),
        tmst=fields.integer(packet, "tmst", 0, _UINT32, None),
        gps_ms=fields.integer(packet, "tmms", 0, _INT64, None),
        power_dbm=round(fields.number(packet, "powe", -128, 127, 0)),
        rf_chain=fields.integer(packet, "rfch", 0, 0xFF),
        inverts_polarity=fields.boolean(packet, "ipol", False),
        has_crc=not fields.boolean(packet, "ncrc", False),
        has_header=not fields.boolean(packet, "nhdr", False),
        preamble=fields.integer(packet, "prea", 0, 0xFFFF, None),
        deviation_hz=fields.integer(packet, "fdev", 0, _UINT32, None),
    )
    if not read.is_immediate and read.tmst is None and read.gps_ms is None:
        raise WireError("expected one of imme, tmst, tmms; got none")
    return read


def _read_hertz(packet: dict[str, Any]) -> int:
    hertz: int = round(fields.number(packet, "freq", 0, _HIGHEST_HZ / 1e6) * 1e6)
    if hertz < _LOWEST_HZ:
        raise WireError(f"expected freq in MHz; got {hertz / 1e6:g}")
    return hertz


def _read_modulation(packet: dict[str, Any]) -> Modulation:
    rate = packet.get("datr")
    kind, coding_rate = fields.text(packet, "modu"), fields.text(packet, "codr", "4/5")
    if isinstance(rate, str):
        return _modulation(kind, rate, coding_rate)
    return _modulation.__wrapped__(kind, rate, coding_rate)  # may be something unhashable


@lru_cache(maxsize=256)
def _modulation(kind: str, rate: Any, coding_rate: str) -> Modulation:
    try:
        read = parse_datr(rate, coding_rate)
    except ValueError as problem:
        raise WireError(str(problem)) from problem
    if isinstance(read, Lora) != (kind == "LORA") or kind not in ("LORA", "FSK"):
        raise WireError(f"expected modu and datr to agree; got {fields.shown(kind)} and {read}")
    if isinstance(read, Lora):
        _check_lora(read)
    elif not 500 <= read.bit_rate <= 250_000:
        raise WireError(f"expected datr from 500 to 250000 bit/s; got {read.bit_rate}")
    return read


def _check_lora(modulation: Lora) -> None:
    factor, bandwidth_hz, coding_rate = modulation
    # Implicit headers, which SF6 needs, are for beacons, and those are sent with SF8 to SF12.
    if not 7 <= factor <= 12 or bandwidth_hz not in (125_000, 250_000, 500_000):
        raise WireError(f"expected datr SF7 to SF12, BW125, 250 or 500; got {datr(modulation)}")
    if coding_rate not in _CODING_RATES:
        raise WireError(f"expected codr 4/5 to 4/8; got {fields.shown(coding_rate)}")


def _read_data(packet: dict[str, Any]) -> bytes:
    data = fields.base64(packet, "data", LONGEST_PAYLOAD)
    if (size := fields.integer(packet, "size", 0, LONGEST_PAYLOAD, len(data))) != len(data):
        raise WireError(f"expected data of {size} bytes, as size says; got {len(data)}")
    return data


def _read_iso_time(packet: dict[str, Any]) -> int | None:
    value = fields.text(packet, "time", None)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        since_1970: timedelta = moment.replace(tzinfo=moment.tzinfo or UTC) - _UNIX
    except (ValueError, OverflowError) as problem:
        raise WireError(f"expected time as in ISO 8601; got {fields.shown(value)}") from problem
    return since_1970 // timedelta(microseconds=1)


def _read_gmt(stat: dict[str, Any]) -> int | None:
    value = fields.text(stat, "time", None)
    if value is None:
        return None
    try:
        moment = datetime.strptime(value, "%Y-%m-%d %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError as problem:
        got = fields.shown(value)
        raise WireError(f"expected time such as '2014-01-12 08:59:28 GMT'; got {got}") from problem
    since_1970: timedelta = moment - _UNIX
    return since_1970 // timedelta(seconds=1)
