"""A peer that says exactly what a test tells it to, on a loopback port of its own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import simpy

from simulators.clock import WallClock
from simulators.transports.event_loop import new_event_loop
from simulators.transports.http import TransportError

CREATED = b'HTTP/1.1 201 Created\r\nContent-Length: 20\r\n\r\n{"status":"created"}'


class Peer:
    """``requests`` holds the bytes of each request; ``connections`` counts the connections."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.arrived_s: list[float] = []
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read requests, answer each as the test says, until either side closes."""
        self.connections += 1
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head + await reader.readexactly(_length(head)))
                self.arrived_s.append(asyncio.get_running_loop().time())
                await self.answer(self, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


Answer = Callable[[Peer, asyncio.StreamWriter], Awaitable[None]]


def saying(*pieces: bytes, close: bool = False, gap_s: float = 0.0) -> Answer:
    """Answer every request with these bytes, one write each, then perhaps close."""

    async def answer(peer: Peer, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(gap_s)
        if close:
            writer.close()

    return answer


@asynccontextmanager
async def listening(answer: Answer, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """A peer with its URL."""
    peer = Peer(answer)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    peer.url = f"{'https' if tls else 'http'}://localhost:{port}"
    try:
        yield peer
    finally:
        server.close()


def run(work: Any) -> Any:
    """Run a coroutine on the loop that the product uses."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(asyncio.wait_for(work, 20))


async def outcomes(clock: WallClock, *events: Callable[[], simpy.Event]) -> list[Any]:
    """What one device process gets when it asks for these events one after the other."""
    got: list[Any] = []

    def process() -> Any:
        for event in events:
            try:
                got.append((yield event()))
            except TransportError as error:
                got.append(str(error))
        clock.finish()

    clock.process(process())
    await clock.play(15)
    return got


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
