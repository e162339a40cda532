"""
Gateways' datagrams and WebSockets on their way to a core and back, whatever carries them.

A shell hands in how a call reaches its core, so that what a call changes is kept before its effects
leave.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from simulators.platforms.effects import (
    Datagram,
    Effects,
    NetworkCore,
    SocketClose,
    SocketText,
)
from simulators.transports.udp import Address, DatagramPort
from simulators.transports.websocket import Handler, Refusal, Request, WebSocket

# Calls with the time now, and sees to the effects.
LetIn = Callable[[Callable[[int], Effects]], None]

_NOT_YET = Refusal(503, "not serving yet")
_FAILED = Refusal(500, "internal error")


class GatewayFront:
    """
    Between one core and its ports.

    Until ``is_open`` datagrams are lost and connections refused: the core has to resume first.
    """

    def __init__(self, core: NetworkCore, let_in: LetIn) -> None:
        self.is_open = False
        self.port: DatagramPort | None = None
        self._core = core
        self._let_in = let_in
        self._numbers = count(1)
        self._sockets: dict[int, _Socket] = {}

    # --- from gateways

    def received(self, data: bytes, address: Address) -> None:
        """A datagram came."""
        if self.is_open:
            self._let_in(lambda now_us: self._core.datagram(data, address, now_us))

    def accept(self, request: Request) -> Handler | Refusal:
        """A client asks for a connection."""
        if not self.is_open:
            return _NOT_YET
        socket, refusals = _Socket(self, next(self._numbers)), [_FAILED]
        number, headers = socket.number, request.headers
        if request.peer:
            headers = {**headers, "x-real-ip": request.peer}
        self._sockets[number] = socket

        def ask(now_us: int) -> Effects:
            answer = self._core.socket_opened(number, request.path, headers, now_us)
            refusals.clear()
            if isinstance(answer, Refusal):
                refusals.append(answer)
                return []
            return answer

        self._let_in(ask)
        if refusals:
            del self._sockets[number]
            return refusals[0]
        return socket

    def text(self, number: int, text: str) -> None:
        """A message came on a socket."""
        self._let_in(lambda now_us: self._core.socket_text(number, text, now_us))

    def closed(self, number: int) -> None:
        """A socket is gone."""
        self._sockets.pop(number, None)
        self._let_in(lambda now_us: self._core.socket_closed(number, now_us))

    # --- to gateways

    def send(self, effect: Datagram) -> None:
        """Send a datagram."""
        if self.port is not None:
            self.port.send(effect.data, effect.address)

    def send_text(self, effect: SocketText) -> None:
        """Send a message; what is for a socket that is gone is lost."""
        socket = self._sockets.get(effect.socket_id)
        if socket is not None:
            socket.send(effect.text)

    def close(self, effect: SocketClose) -> None:
        """Close a socket; the core hears no more of it."""
        socket = self._sockets.pop(effect.socket_id, None)
        if socket is not None:
            socket.close()


class _Socket:
    """One connection's handler; what is sent before it is open waits for that."""

    def __init__(self, front: GatewayFront, number: int) -> None:
        self.number = number
        self._front = front
        self._socket: WebSocket | None = None
        self._waiting: list[str] = []
        self._is_closed = False

    def send(self, text: str) -> None:
        """Send a message."""
        if self._socket is None:
            self._waiting.append(text)
        else:
            self._socket.send(text)

    def close(self) -> None:
        """Close it."""
        self._is_closed = True
        if self._socket is not None:
            self._socket.close()

    # --- Handler

    def opened(self, socket: WebSocket) -> None:
        self._socket = socket
        for text in self._waiting:
            socket.send(text)
        self._waiting.clear()
        if self._is_closed:
            socket.close()

    def received(self, text: str) -> None:
        self._front.text(self.number, text)

    def closed(self, reason: str) -> None:
        self._front.closed(self.number)
