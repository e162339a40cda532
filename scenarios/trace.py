"""
A trace: what happened, in order, one JSON document per line.

The first line is the header; each further line is one event, its time ``at`` in microseconds since
the scenario's start. A trace cut off in mid-line is readable up to that line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

from scenarios.secrets import SecretRegistry

FORMAT = "thingrig-trace/1"


class Event(NamedTuple):
    """
    One line of a trace.

    ``direction`` is seen from the device: ``uplink``, ``downlink``, or ``none`` for what concerns
    no message (a fault, a judgement). ``channel`` is ``http``, or of a gateway ``udp`` or
    ``websocket``; ``radio`` for what is on air; ``fault``, ``step`` or ``expect``.
    """

    at: int
    device: str
    direction: str
    channel: str
    message: Any


class TraceError(Exception):
    """A trace that has no readable header, or a damaged line before its end."""


class TraceWriter:
    """Writes a trace to an open binary file; secrets are replaced on the way."""

    def __init__(self, file: BinaryIO, header: dict[str, Any], secrets: SecretRegistry) -> None:
        self._file = file
        self._secrets = secrets
        self.events = 0
        self._line({"type": "header", "format": FORMAT, **header})

    def event(self, event: Event) -> None:
        """Append one event."""
        self.events += 1
        try:
            self._line(event._asdict())
        except (TypeError, RecursionError):  # a platform may answer with anything, however deep
            self._line(
                event._replace(message={"unwritable": type(event.message).__name__})._asdict()
            )

    def _line(self, document: dict[str, Any]) -> None:
        self._file.write(orjson.dumps(self._secrets.redact(document)) + b"\n")


def writable(message: dict[str, Any]) -> dict[str, Any]:
    """A body that is not JSON has no place in a line of JSON: length, beginning and digest have."""
    body = message.get("document")
    if isinstance(body, bytes | bytearray):
        document = {"bytes": len(body), "begins": bytes(body[:64]).hex(), "sha256": _digest(body)}
        return {**message, "document": document}
    return message


def _digest(body: bytes | bytearray) -> str:
    return hashlib.sha256(body).hexdigest()


class Trace(NamedTuple):
    """A trace read back; ``is_cut`` when its last line was incomplete and left out."""

    header: dict[str, Any]
    events: list[Event]
    is_cut: bool


def read_trace(path: Path) -> Trace:
    """
    Read a trace, up to a cut-off last line.

    Raises:
        TraceError: no header of a known format, or a line that is broken but not the last one.
    """
    lines = path.read_bytes().split(b"\n")
    tail = lines.pop()
    documents = list(_documents(path, lines))
    if not documents or documents[0].get("format") != FORMAT:
        raise TraceError(f"{path}:1: expected a trace header with format {FORMAT}")
    events = [_event(path, number, each) for number, each in enumerate(documents[1:], start=2)]
    return Trace(documents[0], events, is_cut=bool(tail))


def _documents(path: Path, lines: list[bytes]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        try:
            document = json.loads(line)
        except ValueError as problem:
            raise TraceError(f"{path}:{number}: expected a JSON document") from problem
        if not isinstance(document, dict):
            raise TraceError(f"{path}:{number}: expected a JSON object")
        yield document


def _event(path: Path, number: int, document: dict[str, Any]) -> Event:
    try:
        return Event(**document)
    except TypeError as problem:
        keys = ", ".join(Event._fields)
        raise TraceError(f"{path}:{number}: expected an event with {keys}") from problem
