"""
Posts to HTTP servers elsewhere: one attempt each, a limited number at a time, never blocking.

Every post has a connection of its own. Redirects are not followed, and of an answer no more is read
than tells what went wrong. The parser is llhttp's.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections import deque
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple, cast
from urllib.parse import quote, unquote, urlsplit

import httptools

from simulators.platforms.effects import Post
from simulators.transports.endpoint import reason_of

Done = Callable[[int, int | None, str], None]  # number, status or None, what was said or why

MOST_AT_ONCE, MOST_WAITING = 64, 4096
_MOST_BYTES_WAITING = 64 * 1024 * 1024
_SHOWN_BYTES = 1024  # of an answer's body
_READ_BYTES = 64 * 1024  # at most, then the connection is closed
_PORTS = {"http": 80, "https": 443}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_HEADERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SAFE = "!#$%&'()*+,/:;=?@[]~"


class _Place(NamedTuple):
    """Where a URL leads, and the start of a request to there."""

    host: str
    port: int
    is_secure: bool
    head: str


class Poster:
    """Carries out posts; ``done`` is called once for each, in the loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, done: Done) -> None:
        self._loop = loop
        self._done = done
        self._waiting: deque[Post] = deque()
        self._waiting_bytes = 0
        self._exchanges: dict[_Exchange, asyncio.Task[None]] = {}
        self._is_closed = False

    def post(self, post: Post) -> None:
        """Send, or keep for later; too many at once are given up."""
        if len(self._exchanges) < MOST_AT_ONCE:
            self._start(post)
        elif (
            len(self._waiting) < MOST_WAITING
            and self._waiting_bytes + len(post.body) <= _MOST_BYTES_WAITING
        ):
            self._waiting.append(post)
            self._waiting_bytes += len(post.body)
        else:
            self._done(post.number, None, "too many posts wait")

    def close(self) -> None:
        """Send nothing more, and listen to nothing more."""
        self._is_closed = True
        self._waiting.clear()
        for exchange, task in list(self._exchanges.items()):
            task.cancel()
            exchange.close()

    def _start(self, post: Post) -> None:
        exchange = _Exchange(post, self._ended)
        self._exchanges[exchange] = self._loop.create_task(self._carry_out(exchange))

    async def _carry_out(self, exchange: _Exchange) -> None:
        post = exchange.post
        try:
            place = _place_of(post.url)
            exchange.request = _request(place, post)
        except ValueError as error:
            exchange.finish(None, str(error))
            return
        exchange.deadline = self._loop.call_later(
            post.timeout_s, exchange.finish, None, f"no answer within {post.timeout_s:g} s"
        )
        context = self._context if place.is_secure else None
        try:
            await self._loop.create_connection(
                lambda: exchange, place.host, place.port, ssl=context
            )
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:  # or no such name
            exchange.finish(None, reason_of(error))

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context()  # takes long: made once

    def _ended(self, exchange: _Exchange, status: int | None, said: str) -> None:
        task = self._exchanges.pop(exchange)
        if not task.done() and task is not asyncio.current_task(self._loop):
            task.cancel()
        if self._is_closed:
            return
        if self._waiting:
            post = self._waiting.popleft()
            self._waiting_bytes -= len(post.body)
            self._start(post)
        self._done(exchange.post.number, status, said)


class _Exchange(asyncio.Protocol):
    """One request and the beginning of its answer."""

    def __init__(self, post: Post, ended: Callable[[_Exchange, int | None, str], None]) -> None:
        self.post = post
        self.request = b""
        self.deadline: asyncio.TimerHandle | None = None
        self._ended: Callable[[_Exchange, int | None, str], None] | None = ended
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._status: int | None = None
        self._body = b""
        self._read = 0

    def finish(self, status: int | None, said: str) -> None:
        """Tell how it ended, once, and leave."""
        if self._ended is None:
            return
        ended, self._ended = self._ended, None
        if self.deadline is not None:
            self.deadline.cancel()
        self.close()
        ended(self, status, said)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._transport is not None:
            self._transport.close()

    def _answered(self) -> None:
        self.finish(self._status, self._body.decode("utf-8", "replace"))

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._ended is None:  # too late
            self._transport.abort()
        else:
            self._transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self._ended is None:
            return
        self._read += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise  # our own fault
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.finish(None, "expected an HTTP answer")
        if self._read > _READ_BYTES:
            self._lost("expected a shorter head of an answer")

    def connection_lost(self, error: Exception | None) -> None:
        self._lost(reason_of(error) if error is not None else "the connection was closed")

    def _lost(self, reason: str) -> None:
        """A status that has come is an answer, whatever became of its body."""
        if self._status is not None:
            self._answered()
        else:
            self.finish(None, reason)

    # What the parser calls.

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:  # 100 Continue and its like come before the answer
            self._status = status

    def on_body(self, body: bytes) -> None:
        self._body += body[: _SHOWN_BYTES - len(self._body)]

    def on_message_complete(self) -> None:
        if self._status is not None:
            self._answered()


def _place_of(url: str) -> _Place:
    """
    Take a URL apart.

    Raises:
        ValueError: not one of HTTP.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("expected http://host or https://host")
    port = parts.port or _PORTS[parts.scheme]
    target = quote(parts.path, safe=_SAFE) or "/"
    if parts.query:
        target += "?" + quote(parts.query, safe=_SAFE)
    userinfo, _, netloc = parts.netloc.rpartition("@")
    try:
        netloc.encode("ascii")
    except UnicodeEncodeError:
        netloc = netloc.encode("idna").decode()  # a UnicodeError is a ValueError
    head = f"POST {target} HTTP/1.1\r\nHost: {netloc}\r\n"
    if userinfo:
        credentials = base64.b64encode(unquote(userinfo).encode()).decode()
        head += f"Authorization: Basic {credentials}\r\n"
    return _Place(parts.hostname, port, parts.scheme == "https", head)


def _request(place: _Place, post: Post) -> bytes:
    """
    The whole request.

    Raises:
        ValueError: a header that cannot be sent.
    """
    lines = []
    for name, value in post.headers:
        if not _HEADER_NAME.fullmatch(name) or _NOT_IN_HEADERS.search(value):
            raise ValueError(f"expected a header that can be sent; got {name[:40]!r}")
        if name.lower() not in ("host", "content-length", "connection", "transfer-encoding"):
            lines.append(f"{name}: {value}\r\n")
    head = (
        f"{place.head}{''.join(lines)}Content-Length: {len(post.body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("utf-8") + post.body
