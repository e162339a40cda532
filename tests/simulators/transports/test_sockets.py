"""The socket transport against peers that behave and peers that do not."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest
import trustme

from simulators.clock import WallClock
from simulators.transports.http import HttpAnswer
from simulators.transports.sockets import SocketTransport

from .peer import CREATED, Answer, listening, outcomes, run, saying

HEAD = b"HTTP/1.1 200 OK\r\n"
CREATED_ANSWER = HttpAnswer(201, {"status": "created"})


async def exchanged(answer: Answer, times: int = 1, **options: Any) -> tuple[list[Any], Any]:
    """What ``times`` writes on one channel get, and the peer that answered."""
    clock = WallClock()
    async with listening(answer) as peer:
        transport = SocketTransport(clock, peer.url, **options)
        channel = transport.channel("device")
        write = lambda: channel.request("POST", "/v2/things/t", {"values": []})  # noqa: E731
        got = await outcomes(clock, *[write] * times)
        transport.close()
    return got, peer


def test_requests_share_one_connection() -> None:
    got, peer = run(exchanged(saying(CREATED), times=3))

    assert got == [CREATED_ANSWER] * 3
    assert peer.connections == 1
    host = peer.url.removeprefix("http://").encode()
    assert (
        peer.requests
        == [
            b"POST /v2/things/t HTTP/1.1\r\nHost: "
            + host
            + b"\r\nContent-Type: application/json\r\n"
            b'Content-Length: 13\r\n\r\n{"values":[]}'
        ]
        * 3
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(
            saying(*[CREATED[i : i + 1] for i in range(len(CREATED))], gap_s=0.001),
            CREATED_ANSWER,
            id="byte by byte",
        ),
        pytest.param(
            saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n", b"1\r\n]\r\n0\r\n\r\n"),
            HttpAnswer(200, []),
            id="chunked",
        ),
        pytest.param(
            saying(HEAD + b"\r\n[1,", b"2]", close=True), HttpAnswer(200, [1, 2]), id="until close"
        ),
        pytest.param(
            saying(HEAD + b"Content-Length: 3\r\n\r\nabc"), HttpAnswer(200, b"abc"), id="not JSON"
        ),
        pytest.param(
            saying(b"HTTP/1.1 100 Continue\r\n\r\n" + CREATED), CREATED_ANSWER, id="100 before"
        ),
        pytest.param(
            saying(b"HTTP/1.1 204 No Content\r\n\r\n"), HttpAnswer(204, b""), id="no content"
        ),
    ],
)
def test_answers_of_every_form(answer: Answer, expected: HttpAnswer) -> None:
    got, _ = run(exchanged(answer))

    assert got == [expected]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(saying(close=True), "the peer closed the connection", id="closed at once"),
        pytest.param(
            saying(CREATED[:-1], close=True), "the peer closed the connection", id="cut body"
        ),
        pytest.param(saying(b"220 smtp ready\r\n"), "expected an HTTP answer", id="not HTTP"),
        pytest.param(saying(), "no answer within 0.2 s", id="silent"),
    ],
)
def test_what_goes_wrong_is_one_phrase(answer: Answer, reason: str) -> None:
    got, peer = run(exchanged(answer, times=2, timeout_s=0.2))

    assert [text[: len(reason)] for text in got] == [reason] * 2
    assert peer.connections == 2


def test_a_closed_connection_is_opened_again() -> None:
    closing = CREATED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    got, peer = run(exchanged(saying(closing, close=True), times=3))

    assert got == [CREATED_ANSWER] * 3
    assert peer.connections == 3


def test_nobody_listens() -> None:
    async def work() -> list[Any]:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            clock = WallClock()
            transport = SocketTransport(clock, f"http://127.0.0.1:{unused.getsockname()[1]}")
            channel = transport.channel("device")
            return await outcomes(clock, lambda: channel.request("GET", "/v2/"))

    assert run(work()) == ["could not connect: connection refused"]


def test_requests_of_one_moment_are_answered_in_order() -> None:
    async def work() -> tuple[list[Any], list[bytes]]:
        clock = WallClock()
        async with listening(saying(CREATED)) as peer:
            channel = SocketTransport(clock, peer.url).channel("device")
            got = await outcomes(
                clock,
                lambda: clock.all_of([channel.request("GET", f"/{n}") for n in range(5)]),
            )
        return list(got[0].values()), peer.requests

    answers, requests = run(work())

    assert answers == [CREATED_ANSWER] * 5
    assert [request.split()[1] for request in requests] == [b"/0", b"/1", b"/2", b"/3", b"/4"]


def test_the_rate_limit_spaces_requests_of_all_channels() -> None:
    async def work() -> list[float]:
        clock = WallClock()
        async with listening(saying(CREATED)) as peer:
            transport = SocketTransport(clock, peer.url, max_requests_per_s=50)
            channels = [transport.channel(f"device-{n}") for n in range(21)]
            await outcomes(clock, lambda: clock.all_of([c.request("GET", "/") for c in channels]))
        return peer.arrived_s

    arrived_s = run(work())

    assert len(arrived_s) == 21
    assert 0.3 <= arrived_s[-1] - arrived_s[0] < 1.0  # 0.4 s, had the machine nothing else to do


def test_a_prefix_stands_before_every_target() -> None:
    async def work() -> list[bytes]:
        clock = WallClock()
        async with listening(saying(CREATED)) as peer:
            channel = SocketTransport(clock, f"{peer.url}/iot/").channel("device")
            await outcomes(clock, lambda: channel.request("GET", "/v2/"))
        return peer.requests

    assert run(work())[0].startswith(b"GET /iot/v2/ HTTP/1.1\r\n")


@pytest.mark.parametrize("url", ["ftp://x", "localhost:80", "http://", "http://h:port"])
def test_a_wrong_url_is_refused(url: str) -> None:
    async def work() -> None:
        SocketTransport(WallClock(), url)

    with pytest.raises(ValueError):  # noqa: PT011 - the standard library's own text for ports
        run(work())


@pytest.mark.parametrize(
    ("is_trusted", "expected"),
    [(True, CREATED_ANSWER), (False, "could not connect: TLS certificate not trusted")],
)
def test_tls(is_trusted: bool, expected: Any) -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    if is_trusted:
        authority.configure_trust(client)

    async def work() -> list[Any]:
        clock = WallClock()
        async with listening(saying(CREATED), tls=server) as peer:
            transport = SocketTransport(clock, peer.url, ssl_context=client)
            channel = transport.channel("device")
            got = await outcomes(clock, lambda: channel.request("GET", "/v2/"))
            transport.close()
        return got

    got = run(work())

    assert got[0] == expected if is_trusted else got[0].startswith(expected)
