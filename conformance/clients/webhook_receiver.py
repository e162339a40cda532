"""
Receives webhooks: a small HTTP server that keeps every request with its time.

Paths with ``/fail`` in them are answered with status 500, those with ``/status/304`` with that
status and no further headers, all others with 200.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from conformance.clients.exchange import Headers, parse_json

MAX_BODY = 1024 * 1024


class Delivery(NamedTuple):
    """One request."""

    method: str
    path: str
    headers: Headers
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        """The body, or NOT_JSON."""
        return parse_json(self.body)


class WebhookReceiver:
    """
    Listens until it is closed.

    Raises:
        OSError: the address cannot be listened on.
    """

    def __init__(self, listen: str, url: str | None = None) -> None:
        host, _, port = listen.rpartition(":")
        self.deliveries: list[Delivery] = []
        self.look: Callable[[], None] | None = None
        """Called when a wait is over and nothing at all has ever come."""
        self._news = threading.Condition()
        self._server = ThreadingHTTPServer((host.strip("[]"), int(port)), _handler(self))
        self._server.daemon_threads = True
        place = self._server.server_address
        self.url = (url or f"http://{host}:{place[1]}").rstrip("/")
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True, name="webhooks"
        )
        self._thread.start()

    def take(self, delivery: Delivery) -> int:
        """Keep a request; returns the status to answer with."""
        with self._news:
            self.deliveries.append(delivery)
            self._news.notify_all()
        wanted = re.search(r"/status/(\d{3})", delivery.path)
        if wanted is not None:
            return int(wanted[1])
        return 500 if "/fail" in delivery.path else 200

    def to(self, word: str) -> list[Delivery]:
        """Requests so far whose path holds ``word``."""
        return [each for each in list(self.deliveries) if word in each.path]

    def wait_for(self, word: str, *, count: int, within_s: float) -> list[Delivery]:
        """As to, once there are so many or the time is over."""
        with self._news:
            self._news.wait_for(lambda: len(self.to(word)) >= count, timeout=within_s)
        if not self.deliveries and self.look is not None:
            self.look()
        return self.to(word)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)


def _handler(receiver: WebhookReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def _take(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), MAX_BODY)
            pairs = list(self.headers.items())
            delivery = Delivery(
                self.command, self.path, Headers(pairs), self.rfile.read(length), time.monotonic()
            )
            self.send_response(receiver.take(delivery))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET = do_PUT = _take  # noqa: N815 - the base class asks for these names

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    return Handler
