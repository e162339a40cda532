"""
Messages of station and server as text, and text as messages.

Source: lorabasics/basicstation 2.0.6, src/s2e.c, src/tc.c; documentation, "The LNS Protocol".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from simulators.wire import fields
from simulators.wire.basics_station.downlinks import (
    downlink_document,
    mux_time,
    read_diid,
    read_downlink,
    read_mux_time,
    read_schedule,
    schedule_document,
)
from simulators.wire.basics_station.messages import (
    FAR_S,
    HIGHEST_HZ,
    INT64,
    Downlink,
    FromServer,
    FromStation,
    GetXTime,
    RemoteShell,
    RouterInfo,
    RouterInfoRequest,
    RunCommand,
    Schedule,
    TimeSync,
    Transmitted,
    Uplink,
    Version,
    XTimes,
)
from simulators.wire.basics_station.router_config import (
    RouterConfig,
    encode_router_config,
    read_router_config,
)
from simulators.wire.basics_station.uplinks import read_uplink, uplink_document
from simulators.wire.errors import WireError
from simulators.wire.eui import dashed, id6, read_eui


def encode(message: FromStation | FromServer | RouterInfoRequest | RouterInfo) -> str:
    """The message's text."""
    return json.dumps(document(message), separators=(",", ":"))


def document(message: FromStation | FromServer | RouterInfoRequest | RouterInfo) -> dict[str, Any]:
    """The message as the object that is written."""
    return _DOCUMENTS[type(message)](message)


def decode_discovery_request(text: str | bytes) -> RouterInfoRequest:
    """
    What a station says on ``/router-info``.

    Raises:
        WireError: anything else.
    """
    return RouterInfoRequest(read_eui(fields.read_object(text).get("router")))


def decode_discovery(text: str | bytes) -> RouterInfo:
    """
    What a server answers on ``/router-info``.

    Raises:
        WireError: neither a WebSocket address nor an error.
    """
    answer = fields.read_object(text)
    uri = fields.text(answer, "uri", None)
    error = fields.text(answer, "error", None)
    if error is None and (uri is None or not uri.startswith(("ws://", "wss://"))):
        raise WireError(f"expected uri ws://… or wss://…; got {fields.shown(uri)}")
    router = read_eui(answer.get("router", 0))
    return RouterInfo(router, fields.text(answer, "muxs", "::0"), uri, error)


def decode_from_station(text: str | bytes) -> FromStation:
    """
    What a station sends on its data connection.

    Raises:
        WireError: an unknown ``msgtype``, or a field that is absent or wrong.
    """
    return _decoded(text, _FROM_STATION)  # type: ignore[no-any-return]  # a table of decoders


def decode_from_server(text: str | bytes) -> FromServer:
    """
    What a server sends on the data connection.

    Raises:
        WireError: an unknown ``msgtype``, or a field that is absent or wrong.
    """
    return _decoded(text, _FROM_SERVER)  # type: ignore[no-any-return]  # a table of decoders


def _decoded(text: str | bytes, decoders: dict[str, Callable[[dict[str, Any]], Any]]) -> Any:
    message = fields.read_object(text)
    kind = fields.text(message, "msgtype")
    if kind not in decoders:
        raise WireError(f"expected msgtype among {', '.join(decoders)}; got {fields.shown(kind)}")
    return decoders[kind](message)


def _version_document(message: Version) -> dict[str, Any]:
    told = {key: value for key, value in message._asdict().items() if value is not None}
    return {"msgtype": "version", **told}


def _read_version(message: dict[str, Any]) -> Version:
    return Version(
        station=fields.text(message, "station", ""),
        firmware=fields.text(message, "firmware", None),
        package=fields.text(message, "package", None),
        model=fields.text(message, "model", None),
        protocol=fields.integer(message, "protocol", 0, 255),
        features=fields.text(message, "features", ""),
    )


def _transmitted_document(message: Transmitted) -> dict[str, Any]:
    return {
        "msgtype": "dntxed",
        "seqno": message.diid,
        "diid": message.diid,
        "DR": message.dr,
        "Freq": message.frequency_hz,
        "DevEui": dashed(message.dev_eui),
        "rctx": message.rctx,
        "xtime": message.xtime,
        "txtime": message.txtime_s,
        "gpstime": message.gpstime,
    }


