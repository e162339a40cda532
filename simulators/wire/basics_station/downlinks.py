"""
``dnmsg`` and ``dnsched``: what a server wants to be sent.

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
    Downlink,
    Schedule,
    Scheduled,
    Window,
)
from simulators.wire.errors import WireError
from simulators.wire.eui import dashed, read_eui


def downlink_document(message: Downlink) -> dict[str, Any]:
    made: dict[str, Any] = {
        "msgtype": "dnmsg",
        "DevEui": dashed(message.dev_eui),
        "dC": message.device_class,
        "diid": message.diid,
        "pdu": message.pdu.hex(),
        "priority": message.priority,
    }
    if message.device_class == 1:
        made["gpstime"] = message.gpstime
        if message.rx1 is not None:
            made |= {"DR": message.rx1.dr, "Freq": message.rx1.frequency_hz}
    else:
        made |= {"RxDelay": message.rx_delay_s, "xtime": message.xtime}
        if message.rx1 is not None:
            made |= {"RX1DR": message.rx1.dr, "RX1Freq": message.rx1.frequency_hz}
        if message.rx2 is not None:
            made |= {"RX2DR": message.rx2.dr, "RX2Freq": message.rx2.frequency_hz}
    return made | _optional(message)


def _optional(message: Downlink | Scheduled) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if message.rctx is not None:
        made["rctx"] = message.rctx
    if message.preamble != 8:
        made["preamble"] = message.preamble
    if message.adds_crc:
        made["addcrc"] = 1
    return made | mux_time(message)


def mux_time(message: Any) -> dict[str, Any]:
    mux_time_s = getattr(message, "mux_time_s", None)
    return {} if mux_time_s is None else {"MuxTime": mux_time_s}


def read_downlink(message: dict[str, Any]) -> Downlink:
    windows = [_read_window(message, *names) for names in _WINDOWS]
    rx1, rx2 = windows[0] or windows[1], windows[2]
    device_class = fields.integer(message, "dC", 0, 2)
    if rx1 is None and (rx2 is None or device_class == 1):
        raise WireError("expected DR and Freq of a window; got none")
    # RxDelay is mandatory by the documents; a station takes 1 s where it is absent.
    delay_s = 0 if windows[0] else max(1, fields.integer(message, "RxDelay", 0, 15, 1))
    return Downlink(
        dev_eui=read_eui(message.get("DevEui", message.get("DevEUI"))),
        device_class=device_class,
        diid=read_diid(message),
        pdu=_read_pdu(message),
        rx_delay_s=delay_s,
        rx1=rx1,
        rx2=rx2,
        xtime=fields.integer(message, "xtime", 0, INT64, 0),
        gpstime=fields.integer(message, "gpstime", 0, INT64, 0),
        priority=fields.integer(message, "priority", 0, 255, 0),
        rctx=fields.integer(message, "rctx", -INT64, INT64, None),
        preamble=fields.integer(message, "preamble", 0, 0xFFFF, 8) or 8,
        adds_crc=fields.boolean(message, "addcrc", False),
        mux_time_s=read_mux_time(message),
    )


_WINDOWS = (("DR", "Freq"), ("RX1DR", "RX1Freq"), ("RX2DR", "RX2Freq"))


def _read_window(message: dict[str, Any], dr_name: str, frequency_name: str) -> Window | None:
    dr = fields.integer(message, dr_name, 0, 15, None)
    frequency_hz = fields.integer(message, frequency_name, 1, HIGHEST_HZ, None)
    if (dr is None) != (frequency_hz is None):
        raise WireError(f"expected {dr_name} and {frequency_name} together; got one")
    return None if dr is None else Window(dr, frequency_hz)


def read_diid(message: dict[str, Any], default: Any = ...) -> Any:
    name = "diid" if "diid" in message else "seqno"  # as older servers call it
    return fields.integer(message, name, -INT64, INT64, default)


def _read_pdu(message: dict[str, Any]) -> bytes:
    pdu = fields.hexadecimal(message, "pdu", LONGEST_FRAME)
    if not pdu:
        raise WireError("expected a pdu of at least one byte; got none")
    return pdu


def read_mux_time(message: dict[str, Any]) -> float | None:
    mux_time_s: float | None = fields.number(message, "MuxTime", 0, FAR_S, None)
    return mux_time_s


def schedule_document(message: Schedule) -> dict[str, Any]:
    frames = [
        {
            "diid": frame.diid,
            "DR": frame.window.dr,
            "Freq": frame.window.frequency_hz,
            "pdu": frame.pdu.hex(),
            "priority": frame.priority,
            **({"gpstime": frame.gpstime} if frame.gpstime else {"xtime": frame.xtime}),
            **_optional(frame),
        }
        for frame in message.frames
    ]
    return {"msgtype": "dnsched", "schedule": frames, **mux_time(message)}


def read_schedule(message: dict[str, Any]) -> Schedule:
    frames = tuple(
        _read_scheduled(fields.nested(frame, "schedule"))
        for frame in fields.listed(message, "schedule", [])
    )
    return Schedule(frames, read_mux_time(message))


def _read_scheduled(frame: dict[str, Any]) -> Scheduled:
    window = _read_window(frame, "DR", "Freq")
    gpstime = fields.integer(frame, "gpstime", 0, INT64, 0)
    gpstime = gpstime or 1_000_000 * fields.integer(frame, "ontime", 0, 2**40, 0)
    xtime = fields.integer(frame, "xtime", 0, INT64, 0)
    if window is None or not (gpstime or xtime):
        raise WireError("expected DR, Freq and gpstime or xtime in schedule; got less")
    return Scheduled(
        pdu=_read_pdu(frame),
        window=window,
        gpstime=gpstime,
        xtime=xtime,
        diid=read_diid(frame, 0),
        priority=fields.integer(frame, "priority", 0, 255, 0),
        rctx=fields.integer(frame, "rctx", -INT64, INT64, 0),
        preamble=fields.integer(frame, "preamble", 0, 0xFFFF, 8) or 8,
        adds_crc=fields.boolean(frame, "addcrc", False),
    )
