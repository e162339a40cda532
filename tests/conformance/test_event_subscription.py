"""The events of an application over a long time, from one stream after the other."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

import pytest

from conformance.clients.http import Http
from conformance.clients.stream import Stream
from conformance.outcomes import Inconclusive
from conformance.things_stack.event_stream import Subscription, open_events


class Spoken:
    """A stream that tells what the test lets it tell."""

    def __init__(self, *values: str) -> None:
        self.values: list[Any] = list(values)
        self.ended: str | None = None

    def close(self) -> None:
        """Nothing is held."""


def subscription(*streams: Spoken) -> Subscription:
    """One to these streams, in this order."""
    waiting = iter(streams)
    return Subscription(lambda: cast(Stream, next(waiting)))


def test_ended_stream_is_followed_by_another_which_adds_to_it() -> None:
    first, second = Spoken("a"), Spoken("b")
    events = subscription(first, second)
    first.ended = "the stream was ended"

    events.renew()
    second.values.append("c")

    assert events.values == ["a", "b", "c"]


def test_open_stream_stays() -> None:
    events = subscription(Spoken("a"))

    events.renew()
    events.be_open()

    assert events.values == ["a"]


def test_nothing_can_be_missed_on_an_ended_stream() -> None:
    only = Spoken("a")
    events = subscription(only)
    only.ended = "the stream was ended"

    with pytest.raises(Inconclusive, match="application's events: the stream was ended"):
        events.be_open()


def test_limit_of_subscriptions_is_waited_for() -> None:
    asked: list[str] = []

    class Limited(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            self.send_response(429 if len(asked) == 1 else 200)
            self.send_header("X-Rate-Limit-Retry", "0.05")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Limited) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        http = Http(f"http://127.0.0.1:{server.server_address[1]}")
        stream = open_events(http, "", {"identifiers": []})
        stream.close()
        server.shutdown()
        thread.join()

    assert (stream.status, asked) == (200, ["/api/v3/events"] * 2)
