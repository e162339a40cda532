"""WebSocket in memory and over sockets: the same story on both, and peers that misbehave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Generator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme

from simulators.clock import Clock, VirtualClock, WallClock
from simulators.transports.websocket import (
    Handler,
    MemoryWebSockets,
    Refusal,
    Request,
    WebSocket,
    WebSocketTransport,
    path_of,
)
from simulators.transports.websocket_sockets import SocketWebSockets, SocketWebSocketServer
from tests.simulators.transports.worlds import on_virtual_clock, on_wall_clock, until

SECRET = "Bearer NNSXS.secret"


@dataclass
class Notes:
    """A handler that remembers."""

    log: list[str] = field(default_factory=list)
    socket: WebSocket | None = None

    def opened(self, socket: WebSocket) -> None:
        self.socket = socket
        self.log.append("opened")

    def received(self, text: str) -> None:
        self.log.append(text)

    def closed(self, reason: str) -> None:
        self.log.append(f"closed: {reason}")


@dataclass
class World:
    clock: Clock
    transport: WebSocketTransport
    url: str
    server: Notes
    client: Notes = field(default_factory=Notes)
    requests: list[Request] = field(default_factory=list)

    def accept(self, request: Request) -> Handler | Refusal:
        """Let in whoever knows the word."""
        self.requests.append(request)
        if request.headers.get("authorization") != SECRET:
            return Refusal(401, "who are you?")
        return self.server

    def connect(self, path: str = "/traffic/1?x=2", secret: str = SECRET) -> WebSocket:
        return self.transport.connect(
            f"{self.url}{path}", self.client, headers={"Authorization": secret}
        )


def in_memory(clock: VirtualClock) -> World:
    network = MemoryWebSockets(clock, delay_us=1_000)
    world = World(clock, network, "ws://server:1887", Notes())
    network.serve(world.accept)
    return world


async def over_sockets(clock: WallClock, closing: AsyncExitStack) -> World:
    world = World(clock, SocketWebSockets(clock), "", Notes())
    server = await SocketWebSocketServer.listen(clock, world.accept)
    closing.push_async_callback(server.close)
    world.url = f"ws://127.0.0.1:{server.port}"
    return world


AUTHORITY = trustme.CA()


async def over_tls(clock: WallClock, closing: AsyncExitStack) -> World:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(serving)
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    world = World(clock, SocketWebSockets(clock, ssl_context=trusting), "", Notes())
    server = await SocketWebSocketServer.listen(clock, world.accept, ssl_context=serving)
    closing.push_async_callback(server.close)
    world.url = f"wss://localhost:{server.port}"
    return world


Story = Callable[[World], Generator[Any, Any, None]]
Play = Callable[[Story], None]
BOTH = [
    pytest.param(lambda story: on_virtual_clock(in_memory, story), id="virtual"),
    pytest.param(lambda story: on_wall_clock(over_sockets, story), id="wall"),
    pytest.param(lambda story: on_wall_clock(over_tls, story), id="tls"),
]


@pytest.mark.parametrize("play", BOTH)
def test_messages_go_both_ways_in_order(play: Play) -> None:
    def story(world: World) -> Generator[Any, Any, None]:
        socket = world.connect()
        socket.send("before it is open: lost")
        yield from until(world.clock, lambda: world.client.log == ["opened"])
        for text in ("one", "zwölf", "x" * 100_000):
            socket.send(text)
        yield from until(world.clock, lambda: len(world.server.log) == 4)
        assert world.server.log == ["opened", "one", "zwölf", "x" * 100_000]
        assert world.server.socket is not None
        world.server.socket.send("back")
        yield from until(world.clock, lambda: world.client.log == ["opened", "back"])
        (request,) = world.requests
        assert request.path == "/traffic/1?x=2"
        socket.close()
        socket.send("after the end: lost")
        yield from until(world.clock, lambda: len(world.server.log) == 5)
        assert world.server.log[-1] == "closed: closed by the peer (code 1000)"
        yield world.clock.sleep(0.05)
        assert world.client.log == ["opened", "back"]

    play(story)


@pytest.mark.parametrize("play", BOTH)
def test_a_server_closes(play: Play) -> None:
    def story(world: World) -> Generator[Any, Any, None]:
        world.connect()
        yield from until(world.clock, lambda: world.client.log == ["opened"])
        assert world.server.socket is not None
        world.server.socket.close()
        yield from until(world.clock, lambda: len(world.client.log) == 2)
        assert world.client.log[-1] == "closed: closed by the peer (code 1000)"

    play(story)


@pytest.mark.parametrize("play", BOTH)
def test_a_stranger_is_refused(play: Play) -> None:
    def story(world: World) -> Generator[Any, Any, None]:
        world.connect(secret="Bearer nothing")
        yield from until(world.clock, lambda: bool(world.client.log))
        assert world.client.log == ["closed: refused with status 401"]
        assert world.server.log == []

    play(story)


@pytest.mark.parametrize("play", BOTH)
def test_a_connection_given_up_before_it_is_open_stays_silent(play: Play) -> None:
    def story(world: World) -> Generator[Any, Any, None]:
        world.connect().close()
        yield world.clock.sleep(0.1)
        assert world.client.log == []

    play(story)


def test_in_memory_a_server_stops_and_comes_back() -> None:
    def story(world: World) -> Generator[Any, Any, None]:
        network = world.transport
        assert isinstance(network, MemoryWebSockets)
        world.connect()
        yield world.clock.timeout(2_001)
        network.stop()
        yield world.clock.timeout(1_001)
        world.connect()
        yield world.clock.timeout(2_001)
        assert world.client.log == [
            "opened",
            "closed: the server stopped",
            "closed: could not connect: connection refused",
        ]
        network.serve(world.accept)
        world.connect()
        yield world.clock.timeout(2_001)
        assert world.client.log[-1] == "opened"

    on_virtual_clock(in_memory, story)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ws://127.0.0.1:9/", "could not connect: "),
        ("ws://nowhere.invalid/", "could not connect: "),
        ("http://127.0.0.1/", "expected an address ws://… or wss://…; got 'http://127.0.0.1/'"),
        ("ws://", "expected an address ws://… or wss://…; got 'ws://'"),
        ("ws://host:99999/", "expected an address ws://… or wss://…; got 'ws://host:99999/'"),
        ("ws://a..b/", ""),
        ("ws://" + "a" * 300 + "/", ""),
        ("ws://[/", "expected an address ws://… or wss://…; got 'ws://[/'"),
        ("nonsense\n", "expected an address ws://… or wss://…; got 'nonsense\\n'"),
    ],
)
def test_an_address_that_leads_nowhere_is_told(url: str, reason: str) -> None:
    def story(world: World) -> Generator[Any, Any, None]:
        world.transport.connect(url, world.client)
        yield from until(world.clock, lambda: bool(world.client.log))
        assert world.client.log[0].startswith(f"closed: {reason}")
        assert "\n" not in world.client.log[0]

    on_wall_clock(over_sockets, story)


def test_a_certificate_that_nobody_vouches_for_is_told() -> None:
    async def build(clock: WallClock, closing: AsyncExitStack) -> World:
        world = await over_tls(clock, closing)
        world.transport = SocketWebSockets(clock)
        return world

    def story(world: World) -> Generator[Any, Any, None]:
        world.connect()
        yield from until(world.clock, lambda: bool(world.client.log))
        assert world.client.log[0].startswith(
            "closed: could not connect: TLS certificate not trusted: "
        )

    on_wall_clock(build, story)


ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


def accept_header(request: bytes) -> bytes:
    """What RFC 6455 wants in answer to a client's key."""
    import base64
    import hashlib

    key = request.lower().split(b"sec-websocket-key: ")[1].split(b"\r\n")[0]
    at = request.lower().index(key)
    guid = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    digest = hashlib.sha1(request[at : at + len(key)] + guid).digest()
    return b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("frames", "log"),
    [
        (b"\x81\x02hi", ["hi", "closed: connection cut by the peer"]),
        (b"\x01\x01h\x80\x01i", ["hi", "closed: connection cut by the peer"]),
        (b"\x01\x01h\x89\x00\x80\x01i", ["hi", "closed: connection cut"]),
        (b"\x88\x02\x03\xf3", ["closed: closed by the peer (code 1011)"]),
        (b"\x88\x05\x03\xf3bye", ["closed: closed by the peer (code 1011: bye)"]),
        (b"\x82\x02hi", ["closed: expected text; got bytes"]),
        (b"\x81\x02\xff\xfe", ["closed: expected UTF-8; got other bytes"]),
        (b"\xc1\x02hi", ["closed: the peer broke the protocol: reserved bits must be 0"]),
        (b"\x81\x7f\x00\x00\x00\x01\x00\x00\x00\x00", ["closed: the peer broke the protocol: "]),
        (b"\x81\x05hi", ["closed: connection cut by the peer"]),
        (b"", ["closed: connection cut by the peer"]),
    ],
)
def test_what_a_hostile_server_sends(frames: bytes, log: list[str]) -> None:
    async def build(clock: WallClock, closing: AsyncExitStack) -> World:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = await reader.readuntil(b"\r\n\r\n")
            writer.write(ACCEPTED + accept_header(request) + frames)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        closing.callback(server.close)
        port = server.sockets[0].getsockname()[1]
        return World(clock, SocketWebSockets(clock), f"ws://127.0.0.1:{port}", Notes())

    def story(world: World) -> Generator[Any, Any, None]:
        world.connect()
        yield from until(world.clock, lambda: len(world.client.log) > len(log))
        assert world.client.log[0] == "opened"
        for told, expected in zip(world.client.log[1:], log, strict=True):
            assert told.startswith(expected)

    on_wall_clock(build, story)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "refused with status 404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "refused with status 200"),
        (ACCEPTED + b"\r\n", "expected a WebSocket server; "),
        (ACCEPTED + b"Sec-WebSocket-Accept: wrong\r\n\r\n", "expected a WebSocket server; "),
        (b"SSH-2.0-OpenSSH_9\r\n", "expected a WebSocket server; "),
        (b"", "expected a WebSocket server; "),
    ],
)
def test_a_server_that_speaks_something_else(answer: bytes, reason: str) -> None:
    async def build(clock: WallClock, closing: AsyncExitStack) -> World:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        closing.callback(server.close)
        port = server.sockets[0].getsockname()[1]
        return World(clock, SocketWebSockets(clock), f"ws://127.0.0.1:{port}", Notes())

    def story(world: World) -> Generator[Any, Any, None]:
        world.connect()
        yield from until(world.clock, lambda: bool(world.client.log))
        (told,) = world.client.log
        assert told.startswith(f"closed: {reason}")

    on_wall_clock(build, story)


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\x00" * 100_000,
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        pytest.param(HANDSHAKE + b"\x81\x05hello", id="a frame without mask beside the request"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n\x83\xff", id="no upgrade, no frame"),
    ],
)
def test_a_client_that_speaks_something_else_is_let_go(request_bytes: bytes) -> None:
    ours: list[dict[str, Any]] = []

    async def build(clock: WallClock, closing: AsyncExitStack) -> World:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: ours.append(context))
        world = await over_sockets(clock, closing)
        port = int(world.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_bytes)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return world

    def story(world: World) -> Generator[Any, Any, None]:
        world.connect()  # it still serves others
        yield from until(world.clock, lambda: world.client.log == ["opened"])
        assert world.server.log == ["opened"]

    on_wall_clock(build, story)
    assert ours == []


@pytest.mark.parametrize(
    ("url", "path"),
    [("ws://h", "/"), ("ws://h/", "/"), ("wss://h:1/a/b?c=d", "/a/b?c=d"), ("x", "/")],
)
def test_paths(url: str, path: str) -> None:
    assert path_of(url) == path
