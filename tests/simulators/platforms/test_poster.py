"""Posts to servers elsewhere, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gc

import pytest

from simulators.platforms.effects import Post
from simulators.platforms.poster import MOST_AT_ONCE, MOST_WAITING, Poster
from simulators.platforms.serving import new_loop

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Elsewhere:
    """A server that notes requests and says ``answer`` to each; nothing when that is None."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        self.at_once = self.most_at_once = 0

    async def __call__(self, reader, writer):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            self.requests.append((head.decode(), await reader.readexactly(length)))
            if self.answer is None:
                await reader.read()
            else:
                writer.write(self.answer)
                await writer.drain()
                await asyncio.sleep(0.001)
        self.at_once -= 1
        writer.close()


def run(answer, *posts, url=None):
    """Carry posts out against a server; returns it, and how each post ended."""

    async def main():
        elsewhere = Elsewhere(answer)
        server = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        ended = {}
        all_ended = asyncio.Event()

        def done(number, status, said):
            assert number not in ended
            ended[number] = (status, said)
            if len(ended) == len(posts):
                all_ended.set()

        poster = Poster(asyncio.get_running_loop(), done)
        for post in posts:
            post.url = post.url.replace("PORT", str(port))
            poster.post(post)
        await asyncio.wait_for(all_ended.wait(), 20)
        poster.close()
        await asyncio.sleep(0.01)
        server.close()
        return elsewhere, [ended[post.number] for post in posts]

    loop = new_loop()
    try:
        result = loop.run_until_complete(main())
        gc.collect()
        return result
    finally:
        loop.close()


def post(number=1, url="http://127.0.0.1:PORT/hook?a=1", body=b"{}", timeout_s=5.0, headers=()):
    return Post(number, url, headers, body, timeout_s)


def test_request_as_it_is_sent():
    headers = (("Content-Type", "application/json"), ("X-Own", "ä b"))
    elsewhere, ended = run(OK, post(body=b'{"a":1}', headers=headers))
    assert ended == [(200, "")]
    ((head, body),) = elsewhere.requests
    host = head.split("Host: ")[1].split("\r\n")[0]
    assert head == (
        f"POST /hook?a=1 HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        "X-Own: ä b\r\nContent-Length: 7\r\nConnection: close\r\n\r\n"
    )
    assert body == b'{"a":1}'


def test_address_may_hold_credentials_and_anything_else():
    elsewhere, _ = run(OK, post(url="http://me:se%20cret@127.0.0.1:PORT/grüße/a b"))
    ((head, _),) = elsewhere.requests
    assert head.startswith("POST /gr%C3%BC%C3%9Fe/a%20b HTTP/1.1\r\n")
    assert "Authorization: Basic bWU6c2UgY3JldA==\r\n" in head


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, "")),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, (200, "")),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nwho?", (404, "who?")),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", (302, "")),
        (b"HTTP/1.0 500 Oh\r\n\r\nuntil the end", (500, "until the end")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut off", (200, "cut off")),
        (b"HTTP/1.1 400 Bad\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, (400, "x" * 1024)),
        (b"hello\r\n\r\n", (None, "expected an HTTP answer")),
        (b"", (None, "the connection was closed")),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, (None, "expected a shorter head of an answer")),
    ],
)
def test_answers(answer, expected):
    elsewhere, ended = run(answer, post())
    assert ended == [expected]
    assert len(elsewhere.requests) == 1


def test_silence_ends_after_the_timeout():
    assert run(None, post(timeout_s=0.05))[1] == [(None, "no answer within 0.05 s")]


def test_nobody_is_there():
    (ended,) = run(OK, post(url="http://127.0.0.1:1/"))[1]
    assert ended[0] is None
    assert "refused" in ended[1]


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "hello", "http://127.0.0.1:99999/", ""])
def test_address_that_is_none(url):
    (ended,) = run(OK, post(url=url))[1]
    assert ended[0] is None


@pytest.mark.parametrize("header", [("X Y", "1"), ("", "1"), ("X", "1\r\nY: 2"), ("X", "\0")])
def test_headers_that_cannot_be_sent(header):
    elsewhere, (ended,) = run(OK, post(headers=(header,)))
    assert ended[0] is None
    assert elsewhere.requests == []


def test_headers_cannot_change_the_framing():
    headers = (("Content-Length", "9"), ("transfer-encoding", "chunked"), ("Host", "evil"))
    elsewhere, ended = run(OK, post(headers=headers))
    assert ended == [(200, "")]
    assert "evil" not in elsewhere.requests[0][0]
    assert "chunked" not in elsewhere.requests[0][0]


def test_posts_wait_for_each_other():
    elsewhere, ended = run(OK, *(post(number) for number in range(3 * MOST_AT_ONCE)))
    assert ended == [(200, "")] * (3 * MOST_AT_ONCE)
    assert elsewhere.most_at_once <= MOST_AT_ONCE


def test_too_many_posts_are_given_up():
    more = 5
    count = MOST_AT_ONCE + MOST_WAITING + more
    _, ended = run(OK, *(post(number) for number in range(count)))
    assert ended[-more:] == [(None, "too many posts wait")] * more
    assert set(ended[:-more]) == {(200, "")}


def test_large_posts_do_not_pile_up():
    body = b"x" * (32 * 1024 * 1024)
    posts = [post(number, body=b"") for number in range(MOST_AT_ONCE)]
    posts += [post(MOST_AT_ONCE + number, body=body) for number in range(3)]
    _, ended = run(OK, *posts)
    assert ended[-1] == (None, "too many posts wait")
    assert [status for status, _ in ended[-3:-1]] == [200, 200]


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1/", "http://[x]/", "http://a\u2100b/", "http://" + "a" * 300 + "/",
        "http://xn--/", "http://user:pa\ud800ss@127.0.0.1/", "http://127.0.0.1:0x10/",
    ],
)  # fmt: skip
def test_strange_addresses_end_in_a_reason(url):
    (ended,) = run(OK, post(url=url, timeout_s=2))[1]
    assert ended[0] is None
    assert ended[1]
