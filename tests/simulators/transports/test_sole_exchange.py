"""Whole requests on connections of their own, against peers that behave and peers that do not."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from simulators.clock import WallClock
from simulators.transports.http import HttpAnswer
from simulators.transports.sockets import SocketTransport

from .peer import CREATED, Answer, listening, outcomes, run, saying

CREATED_ANSWER = HttpAnswer(201, {"status": "created"})
REQUEST = b"POST /v2//things/t HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"


async def exchanged(
    answer: Answer, *, data: bytes = REQUEST, answers: int = 1, times: int = 1, **options: Any
) -> tuple[list[Any], Any]:
    """What requests get, and the peer that answered."""
    clock = WallClock()
    async with listening(answer) as peer:
        transport = SocketTransport(clock, peer.url, **options)
        got = await outcomes(clock, *[lambda: transport.exchange(data, answers)] * times)
        transport.close()
    return got, peer


def test_bytes_go_out_as_they_are_each_time_on_a_connection_of_their_own() -> None:
    got, peer = run(exchanged(saying(CREATED), times=2))
    assert got == [CREATED_ANSWER] * 2
    assert peer.requests == [REQUEST] * 2
    assert peer.connections == 2


def test_the_last_of_several_answers_counts() -> None:
    second = CREATED.replace(b"created", b"changed")
    got, _ = run(exchanged(saying(CREATED, second), answers=2))
    assert got == [HttpAnswer(201, {"status": "changed"})]


def test_who_wants_no_answer_waits_until_it_was_seen_to_leave() -> None:
    got, peer = run(exchanged(saying(CREATED), answers=0))
    assert got == ["closed by us right after sending"]
    assert peer.requests == [REQUEST]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (saying(close=True), "the peer closed the connection"),
        (saying(CREATED[:-3], close=True), "the peer closed the connection"),
        (saying(b"HTTP/1.1 200 OK\r\n\r\nno JSON", close=True), HttpAnswer(200, b"no JSON")),
        (saying(), "no answer within 0.3 s"),
        (
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
            HttpAnswer(200, {}),
        ),
    ],
)
def test_what_comes_of_it_otherwise(answer: Answer, expected: Any) -> None:
    got, _ = run(exchanged(answer, timeout_s=0.3))
    assert got == [expected]


def test_nobody_listens() -> None:
    async def asked() -> list[Any]:
        clock = WallClock()
        async with listening(saying()) as peer:
            url = peer.url
        transport = SocketTransport(clock, url)
        return await outcomes(clock, lambda: transport.exchange(REQUEST, 1))

    [reason] = asyncio.run(asked())
    assert reason.startswith("could not connect")


def test_a_rate_holds() -> None:
    _, peer = run(exchanged(saying(CREATED), times=3, max_requests_per_s=20))
    gaps = [later - earlier for earlier, later in itertools.pairwise(peer.arrived_s)]
    assert min(gaps) > 0.04
