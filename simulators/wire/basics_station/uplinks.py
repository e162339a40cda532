"""
A received frame as the fields of ``jreq``, ``updf`` or ``propdf``, and put together again.

A frame is never carried with the bytes that it had on air, only in its fields.

Source: lorabasics/basicstation 2.0.6, src/s2e.c, src/lora.c; documentation, "The LNS Protocol".
"""

from __future__ import annotations

from typing import Any

from simulators.wire import fields
from simulators.wire.basics_station.messages import (
    FAR_S,
    HIGHEST_HZ,
    INT64,
    LONGEST_FRAME,
    UpInfo,
    Uplink,
)
from simulators.wire.errors import WireError
from simulators.wire.eui import dashed, read_eui

JOIN_REQUEST_BYTES = 23
_JOIN_REQUEST, _UNCONFIRMED_UP, _CONFIRMED_UP, _PROPRIETARY = 0, 2, 4, 7


def _signed(number: int) -> int:
    return number - (1 << 32) if number >> 31 else number


def uplink_document(uplink: Uplink) -> dict[str, Any]:
    info = uplink.info
    return {
        **_frame_fields(uplink.phy_payload),
        "RefTime": uplink.ref_time_s,
        "DR": uplink.dr,
        "Freq": uplink.frequency_hz,
        "upinfo": {
            "rctx": info.rctx,
            "xtime": info.xtime,
            "gpstime": info.gpstime,
            "fts": info.fts,
            "rssi": round(info.rssi_dbm),
            "snr": info.snr_db,
            "rxtime": info.rxtime_s,
        },
    }


def _frame_fields(phy: bytes) -> dict[str, Any]:
    kind = phy[0] >> 5 if phy else _PROPRIETARY
    if kind == _JOIN_REQUEST and len(phy) == JOIN_REQUEST_BYTES:
        return _join_fields(phy, "jreq")
    if (
        kind in (_UNCONFIRMED_UP, _CONFIRMED_UP)
        and len(phy) >= 12
        and len(phy) >= 12 + (phy[5] & 0x0F)
    ):
        return _data_fields(phy)
    return {"msgtype": "propdf", "FRMPayload": phy.hex().upper()}


def _holds_its_options(phy: bytes) -> bool:
    return len(phy) >= 12 and len(phy) >= 12 + (phy[5] & 0x0F)


def _join_fields(phy: bytes, kind: str) -> dict[str, Any]:
    return {
        "msgtype": kind,
        "MHdr": phy[0],
        "JoinEui": dashed(phy[8:0:-1].hex()),
        "DevEui": dashed(phy[16:8:-1].hex()),
        "DevNonce": int.from_bytes(phy[17:19], "little"),
        "MIC": _signed(int.from_bytes(phy[19:], "little")),
    }


def _data_fields(phy: bytes) -> dict[str, Any]:
    port_at = 8 + (phy[5] & 0x0F)
    body = phy[port_at:-4]
    return {
        "msgtype": "updf",
        "MHdr": phy[0],
        "DevAddr": _signed(int.from_bytes(phy[1:5], "little")),
        "FCtrl": phy[5],
        "FCnt": int.from_bytes(phy[6:8], "little"),
        "FOpts": phy[8:port_at].hex().upper(),
        "FPort": body[0] if body else -1,
        "FRMPayload": body[1:].hex().upper(),
        "MIC": _signed(int.from_bytes(phy[-4:], "little")),
    }


def read_uplink(message: dict[str, Any]) -> Uplink:
    frame = {"jreq": _read_join, "updf": _read_data, "propdf": _read_whole}[message["msgtype"]]
    phy_payload = frame(message)
    info = fields.nested(message.get("upinfo"), "upinfo")
    return Uplink(
        phy_payload,
        fields.integer(message, "DR", 0, 15),
        fields.integer(message, "Freq", 0, HIGHEST_HZ),
        UpInfo(
            xtime=fields.integer(info, "xtime", -INT64, INT64),
            rssi_dbm=fields.number(info, "rssi", -1000, 1000),
            snr_db=fields.number(info, "snr", -1000, 1000),
            gpstime=fields.integer(info, "gpstime", 0, INT64, 0),
            rctx=fields.integer(info, "rctx", -INT64, INT64, 0),
            rxtime_s=fields.number(info, "rxtime", 0, FAR_S, 0.0),
            fts=fields.integer(info, "fts", -INT64, INT64, -1),
        ),
        fields.number(message, "RefTime", -FAR_S, FAR_S, 0.0),
    )


def _read_join(message: dict[str, Any]) -> bytes:
    join_eui = message.get("JoinEui", message.get("JoinEUI"))
    return b"".join(
        (
            _unsigned(message, "MHdr", 1),
            bytes.fromhex(read_eui(join_eui))[::-1],
            bytes.fromhex(read_eui(message.get("DevEui", message.get("DevEUI"))))[::-1],
            _unsigned(message, "DevNonce", 2),
            _read_signed(message, "MIC"),
        )
    )


def _read_data(message: dict[str, Any]) -> bytes:
    options = fields.hexadecimal(message, "FOpts", 15)
    payload = fields.hexadecimal(message, "FRMPayload", LONGEST_FRAME)
    control = _unsigned(message, "FCtrl", 1)
    if control[0] & 0x0F != len(options):
        raise WireError(f"expected FOpts of {control[0] & 0x0F} bytes; got {len(options)}")
    port = fields.integer(message, "FPort", -1, 255)
    if port < 0 and payload:
        raise WireError(f"expected no FRMPayload without FPort; got {len(payload)} bytes")
    return b"".join(
        (
            _unsigned(message, "MHdr", 1),
            _read_signed(message, "DevAddr"),
            control,
            _unsigned(message, "FCnt", 2),
            options,
            b"" if port < 0 else bytes((port,)),
            payload,
            _read_signed(message, "MIC"),
        )
    )


def _read_whole(message: dict[str, Any]) -> bytes:
    return fields.hexadecimal(message, "FRMPayload", LONGEST_FRAME)


def _unsigned(message: dict[str, Any], name: str, size: int) -> bytes:
    value: int = fields.integer(message, name, 0, (1 << 8 * size) - 1)
    return value.to_bytes(size, "little")


def _read_signed(message: dict[str, Any], name: str) -> bytes:
    # Some servers' tools write the same 32 bits without a sign.
    value: int = fields.integer(message, name, -(1 << 31), (1 << 32) - 1)
    return (value & 0xFFFFFFFF).to_bytes(4, "little")
