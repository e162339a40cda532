"""Streams over sockets: documents however they are cut, and every way to end."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.clock import WallClock
from simulators.transports.sockets import SocketTransport

from .peer import Answer, listening, run, saying

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSE_DELIMITED = b"HTTP/1.1 200 OK\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def heard(answer: Answer, *, close_after: int | None = None) -> list[Any]:
    """Documents and the end of a stream, as its device gets them."""
    clock = WallClock()
    got: list[Any] = []

    def on_document(document: Any) -> None:
        got.append(document)
        if len(got) == close_after:
            subscription.close()

    async with listening(answer) as peer:
        transport = SocketTransport(clock, peer.url)
        subscription = transport.channel("lamp").subscribe("/v2/things/t", on_document, got.append)
        await clock.play(0.3)
        transport.close()
    return got


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([CHUNKED, chunk(b"{}"), chunk(b'[{"key":"turn"}]')], id="one per chunk"),
        pytest.param([CHUNKED, chunk(b'{}\r\n[{"key":"turn"}]')], id="coalesced"),
        pytest.param([CHUNKED, chunk(b"{"), chunk(b'}[{"k'), chunk(b'ey":"turn"}]')], id="split"),
        pytest.param([CLOSE_DELIMITED, b'{} [{"key":"turn"}]'], id="close-delimited"),
    ],
)
def test_documents_however_they_are_cut(pieces: list[bytes]) -> None:
    assert run(heard(saying(*pieces, gap_s=0.01))) == [{}, [{"key": "turn"}]]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            saying(CHUNKED, chunk(b"{}"), b"0\r\n\r\n"), "ended by the platform", id="in order"
        ),
        pytest.param(
            saying(CHUNKED, chunk(b"{}"), close=True),
            "stream cut: the peer closed the connection",
            id="cut",
        ),
        pytest.param(
            saying(CHUNKED, chunk(b"{}"), chunk(b"{nonsense}")),
            "expected JSON; got '{nonsense}'",
            id="not JSON",
        ),
    ],
)
def test_the_end_is_told_once(answer: Answer, reason: str) -> None:
    assert run(heard(answer)) == [{}, reason]


def test_a_refusal_is_the_end() -> None:
    refusal = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"

    assert run(heard(saying(refusal))) == ["refused with status 404"]


def test_nothing_comes_after_closing() -> None:
    answer = saying(CHUNKED, chunk(b"{}"), chunk(b"[]"), close=True, gap_s=0.02)

    assert run(heard(answer, close_after=1)) == [{}]
