"""
The trace of a run: on disk when a test ends, in the order of time when the run does.

Requests stand in it as they were sent, with their fields and every byte of their body, so that they
can be XX
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from conformance.clients.exchange import Exchange, Response
from scenarios.secrets import SecretRegistry
from scenarios.trace import Event, TraceWriter, read_trace, writable

Message = dict[str, Any]
Moment = tuple[float, str, Message]  # monotonic seconds, direction, what was sent or came


def events_of(
    exchanges: Iterable[Exchange], test: str, *, started: float, secrets: SecretRegistry
) -> list[dict[str, Any]]:
    """
    What a test exchanged, in the order of time, without secrets.

    Exchanges that overlap are those of several devices: ``test``, ``test #2`` and so on.

    Args:
        started: monotonic seconds at which the trace begins.
    """
    events: list[Event] = []
    busy_until: list[int] = []  # one for each device
    for exchange in sorted(exchanges, key=lambda each: each.started):
        moments = [
            Event(max(0, round((at_s - started) * 1_000_000)), test, direction, "http", message)
            for at_s, direction, message in _messages(exchange, secrets)
        ]
        idle = (each for each, until in enumerate(busy_until) if until <= moments[0].at)
        number = next(idle, len(busy_until))
        busy_until[number : number + 1] = [moments[-1].at]
        device = test if not number else f"{test} #{number + 1}"
        events += [event._replace(device=device) for event in moments]
    events.sort(key=lambda event: event.at)
    return [secrets.redact(event._asdict()) for event in events]


def is_open(exchange: Exchange) -> bool:
    """Whether it is a stream of which more may come."""
    return exchange.heard is not None and not exchange.heard().is_over


def _messages(exchange: Exchange, secrets: SecretRegistry) -> Iterator[Moment]:
    if exchange.heard is not None and exchange.response.status in (200, None):
        yield from _stream(exchange)
        return
    yield exchange.started, "uplink", _request(exchange, secrets)
    yield max(exchange.started, exchange.ended), "downlink", _answer(exchange.response)


def _stream(exchange: Exchange) -> Iterator[Moment]:
    assert exchange.heard is not None
    heard = exchange.heard()
    opened = exchange.started
    request: Message = {"method": "GET", "target": exchange.target, "stream": True}
    if session := exchange.headers.get("Authorization"):
        request["authorization"] = session
    yield opened, "uplink", request
    for at, document in heard.documents:
        opened = max(opened, at)
        yield opened, "downlink", {"stream": document}
    if heard.ended is not None:
        yield max(opened, heard.until), "downlink", {"stream_end": heard.ended}
    else:
        yield max(opened, heard.until), "uplink", {"stream_closed": True}


def _request(exchange: Exchange, secrets: SecretRegistry) -> Message:
    message: Message = {
        "method": exchange.method,
        "target": exchange.target,
        "headers": dict(exchange.headers),
        "body": _text(secrets.redact(exchange.body)),
    }
    if exchange.raw is not None:
        message |= {"raw": _text(secrets.redact(exchange.raw)), "answers": exchange.answers}
    return message


def _answer(response: Response) -> Message:
    if response.status is None:
        return {"failure": response.error}
    try:
        document = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        document = response.body
    return writable(
        {"status": response.status, "document": document, "headers": dict(response.headers)}
    )


def _text(data: bytes) -> Any:
    """Bytes as text, or encoded where they are none."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


class RunTrace:
    """Writes one trace."""

    def __init__(self, path: Path, header: dict[str, Any], secrets: SecretRegistry) -> None:
        self._path = path
        self._secrets = secrets
        self._header = header
        self._file = path.open("wb")
        self._writer = TraceWriter(self._file, {**header, "duration_us": None}, secrets)
        self._file.flush()

    def add(self, events: Sequence[dict[str, Any]]) -> None:
        """Write what a test did."""
        for event in events:
            self._writer.event(Event(**event))
        self._file.flush()

    def close(self, *, duration_us: int) -> None:
        """Put the events in order."""
        self._file.close()
        events = sorted(read_trace(self._path).events, key=lambda event: event.at)
        ordered = self._path.with_suffix(".ordered")
        with ordered.open("wb") as file:
            writer = TraceWriter(file, {**self._header, "duration_us": duration_us}, self._secrets)
            for event in events:
                writer.event(event)
        os.replace(ordered, self._path)
