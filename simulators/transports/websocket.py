"""
WebSocket connections as gateways and their servers need them: text in both directions.

Nothing waits: a connection is asked for, and what becomes of it is told by calls. On the wall clock
``websocket_sockets.py`` carries them; on the virtual clock ``MemoryWebSockets`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from simulators.clock import Clock

NO_HEADERS: Mapping[str, str] = {}


class WebSocket(Protocol):
    """One end of a connection."""

    def send(self, text: str) -> None:
        """Send a message; on a connection that is not open it is lost."""

    def close(self) -> None:
        """End the connection in order; nothing is told of it on this side any more."""


class Handler(Protocol):
    """What one end does about its connection; all calls come within the clock."""

    def opened(self, socket: WebSocket) -> None:
        """Messages may be sent."""

    def received(self, text: str) -> None:
        """A message came."""

    def closed(self, reason: str) -> None:
        """The connection ended, or never came about; the last call."""


class WebSocketTransport(Protocol):
    """The way from clients to servers."""

    def connect(
        self, url: str, handler: Handler, *, headers: Mapping[str, str] = NO_HEADERS
    ) -> WebSocket:
        """Ask for a connection to ``ws://…`` or ``wss://…``; an address that is none is told."""


class Request(NamedTuple):
    """
    What a client asks a server for; names of headers are in lower case.

    ``peer`` is the client's IP address, "" where it has none.
    """

    path: str
    headers: Mapping[str, str]
    peer: str = ""


class Refusal(NamedTuple):
    """An answer that opens nothing."""

    status: int
    reason: str


# Whoever serves: gives the other end's handler, or refuses.
Accept = Callable[[Request], Handler | Refusal]


class MemoryWebSockets:
    """
    A server and its clients' way to it, in memory.

    ``delay_us`` is how long a message travels; connecting takes one way there and one back.
    """

    def __init__(self, clock: Clock, *, delay_us: int = 0) -> None:
        self._clock = clock
        self._delay_us = delay_us
        self._accept: Accept | None = None
        self._ends: list[_End] = []

    def serve(self, accept: Accept) -> None:
        """Be the server from now on."""
        self._accept = accept

    def stop(self, reason: str = "the server stopped") -> None:
        """Nobody serves any more: every connection is cut."""
        self._accept = None
        ends, self._ends = self._ends, []
        for end in ends:
            end.cut(reason)

    def connect(
        self, url: str, handler: Handler, *, headers: Mapping[str, str] = NO_HEADERS
    ) -> WebSocket:
        """As WebSocketTransport.connect; every host is this server."""
        client = _End(self, handler)
        known = {"host": host_of(url)} | {name.lower(): value for name, value in headers.items()}
        request = Request(path_of(url), known)
        self.later(lambda: self._arrive(client, request))
        return client

    def later(self, call: Callable[[], None]) -> None:
        """After one way through the air of memory."""
        travel = self._clock.timeout(self._delay_us)
        travel.callbacks.append(lambda _: call())

    def _arrive(self, client: _End, request: Request) -> None:
        if self._accept is None:
            self.later(lambda: client.end("could not connect: connection refused"))
            return
        answer = self._accept(request)
        if isinstance(answer, Refusal):
            self.later(lambda: client.end(f"refused with status {answer.status}"))
            return
        server = _End(self, answer)
        client.peer, server.peer = server, client
        self._ends = [end for end in self._ends if not end.is_over] + [server, client]
        server.open()
        self.later(client.open)


class _End:
    def __init__(self, network: MemoryWebSockets, handler: Handler) -> None:
        self._network = network
        self._handler = handler
        self.peer: _End | None = None
        self.is_over = False

    def send(self, text: str) -> None:
        peer = self.peer
        if peer is not None and not self.is_over:
            self._network.later(lambda: peer.deliver(text))

    def close(self) -> None:
        if not self.is_over:
            self.is_over = True
            if (peer := self.peer) is not None:
                self._network.later(lambda: peer.end("closed by the peer (code 1000)"))

    def open(self) -> None:
        if not self.is_over:
            self._handler.opened(self)

    def deliver(self, text: str) -> None:
        if not self.is_over:
            self._handler.received(text)

    def end(self, reason: str) -> None:
        if not self.is_over:
            self.is_over = True
            self._handler.closed(reason)

    def cut(self, reason: str) -> None:
        """Both ends learn of it when it has travelled."""
        self._network.later(lambda: self.end(reason))


def host_of(url: str) -> str:
    """Host and port of an address, as the header ``Host`` tells them."""
    return url.partition("://")[2].partition("/")[0]


def path_of(url: str) -> str:
    """The path of an address, with its query; ``/`` where there is none."""
    _, _, rest = url.partition("://")
    _, slash, path = rest.partition("/")
    return f"/{path}" if slash else "/"
