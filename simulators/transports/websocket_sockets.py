"""
WebSocket over sockets, for both ends: the wall clock's transport.

The protocol itself, handshake and frames, is the library ``websockets`` without its own I/O; here
are the socket under it, TLS, and the calls into the clock.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidURI
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import WebSocketURI, parse_uri

from simulators.clock import WallClock
from simulators.transports.endpoint import Entrance, reason_of
from simulators.transports.http import TransportError
from simulators.transports.websocket import (
    NO_HEADERS,
    Accept,
    Handler,
    Refusal,
    Request,
    WebSocket,
)

LONGEST_MESSAGE = 1024 * 1024
CONNECT_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 5.0
MOST_UNSENT = 4 * 1024 * 1024  # a client that does not read what a server sends is cut off


class _Connection(asyncio.Protocol):
    """One end of a connection: bytes to the protocol, its events to the handler."""

    def __init__(self, clock: Entrance, protocol: ClientProtocol | ServerProtocol) -> None:
        self._clock = clock
        self._protocol = protocol
        self._handler: Handler | None = None
        self._transport: asyncio.Transport | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._is_told = False  # closed, by us or to us: no further call
        self._has_ended = False  # nothing can be written any more
        self._reason = ""
        self._timer: asyncio.TimerHandle | None = None

    def send(self, text: str) -> None:
        if self._protocol.state is State.OPEN and not self._is_told:
            self._protocol.send_text(text.encode())
            self._flush()

    def close(self) -> None:
        self._is_told = True
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._flush()
        elif self._transport is not None and self._protocol.state is State.CONNECTING:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's do not inherit

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._flush()
        for event in self._protocol.events_received():
            self._event(event)
        self._flush()
        self._note_end()

    def eof_received(self) -> bool:
        self._protocol.receive_eof()
        self._flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        if self._protocol.state is not State.CLOSED:
            self._protocol.receive_eof()
        self._note_end()
        self.end(self._reason or self._last_words(exc))

    def end(self, reason: str) -> None:
        """Tell the handler, once."""
        if not self._is_told:
            self._clock.enter(self._end, reason)

    def _end(self, reason: str) -> None:
        if not self._is_told:
            self._is_told = True
            if self._handler is not None:
                self._handler.closed(reason)

    def _last_words(self, exc: Exception | None) -> str:
        if exc is not None:
            return f"connection cut: {reason_of(exc)}"
        return "connection cut by the peer"

    def _note_end(self) -> None:
        """Remember why it ended, as soon as that is known."""
        protocol = self._protocol
        if self._reason or protocol.state is State.CONNECTING:
            return
        if protocol.parser_exc is not None and protocol.close_sent is not None:
            self._reason = f"the peer broke the protocol: {protocol.parser_exc}"
        elif (closing := protocol.close_rcvd) is not None:
            words = f": {closing.reason}" if closing.reason else ""
            self._reason = f"closed by the peer (code {closing.code}{words})"

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if self._transport is None or self._has_ended:
                continue  # what breaks the protocol together with the handshake ends it before
            if data:
                self._transport.write(data)
                continue
            self._has_ended = True
            if self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()
        if self._timer is None and self._protocol.close_expected():
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(CLOSE_TIMEOUT_S, self._give_up)

    def _give_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _event(self, event: Any) -> None:
        if isinstance(event, Frame):
            self._frame(event)
        else:
            self._handshake(event)

    def _handshake(self, event: HttpRequest | Response) -> None:
        raise NotImplementedError

    def _frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.BINARY:
            self._refuse(CloseCode.UNSUPPORTED_DATA, "expected text; got bytes")
            return
        if frame.opcode not in (Opcode.TEXT, Opcode.CONT):
            return  # pings are answered, and closes heeded, by the protocol
        self._pieces.append(bytes(frame.data))
        self._size += len(frame.data)
        if self._size > LONGEST_MESSAGE:
            self._refuse(CloseCode.MESSAGE_TOO_BIG, f"expected at most {LONGEST_MESSAGE} bytes")
        elif frame.fin:
            self._message(b"".join(self._pieces))
            self._pieces.clear()
            self._size = 0

    def _message(self, data: bytes) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self._refuse(CloseCode.INVALID_DATA, "expected UTF-8; got other bytes")
            return
        if self._handler is not None and not self._is_told:
            self._clock.enter(self._deliver, text)

    def _refuse(self, code: CloseCode, reason: str) -> None:
        self._reason = reason
        self._protocol.fail(code, reason)

    def _deliver(self, text: str) -> None:
        if self._handler is not None and not self._is_told:
            self._handler.received(text)

    def _opened(self) -> None:
        if self._handler is not None and not self._is_told:
            self._handler.opened(self)


class _Client(_Connection):
    def __init__(
        self, clock: WallClock, uri: WebSocketURI, handler: Handler, headers: Mapping[str, str]
    ) -> None:
        self._client = ClientProtocol(uri, max_size=LONGEST_MESSAGE)
        super().__init__(clock, self._client)
        self._handler = handler
        self._headers = headers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._is_told:
            self.close()
            return
        request = self._client.connect()
        request.headers.update(self._headers)
        self._client.send_request(request)
        self._flush()

    def _handshake(self, event: HttpRequest | Response) -> None:
        if self._client.handshake_exc is None:
            self._clock.enter(self._opened)
        elif isinstance(event, Response) and event.status_code != 101:
            self._reason = f"refused with status {event.status_code}"

    def _last_words(self, exc: Exception | None) -> str:
        if self._client.handshake_exc is not None:
            return f"expected a WebSocket server; {self._client.handshake_exc}"
        return super()._last_words(exc)


class _Server(_Connection):
    def __init__(
        self,
        clock: Entrance,
        accept: Accept,
        connections: set[_Connection],
        ping_s: float | None,
        most: int | None,
    ) -> None:
        self._server = ServerProtocol(max_size=LONGEST_MESSAGE)
        super().__init__(clock, self._server)
        self._accept = accept
        self._connections = connections
        connections.add(self)
        self._ping_s = ping_s
        self._most = most
        self._is_heard = False  # since the last ping
        self._pinger: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._most is not None and len(self._connections) > self._most:
            asyncio.get_running_loop().call_soon(self.abort)
        else:
            self._ping_later()

    def data_received(self, data: bytes) -> None:
        self._is_heard = True
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        if self._pinger is not None:
            self._pinger.cancel()
        super().connection_lost(exc)

    def send(self, text: str) -> None:
        super().send(text)
        if self._transport is not None and self._transport.get_write_buffer_size() > MOST_UNSENT:
            self.abort()

    def _ping_later(self) -> None:
        if self._ping_s is not None:
            loop = asyncio.get_running_loop()
            self._pinger = loop.call_later(self._ping_s, self._ping)

    def _ping(self) -> None:
        """Whoever is silent between two pings is gone; so is who has not asked for anything yet."""
        if not self._is_heard or self._protocol.state is State.CONNECTING:
            self._reason = "no answer to a ping"
            self.abort()
            return
        self._is_heard = False
        if self._protocol.state is State.OPEN:
            self._protocol.send_ping(b"")
            self._flush()
        self._ping_later()

    def abort(self) -> None:
        """Cut."""
        if self._transport is not None:
            self._transport.abort()

    def _handshake(self, event: HttpRequest | Response) -> None:
        assert isinstance(event, HttpRequest)
        if self._server.eof_sent:
            return  # what came with the request broke the protocol, and nothing can be answered
        response = self._server.accept(event)
        if response.status_code == 101:
            self._clock.enter(self._ask, event, response)
        else:
            self._server.send_response(response)

    def _ask(self, event: HttpRequest, response: Response) -> None:
        headers = {name.lower(): value for name, value in event.headers.raw_items()}
        peer = self._transport and self._transport.get_extra_info("peername")
        answer = self._accept(Request(event.path, headers, peer[0] if peer else ""))
        if isinstance(answer, Refusal):
            refusal = self._server.reject(_status(answer.status), f"{answer.reason}\n")
            self._server.send_response(refusal)
            return
        self._handler = answer
        self._server.send_response(response)
        self._flush()
        self._opened()


class SocketWebSockets:
    """WebSocketTransport over sockets; ``ssl_context`` is for ``wss://``."""

    def __init__(self, clock: WallClock, *, ssl_context: ssl.SSLContext | None = None) -> None:
        self._clock = clock
        self._ssl_context = ssl_context
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(
        self, url: str, handler: Handler, *, headers: Mapping[str, str] = NO_HEADERS
    ) -> WebSocket:
        """As WebSocketTransport.connect."""
        try:
            uri = parse_uri(url)
        except (InvalidURI, ValueError):
            return self._unreachable(url, handler)
        client = _Client(self._clock, uri, handler, headers)
        self._start(self._open(client, uri))
        return client

    def _unreachable(self, url: str, handler: Handler) -> WebSocket:
        nowhere = WebSocketURI(False, "localhost", 80, "/", "", None, None)
        client = _Client(self._clock, nowhere, handler, {})
        reason = f"expected an address ws://… or wss://…; got {url[:80]!a}"
        asyncio.get_running_loop().call_soon(client.end, reason)
        return client

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, client: _Client, uri: WebSocketURI) -> None:
        loop = asyncio.get_running_loop()
        context = (self._ssl_context or ssl.create_default_context()) if uri.secure else None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await loop.create_connection(lambda: client, uri.host, uri.port, ssl=context)
        except (OSError, asyncio.IncompleteReadError, ValueError) as problem:
            # TimeoutError is an OSError; a name that no resolver takes is a ValueError.
            client.end(f"could not connect: {reason_of(problem)}")


class SocketWebSocketServer:
    """Serves WebSocket connections; open it with ``listen``."""

    def __init__(self, server: asyncio.Server, connections: set[_Connection]) -> None:
        self._server = server
        self._connections = connections
        self.port: int = server.sockets[0].getsockname()[1]

    @classmethod
    async def listen(
        cls,
        clock: Entrance,
        accept: Accept,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        ping_s: float | None = None,
        most: int | None = None,
    ) -> SocketWebSocketServer:
        """
        Open a port; 0 takes a free one.

        Args:
            ping_s: between pings, whose answer may take as long; None sends none.
            most: connections at a time; further ones are cut off.
        Raises:
            TransportError: the port is taken, or not ours to take.
        """
        connections: set[_Connection] = set()
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: _Server(clock, accept, connections, ping_s, most),
                host,
                port,
                ssl=ssl_context,
            )
        except (OSError, OverflowError) as problem:
            raise TransportError(f"could not listen on {host}: {reason_of(problem)}") from problem
        return cls(server, connections)

    async def close(self) -> None:
        """Cut every connection and stop listening."""
        self._server.close()
        for connection in list(self._connections):
            cast(_Server, connection).abort()
        await self._server.wait_closed()


def _status(number: int) -> Any:
    return number
