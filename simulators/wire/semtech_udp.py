"""
Semtech's UDP protocol between packet forwarder and network server, version 2: both sides.

Bytes and values only. A forwarder has two sockets: PUSH_DATA goes out on one; PULL_DATA and TX_ACK
on the other, to which PULL_RESP comes. EUIs are hexadecimal in lower case, in reading order. The
JSON within is semtech_packets.py's.

Source: Lora-net/packet_forwarder 4.0.1, PROTOCOL.TXT; Lora-net/sx1302_hal, packet_forwarder/
PROTOCOL.md (``warn``).
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable
from struct import Struct
from typing import Any, NamedTuple

from simulators.wire import fields
from simulators.wire.errors import WireError
from simulators.wire.semtech_packets import (
    LORA_FRAME,
    RxPk,
    Stat,
    TxPk,
    read_rxpk,
    read_stat,
    read_txpk,
    rxpk_json,
    stat_json,
    txpk_json,
)

PUSH_DATA, PUSH_ACK, PULL_DATA, PULL_RESP, PULL_ACK, TX_ACK = range(6)
VERSION = 2
MOST_RXPK = 8  # in one PUSH_DATA of a forwarder

# What TX_ACK says; "NONE", or no body at all, is success.
TX_ERRORS = (
    "TOO_LATE",
    "TOO_EARLY",
    "COLLISION_PACKET",
    "COLLISION_BEACON",
    "TX_FREQ",
    "TX_POWER",
    "GPS_UNLOCKED",
)

_INT64 = 2**63 - 1
_PUSH_DATA = Struct(">BHB8s").pack
_PUSH_FRAME = b'\x02%%b\x00%%b{"rxpk":[%b]}' % LORA_FRAME


class PushData(NamedTuple):
    """Gateway to server: frames, or a status, or both."""

    token: int
    gateway_eui: str
    rxpk: tuple[RxPk, ...] = ()
    stat: Stat | None = None
    version: int = VERSION


class PushAck(NamedTuple):
    """Server to gateway: PUSH_DATA arrived."""

    token: int
    version: int = VERSION


class PullData(NamedTuple):
    """Gateway to server: here I am, and this port takes downlinks."""

    token: int
    gateway_eui: str
    version: int = VERSION


class PullAck(NamedTuple):
    """Server to gateway: PULL_DATA arrived."""

    token: int
    version: int = VERSION


class PullResp(NamedTuple):
    """Server to gateway: send this frame."""

    token: int
    txpk: TxPk
    version: int = VERSION


class TxAck(NamedTuple):
    """
    Gateway to server: what became of PULL_RESP.

    ``error``: the frame is not sent. ``warning``: it is, with ``value`` in place of what was asked
    for. Neither: it is in the queue.
    """

    token: int
    gateway_eui: str
    error: str | None = None
    warning: str | None = None
    value: int | None = None
    version: int = VERSION


Datagram = PushData | PushAck | PullData | PullAck | PullResp | TxAck


def encode(datagram: Datagram) -> bytes:
    """The datagram's bytes."""
    kind, body = _ENCODERS[type(datagram)](datagram)
    head = bytes((datagram.version, datagram.token >> 8, datagram.token & 0xFF, kind))
    return head + body


def decode(data: bytes) -> Datagram:
    """
    Read a datagram of either side.

    Args:
        data: one UDP payload: version, token (2 bytes), kind; gateways add their EUI (8 bytes);
            PUSH_DATA and PULL_RESP a JSON object, TX_ACK may have one.
    Raises:
        WireError: too short, another version than 1 or 2, an unknown kind, or a wrong body.
    """
    if len(data) < 4:
        raise WireError(f"expected a header of 4 bytes; got {len(data)}")
    version, kind = data[0], data[3]
    if version not in (1, VERSION):
        raise WireError(f"expected protocol version 2; got {version}")
    if kind >= len(_DECODERS):
        raise WireError(f"expected a kind from 0 to 5; got {kind}")
    return _DECODERS[kind](int.from_bytes(data[1:3], "big"), data[4:], version)


