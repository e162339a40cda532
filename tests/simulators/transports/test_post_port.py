"""A port that takes POSTs: what arrives, what is refused, what is no HTTP."""

from __future__ import annotations

import asyncio

import pytest

from simulators.transports.http import TransportError
from simulators.transports.post_port import LONGEST, PostPort

POST = b"POST /hook/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


def exchanged(*pieces: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """What arrived, and what was answered on one connection until nothing came any more."""
    arrived: list[tuple[str, bytes]] = []

    async def talk() -> bytes:
        port = await PostPort.listen("127.0.0.1", 0)
        port.received = lambda path, body: arrived.append((path, body))
        reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
        answer = b""
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            answer = await asyncio.wait_for(reader.read(4096), 1)
        except (ConnectionError, TimeoutError):
            pass
        writer.close()
        port.close()
        return answer

    return arrived, asyncio.run(talk())


def test_posts_arrive_however_they_are_cut() -> None:
    arrived, answer = exchanged(POST[:30], POST[30:] + POST)

    assert arrived == [("/hook/a", b"{}"), ("/hook/a", b"{}")]
    assert answer.count(b"HTTP/1.1 200 OK") == 2


def test_nothing_else_arrives() -> None:
    arrived, answer = exchanged(b"GET /hook/a HTTP/1.1\r\nHost: x\r\n\r\n")

    assert arrived == []
    assert answer.startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"POST /a HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n" + bytes(LONGEST + 1),
    ],
)
def test_nonsense_ends_the_connection(nonsense: bytes) -> None:
    assert exchanged(nonsense) == ([], b"")


def test_a_port_that_is_taken() -> None:
    async def twice() -> None:
        first = await PostPort.listen("127.0.0.1", 0)
        try:
            await PostPort.listen("127.0.0.1", first.port)
        finally:
            first.close()

    with pytest.raises(TransportError, match=r"could not listen on 127\.0\.0\.1:"):
        asyncio.run(twice())
