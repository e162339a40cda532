"""
The event stream of The Things Stack: opened by a POST, read until it is closed.

Messages are JSON objects whatever stands between them; how they were framed is in ``chunks``.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any, Protocol

from conformance.clients.connection import host_header
from conformance.clients.http import Http
from conformance.clients.json_documents import JsonDocuments
from conformance.clients.stream import Stream
from conformance.clients.things_stack import LONGEST_WAIT_S, TRIES, seconds_to_wait
from conformance.outcomes import Inconclusive

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
    """
    Subscribe; ``body`` is the request: ``identifiers``, and perhaps ``names``.

    A refusal for the sake of a rate limit is waited for, as its headers say.
    """
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
    for _ in range(TRIES):
        stream = EventStream(http, EVENTS, headers=fields, timeout_s=timeout_s, request=request)
        wait_s = seconds_to_wait(stream.response) if stream.status == 429 else None
        if wait_s is None:
            break
        stream.close()
        time.sleep(min(wait_s, LONGEST_WAIT_S))
    return stream


class Messages(Protocol):
    """Where messages come in."""

    @property
    def values(self) -> list[Any]:
        """Those that have come so far."""


class Subscription:
    """
    Events about the same entities for a long time: subscribed to anew when a stream has ended.

    Deployments, and what stands before them, cut streams that live long or are read slowly. What
    happens between two streams is not heard.

    Args:
        subscribe: opens a stream.
    """

    def __init__(self, subscribe: Callable[[], Stream]) -> None:
        self._subscribe = subscribe
        self._before: list[Any] = []
        self._stream = subscribe()

    @property
    def values(self) -> list[Any]:
        """The messages of all streams so far."""
        return [*self._before, *self._stream.values]

    def renew(self) -> None:
        """Subscribe anew if the stream has ended: before something happens that is to be heard."""
        if self._stream.ended is not None:
            self.close()
            self._before += self._stream.values
            self._stream = self._subscribe()

    def be_open(self) -> None:
        """
        To be called when something has not come.

        Raises:
            Inconclusive: nothing could, for the stream has ended.
        """
        if self._stream.ended is not None:
            raise Inconclusive(f"the stream of the application's events: {self._stream.ended}")

    def close(self) -> None:
        """Stop listening."""
        self._stream.close()


def events_in(stream: Messages) -> list[dict[str, Any]]:
    """The events that have come so far, without their ``result`` around them."""
    values = [value for value in stream.values if isinstance(value, dict)]
    return [value["result"] for value in values if isinstance(value.get("result"), dict)]


def is_about(event: dict[str, Any], device_id: str) -> bool:
    """Whether an event is about that device."""
    found = [each.get("device_ids", {}) for each in event.get("identifiers", ())]
    return any(each.get("device_id") == device_id for each in found)