def push_frame(
    token: int,
    gateway_eui: bytes,
    tmst: int,
    where: bytes,
    rssi_dbm: float,
    snr_db: float,
    data: bytes,
) -> bytes:
    """
    PUSH_DATA with one LoRa frame and nothing else, as nearly all are.

    In one piece it costs less than from its parts; arguments as those of ``lora_frame_json``.
    """
    return _PUSH_FRAME % (
        token.to_bytes(2, "big"), gateway_eui, tmst, where, snr_db, rssi_dbm, len(data),
        b2a_base64(data, newline=False),
    )  # fmt: skip


def push_data(token: int, gateway_eui: bytes, body: bytes) -> bytes:
    """PUSH_DATA from its parts; ``body`` is JSON whose members the caller has written."""
    return _PUSH_DATA(VERSION, token, PUSH_DATA, gateway_eui) + body


def _push_data(datagram: PushData) -> tuple[int, bytes]:
    members = []
    if datagram.rxpk:
        members.append(b'"rxpk":[%b]' % b",".join(map(rxpk_json, datagram.rxpk)))
    if datagram.stat is not None:
        members.append(b'"stat":%b' % stat_json(datagram.stat).encode())
    return PUSH_DATA, bytes.fromhex(datagram.gateway_eui) + b"{%b}" % b",".join(members)


def _tx_ack(datagram: TxAck) -> tuple[int, bytes]:
    body = ""
    if datagram.error is not None:
        body = f'{{"txpk_ack":{{"error":"{datagram.error}"}}}}'
    elif datagram.warning is not None:
        value = "" if datagram.value is None else f',"value":{datagram.value}'
        body = f'{{"txpk_ack":{{"warn":"{datagram.warning}"{value}}}}}'
    return TX_ACK, bytes.fromhex(datagram.gateway_eui) + body.encode()


_ENCODERS: dict[type[Any], Callable[[Any], tuple[int, bytes]]] = {
    PushData: _push_data,
    PushAck: lambda datagram: (PUSH_ACK, b""),
    PullData: lambda datagram: (PULL_DATA, bytes.fromhex(datagram.gateway_eui)),
    PullAck: lambda datagram: (PULL_ACK, b""),
    PullResp: lambda datagram: (PULL_RESP, f'{{"txpk":{txpk_json(datagram.txpk)}}}'.encode()),
    TxAck: _tx_ack,
}


def _eui(body: bytes) -> str:
    if len(body) < 8:
        raise WireError(f"expected a gateway EUI of 8 bytes; got {len(body)}")
    return body[:8].hex()


def _read_push_data(token: int, body: bytes, version: int) -> PushData:
    eui = _eui(body)
    document = fields.read_object(body[8:])
    packets = tuple(read_rxpk(each) for each in fields.listed(document, "rxpk", []))
    stat = document.get("stat")
    return PushData(token, eui, packets, None if stat is None else read_stat(stat), version)


def _read_pull_resp(token: int, body: bytes, version: int) -> PullResp:
    document = fields.read_object(body)
    return PullResp(token, read_txpk(document.get("txpk")), version)


def _read_tx_ack(token: int, body: bytes, version: int) -> TxAck:
    eui = _eui(body)
    if not body[8:].strip(b" \t\r\n\0"):
        return TxAck(token, eui, version=version)
    told = fields.nested(fields.read_object(body[8:]).get("txpk_ack", {}), "txpk_ack")
    error = fields.text(told, "error", None)
    warning = fields.text(told, "warn", None)
    value = fields.integer(told, "value", -_INT64, _INT64, None)
    return TxAck(token, eui, None if error in ("", "NONE") else error, warning, value, version)


_DECODERS: tuple[Callable[[int, bytes, int], Datagram], ...] = (
    _read_push_data,
    lambda token, body, version: PushAck(token, version),
    lambda token, body, version: PullData(token, _eui(body), version),
    _read_pull_resp,
    lambda token, body, version: PullAck(token, version),
    _read_tx_ack,
)
