"""
A port that takes POSTs: where a platform's webhooks arrive.

Every POST is answered with 200 and handed over within the clock; anything else with 405. What is no
HTTP ends its connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from simulators.transports.endpoint import reason_of
from simulators.transports.http import TransportError

Received = Callable[[str, bytes], None]  # path and body

LONGEST = 1024 * 1024
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_WRONG = b"HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n"


class PostPort:
    """Open it with ``listen``; what comes while nobody ``received`` is told is forgotten."""

    def __init__(self) -> None:
        self.received: Received | None = None
        self.port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    @classmethod
    async def listen(cls, host: str, port: int) -> PostPort:
        """
        Open a port; 0 takes a free one.

        Raises:
            TransportError: the port is taken, or not ours to take.
        """
        made = cls()
        loop = asyncio.get_running_loop()
        try:
            made._server = await loop.create_server(lambda: _Connection(made), host, port)
        except OSError as problem:
            told = f"could not listen on {host}:{port}: {reason_of(problem)}"
            raise TransportError(told) from problem
        made.port = made._server.sockets[0].getsockname()[1]
        return made

    def close(self) -> None:
        """Take nothing any more."""
        self.received = None
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.drop()

    def opened(self, connection: _Connection) -> None:
        """Somebody has connected."""
        self._connections.add(connection)

    def closed(self, connection: _Connection) -> None:
        """And has gone."""
        self._connections.discard(connection)

    def take(self, path: str, body: bytes) -> None:
        """A POST came."""
        if self.received is not None:
            self.received(path, body)


class _Connection(asyncio.Protocol):
    """One client: requests one after the other."""

    def __init__(self, port: PostPort) -> None:
        self._port = port
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._path = b""
        self._body = bytearray()

    def drop(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's do not inherit
        self._port.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._port.closed(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.drop()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._path = b""
        self._body.clear()

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > LONGEST:
            self.drop()

    def on_message_complete(self) -> None:
        if self._transport is None:
            return
        is_post = self._parser.get_method() == b"POST"
        self._transport.write(_OK if is_post else _WRONG)
        if is_post:
            self._port.take(self._path.decode("latin-1"), bytes(self._body))
