"""Uplinks as the API's messages: for events, and for applications."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.frames import DataFrame, FType, JoinRequest
from simulators.lorawan.modulation import Modulation
from simulators.platforms.things_stack.messages import Uplink
from simulators.platforms.things_stack.times import duration_text, time_text

Document = dict[str, Any]


def uplink_message(
    receptions: list[Uplink],
    frame: DataFrame | JoinRequest,
    *,
    channel_index: int = 0,
    full_f_cnt: int = 0,
) -> Document:
    """An UplinkMessage as events carry it."""
    first = receptions[0]
    if isinstance(frame, JoinRequest):
        payload = join_payload(first.phy, frame)
    else:
        payload = _data_payload(first.phy, frame, full_f_cnt)
    message: Document = {
        "raw_payload": base64_text(first.phy),
        "payload": payload,
        "settings": first.settings,
        "rx_metadata": [each.metadata for each in receptions],
        "received_at": time_text(first.received_us),
        "correlation_ids": first.correlation_ids,
    }
    airtime = airtime_text(first.modulation, len(first.phy))
    message |= {"consumed_airtime": airtime} if airtime else {}
    return message | ({"device_channel_index": channel_index} if channel_index else {})


def join_payload(phy: bytes, frame: JoinRequest) -> Document:
    """The Message of a join request."""
    request = {
        "join_eui": frame.join_eui.upper(),
        "dev_eui": frame.dev_eui.upper(),
        "dev_nonce": f"{frame.dev_nonce:04X}",
    }
    return {"m_hdr": {}, "mic": base64_text(phy[-4:]), "join_request_payload": request}


def _data_payload(phy: bytes, frame: DataFrame, full_f_cnt: int) -> Document:
    return {
        "m_hdr": {"m_type": FType(phy[0] >> 5).name},
        "mic": base64_text(phy[-4:]),
        "mac_payload": _mac_payload(frame, full_f_cnt),
    }


def _mac_payload(frame: DataFrame, full_f_cnt: int) -> Document:
    flags = ("adr", "adr_ack_req", "ack", "f_pending", "class_b")
    header: Document = {
        "dev_addr": frame.dev_addr.upper(),
        "f_ctrl": {name: True for name in flags if getattr(frame, name)},
    }
    if frame.f_cnt & 0xFFFF:
        header["f_cnt"] = frame.f_cnt & 0xFFFF
    if frame.f_opts:
        header["f_opts"] = base64_text(frame.f_opts)
    payload: Document = {"f_hdr": header}
    if frame.f_port:
        payload["f_port"] = frame.f_port
    if frame.frm_payload:
        payload["frm_payload"] = base64_text(frame.frm_payload)
    return payload | ({"full_f_cnt": full_f_cnt} if full_f_cnt else {})


@lru_cache(maxsize=4096)
def airtime_text(modulation: Modulation, size: int) -> str:
    """How long a frame was on air; "" for what no radio sends."""
    try:
        return duration_text(time_on_air_us(modulation, size))
    except (ValueError, ZeroDivisionError):
        return ""


def base64_text(data: bytes) -> str:
    """Bytes as messages carry them."""
    return base64.b64encode(data).decode()
