"""Traces written down in tests: a line is a time in milliseconds, a device and a message."""

from __future__ import annotations

from typing import Any

from scenarios.replay.script import Script
from scenarios.trace import Event, Trace

START = "2024-01-01T00:00:00.000000Z"
HEADER = {
    "type": "header", "format": "thingrig-trace/1", "scenario": "x", "platform": "thethings-io",
    "seed": 1, "clock": "virtual", "start": START, "duration_us": 60_000_000,
}  # fmt: skip
CODE = "<activation_code:1:…aaaa>"
TOKEN, OTHER = "<thing_token:2:…bbbb>", "<thing_token:3:…cccc>"
UPLINK = ("method", "stream_closed")

Line = tuple[int, str, dict[str, Any]]


def event(line: Line) -> Event:
    at_ms, device, message = line
    direction = "uplink" if any(name in message for name in UPLINK) else "downlink"
    return Event(at_ms * 1000, device, direction, "http", message)


def trace(*lines: Line) -> Trace:
    return Trace(HEADER, [event(line) for line in lines], is_cut=False)


def script(*lines: Line) -> Script:
    return Script(trace(*lines))


def post(target: str, document: Any = None) -> dict[str, Any]:
    return {"method": "POST", "target": target, "document": document}


def get(target: str) -> dict[str, Any]:
    return {"method": "GET", "target": target, "document": None}


def write(key: str, value: Any, thing_token: str = TOKEN, **more: Any) -> dict[str, Any]:
    return post(f"/v2/things/{thing_token}", {"values": [{"key": key, "value": value, **more}]})


def subscribe(thing_token: str = TOKEN) -> dict[str, Any]:
    return {"method": "GET", "target": f"/v2/things/{thing_token}", "stream": True}


def answer(status: int = 201, document: Any = None) -> dict[str, Any]:
    return {"status": status, "document": {"status": "created"} if document is None else document}


def told(key: str, value: Any) -> dict[str, Any]:
    return {"stream": [{"key": key, "value": value}]}


def activated(thing_token: str = TOKEN, thing_id: str = "T" * 20 + "1") -> dict[str, Any]:
    return answer(document={"status": "created", "thingToken": thing_token, "thingId": thing_id})