def _read_transmitted(message: dict[str, Any]) -> Transmitted:
    return Transmitted(
        diid=read_diid(message),
        dr=fields.integer(message, "DR", 0, 15, 0),
        frequency_hz=fields.integer(message, "Freq", 0, HIGHEST_HZ, 0),
        dev_eui=read_eui(message.get("DevEui", message.get("DevEUI", 0))),
        xtime=fields.integer(message, "xtime", -INT64, INT64, 0),
        rctx=fields.integer(message, "rctx", -INT64, INT64, 0),
        txtime_s=fields.number(message, "txtime", 0, FAR_S, 0.0),
        gpstime=fields.integer(message, "gpstime", 0, INT64, 0),
    )


_TIMES = {"txtime_us": "txtime", "gpstime": "gpstime", "xtime": "xtime", "mux_time_s": "MuxTime"}


def _time_sync_document(message: TimeSync) -> dict[str, Any]:
    told = {name: getattr(message, key) for key, name in _TIMES.items()}
    return {"msgtype": "timesync", **{k: v for k, v in told.items() if v is not None}}


def _read_time_sync(message: dict[str, Any]) -> TimeSync:
    return TimeSync(
        txtime_us=fields.integer(message, "txtime", 0, INT64, None),
        gpstime=fields.integer(message, "gpstime", 0, INT64, None),
        xtime=fields.integer(message, "xtime", 0, INT64, None),
        mux_time_s=read_mux_time(message),
    )


def _read_xtimes(message: dict[str, Any]) -> XTimes:
    values = fields.listed(message, "xtimes")
    return XTimes(
        tuple(fields.integer({"xtimes": value}, "xtimes", -INT64, INT64) for value in values),
        ustime_s=fields.number(message, "ustime", 0, FAR_S),
        utc_s=fields.number(message, "UTCtime", 0, FAR_S),
        mux_time_s=read_mux_time(message) or 0.0,
    )


def _xtimes_document(message: XTimes) -> dict[str, Any]:
    return {
        "msgtype": "getxtime",
        "MuxTime": message.mux_time_s,
        "ustime": message.ustime_s,
        "UTCtime": message.utc_s,
        "xtimes": list(message.xtimes),
    }


def _read_command(message: dict[str, Any]) -> RunCommand:
    values = fields.listed(message, "arguments", [])
    arguments = tuple(fields.text({"arguments": value}, "arguments") for value in values)
    return RunCommand(fields.text(message, "command"), arguments)


def _router_info_document(message: RouterInfo) -> dict[str, Any]:
    made = {"router": id6(message.router), "muxs": message.muxs}
    told = {"uri": message.uri, "error": message.error}
    return {**made, **{key: value for key, value in told.items() if value is not None}}


_DOCUMENTS: dict[type[Any], Callable[[Any], dict[str, Any]]] = {
    RouterInfoRequest: lambda message: {"router": id6(message.router)},
    RouterInfo: _router_info_document,
    Version: _version_document,
    Uplink: uplink_document,
    Transmitted: _transmitted_document,
    TimeSync: _time_sync_document,
    XTimes: _xtimes_document,
    RouterConfig: encode_router_config,
    Downlink: downlink_document,
    Schedule: schedule_document,
    GetXTime: lambda message: {"msgtype": "getxtime", **mux_time(message)},
    RunCommand: lambda message: {
        "msgtype": "runcmd",
        "command": message.command,
        "arguments": list(message.arguments),
    },
    RemoteShell: lambda message: {**message.document, "msgtype": "rmtsh"},
}

_FROM_STATION: dict[str, Callable[[dict[str, Any]], Any]] = {
    "version": _read_version,
    "jreq": read_uplink,
    "updf": read_uplink,
    "propdf": read_uplink,
    "dntxed": _read_transmitted,
    "timesync": _read_time_sync,
    "getxtime": _read_xtimes,
    "rmtsh": RemoteShell,
}

_FROM_SERVER: dict[str, Callable[[dict[str, Any]], Any]] = {
    "router_config": read_router_config,
    "dnmsg": read_downlink,
    "dnsched": read_schedule,
    "timesync": _read_time_sync,
    "getxtime": lambda message: GetXTime(read_mux_time(message)),
    "runcmd": _read_command,
    "rmtsh": RemoteShell,
}
