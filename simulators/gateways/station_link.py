"""
How a Basics Station finds its server and stays with it: discovery, connection, back-off.

Source: lorabasics/basicstation 2.0.6, src/tc.c.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

import simpy

from simulators.clock import Clock
from simulators.transports.websocket import WebSocket, WebSocketTransport
from simulators.wire.basics_station.coding import decode_discovery, encode
from simulators.wire.basics_station.messages import RouterInfoRequest
from simulators.wire.errors import WireError

TIMEOUT_S = 60.0
QUICK_RETRIES = 4  # of a connection that was lost, before everything begins anew
LONGEST_BACKOFF = 6  # times ten seconds

Steps = Generator[simpy.Event, Any, Any]


class Line:
    """One connection's handler: passes on what comes, and keeps how it ended."""

    def __init__(
        self, clock: Clock, opened: Callable[[WebSocket], None], received: Callable[[str], None]
    ) -> None:
        self.is_open = False
        self.ready = clock.event()
        self.over = clock.event()  # value: the reason
        self._opened = opened
        self._received = received

    def opened(self, socket: WebSocket) -> None:
        """As Handler.opened."""
        self.is_open = True
        self.ready.succeed()
        self._opened(socket)

    def received(self, text: str) -> None:
        """As Handler.received."""
        self._received(text)

    def closed(self, reason: str) -> None:
        """As Handler.closed."""
        if not self.over.triggered:
            self.is_open = False
            self.over.succeed(reason)


class StationLink:
    """
    The way to the server.

    ``opened`` is called with each data connection, ``received`` with what comes on it. ``told`` is
    called for the trace: a direction, the connection, and what was said or how it ended.
    """

    def __init__(
        self,
        clock: Clock,
        sockets: WebSocketTransport,
        *,
        eui: str,
        uri: str,
        headers: Mapping[str, str],
        opened: Callable[[WebSocket], None],
        received: Callable[[str], None],
        told: Callable[[str, str, str], None],
    ) -> None:
        self._clock = clock
        self._sockets = sockets
        self._eui = eui
        self._uri = uri.rstrip("/")
        self._headers = headers
        self._opened = opened
        self._received = received
        self._told = told
        self._retries = 0
        self._line: Line | None = None
        self._socket: WebSocket | None = None

    def settle(self) -> None:
        """The server configured the station: the next failure is the first one again."""
        self._retries = 0

    def send(self, text: str) -> bool:
        """Send a message; False when there is no connection."""
        if self._line is None or not self._line.is_open or self._socket is None:
            return False
        self._socket.send(text)
        return True

    def drop(self, reason: str) -> None:
        """End the connection, and begin anew."""
        if self._line is not None and self._socket is not None:
            self._socket.close()
            self._line.closed(reason)

    def live(self) -> Steps:
        """The whole life of a station's link; to be started with ``clock.process``."""
        while True:
            uri = yield from self._discover()
            while uri is not None:
                was_open = yield from self._stay(uri)
                if not was_open or self._retries > QUICK_RETRIES:
                    self._retries = 1
                    break
                yield self._clock.sleep(1 << self._retries)
                self._retries += 1
            yield self._clock.sleep(10 * min(self._retries, LONGEST_BACKOFF))
            self._retries += 1

    def _discover(self) -> Steps:
        """The address of the data connection; None when there is none to be had."""
        answers: list[str] = []
        answered = self._clock.event()

        def ask(socket: WebSocket) -> None:
            question = encode(RouterInfoRequest(self._eui))
            self._told("uplink", "/router-info", question)
            socket.send(question)

        def take(text: str) -> None:
            self._told("downlink", "/router-info", text)
            if not answers:
                answers.append(text)
                answered.succeed()

        line = Line(self._clock, ask, take)
        url = f"{self._uri}/router-info"
        socket = self._sockets.connect(url, line, headers=self._headers)
        timeout = self._clock.sleep(TIMEOUT_S)
        yield answered | line.over | timeout
        socket.close()
        if not answers:
            reason = line.over.value if line.over.triggered else f"no answer in {TIMEOUT_S:g} s"
            self._told("none", "/router-info", str(reason))
            return None
        return self._uri_of(answers[0])

    def _uri_of(self, text: str) -> str | None:
        try:
            info = decode_discovery(text)
        except WireError as problem:
            self._told("none", "/router-info", str(problem))
            return None
        return None if info.error is not None else info.uri

    def _stay(self, uri: str) -> Steps:
        """Stay on a data connection to its end; whether it was ever open."""
        line = self._line = Line(self._clock, self._opened, self._received)
        self._socket = self._sockets.connect(uri, line, headers=self._headers)
        yield line.ready | line.over | self._clock.sleep(TIMEOUT_S)
        if line.ready.triggered:
            yield line.over
        elif not line.over.triggered:
            self.drop(f"no connection in {TIMEOUT_S:g} s")
        self._told("none", "data", str(line.over.value))
        return line.ready.triggered
