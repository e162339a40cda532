"""
The event stream of The Things Stack: opened by a POST, read until it is closed.

Messages are JSON objects whatever stands between them; how they were framed is in ``chunks``.
"""

from __future__ import annotations

import json
import re
from typing import Any

from conformance.clients.connection import host_header
from conformance.clients.http import Http
from conformance.clients.json_documents import JsonDocuments
from conformance.clients.stream import Stream

EVENTS = "/api/v3/events"
EVENT_STREAM = "text/event-stream"


class _Messages(JsonDocuments):
    """Finds messages, also of a server that writes ``data:`` before them."""

    def feed(self, data: bytes) -> list[Any]:
        """See JsonDocuments."""
        return super().feed(_PREFIX.sub(b"", data))


class EventStream(Stream):
    """A stream of events."""

    parser = _Messages


_PREFIX = re.compile(rb"^data: ?", re.MULTILINE)


def open_events(
    http: Http, api_key: str, body: Any, *, accept: str = EVENT_STREAM, timeout_s: float = 10.0
) -> Stream:
    """Subscribe; ``body`` is the request: ``identifiers``, and perhaps ``names``."""
    document = json.dumps(body).encode()
    fields = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    head = [
        f"POST {http.prefix}{EVENTS} HTTP/1.1",
        f"Host: {host_header(http.url)}",
        *(f"{name}: {value}" for name, value in fields.items()),
        f"Accept: {accept}",
        "Content-Type: application/json",
        "User-Agent: thingrig",
        f"Content-Length: {len(document)}",
    ]
    request = "\r\n".join([*head, "", ""]).encode() + document
    return EventStream(http, EVENTS, headers=fields, timeout_s=timeout_s, request=request)


def events_in(stream: Stream) -> list[dict[str, Any]]:
    """The events that have come so far, without their ``result`` around them."""
    values = [value for value in stream.values if isinstance(value, dict)]
    return [value["result"] for value in values if isinstance(value.get("result"), dict)]


def is_about(event: dict[str, Any], device_id: str) -> bool:
    """Whether an event is about that device."""
    found = [each.get("device_ids", {}) for each in event.get("identifiers", ())]
    return any(each.get("device_id") == device_id for each in found)
