"""
One client connection: bytes go out, whole answers come in.

The parser is llhttp's. What is done with an answer is a subclass's or owner's business; this file
knows no clock, no device and no JSON.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import cast

import httptools

LONGEST_ANSWER = 64 * 1024 * 1024
_INTERIM = re.compile(rb"HTTP/[0-9.]+ 1[0-9][0-9]")


class Connection(asyncio.Protocol):
    """
    Calls ``answered(status, body)`` for each answer and ``lost(reason)`` once, at its end.

    Attributes:
        is_reusable: whether a request may be sent when none is under way; there is never more
            than one.
        send: sends a whole request; there is none before the connection is open.
    """

    # Thousands of these are visited in turn: whatever is smaller is quicker.
    __slots__ = ("_reader", "_reason", "_transport", "is_reusable", "send")

    def __init__(self) -> None:
        self.is_reusable = False
        self.send: Callable[[bytes], None]
        self._transport: asyncio.WriteTransport | None = None
        self._reader: Reader | None = None  # while an answer has begun and is not complete
        self._reason = "the peer closed the connection"

    def answered(self, status: int, body: bytes) -> None:
        """An answer is complete."""
        raise NotImplementedError

    def lost(self, reason: str) -> None:
        """The connection is over, and with it the request under way, if there is one."""
        raise NotImplementedError

    def abort(self, reason: str) -> None:
        """Close at once; ``lost`` comes with ``reason``."""
        self._reason = reason
        self.is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.WriteTransport, transport)  # uvloop's do not inherit
        self._transport = transport
        self.is_reusable = True
        self.send = transport.write  # one call less per request than a method of our own

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if reader is None:
            before, status, body = _LATEST[0]
            if data == before:
                self.answered(status, body)
                return
            reader = _FREE.pop() if _FREE else Reader(self)
            reader.owner = self
        try:
            reader.feed(data)
        except httptools.HttpParserCallbackError:
            raise  # our own fault
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.abort(f"expected an HTTP answer; got {data[:40]!r} ({error})")
        if reader.is_between and self.is_reusable:
            if self._reader is None:
                reader.remember(data)
            self._reader = None
            reader.answers = 0
            _FREE.append(reader)
        else:
            reader.keep(data)
            self._reader = reader

    def eof_received(self) -> bool:
        self.is_reusable = False
        if self._reader is not None:
            self._reader.end()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.is_reusable = False
        self._transport = None
        self.lost(self._reason)


class Reader:
    """
    Reads one answer at a time, for whichever connection it comes to.

    Nearly every answer is complete with its first read. So a few readers, which the processor has
    at hand, serve any number of connections; one that is in the middle of an answer stays with it.
    """

    __slots__ = (
        "answers", "beginning", "body", "feed", "is_between", "on_body", "owner", "parser",
        "pieces", "size", "status",
    )  # fmt: skip

    def __init__(self, owner: Connection, on_body: Callable[[bytes], None] | None = None) -> None:
        """``on_body`` gets each piece of a body, in place of ``pieces``."""
        self.owner = owner
        self.answers = 0  # that came to an end, of the present connection
        self.status, self.body = 0, b""  # of the latest of them
        self.is_between = True  # two answers: nothing of the next one has come
        self.beginning = b""  # of an answer not yet complete: tells how its body is framed
        self.pieces: list[bytes] = []  # of its body, usually one
        self.size = 0  # of what has come of it
        self.on_body = on_body or self.pieces.append
        self.parser = httptools.HttpResponseParser(self)
        self.feed = self.parser.feed_data

    def keep(self, data: bytes) -> None:
        """Remember the head of an answer that is not complete, and how much has come of it."""
        if self.is_between:
            return
        if not _end_of_head(self.beginning):
            self.beginning += data
        self.size += len(data)
        if self.pieces and self.size > LONGEST_ANSWER:
            self.owner.abort(f"expected an answer of at most {LONGEST_ANSWER} bytes")

    def remember(self, data: bytes) -> None:
        """If this was one answer and nothing else, the same again need not be read."""
        if self.answers == 1:
            _LATEST[0] = (data, self.status, self.body)

    def end(self) -> None:
        """The peer sends no more, which completes a body that has no other end."""
        if not self.is_between and _ends_with_the_connection(self.beginning):
            self.on_message_complete()

    # What the parser calls, beside ``on_body``.

    def on_message_begin(self) -> None:
        self.is_between = False

    def on_message_complete(self) -> None:
        owner, parser, pieces = self.owner, self.parser, self.pieces
        if not parser.should_keep_alive():
            owner.is_reusable = False
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        if self.size:
            self.beginning = b""
            self.size = 0
        self.is_between = True
        status = parser.get_status_code()
        if status >= 200:  # 100 Continue and its like come before the answer
            self.answers += 1
            self.status, self.body = status, body
            owner.answered(status, body)


_FREE: list[Reader] = []  # in the middle of nothing
# The latest answer that came whole, with its status and body: a platform that acknowledges one
# write after another says the same again and again, and what is the same byte for byte is not
# read anew. One tuple, so that threads never see half of another's.
_LATEST: list[tuple[bytes, int, bytes]] = [(b"", 0, b"")]

# The number and the line ends that follow ``Content-Length: `` before a short body.
CONTENT_LENGTH = [b"%d\r\n\r\n" % length for length in range(1024)]


def content_length(body: bytes) -> bytes:
    """The same for a body of any length."""
    return b"%d\r\n\r\n" % len(body)


def _end_of_head(data: bytes) -> int:
    """Where the first answer's head ends in ``data``; 0 when it is not complete."""
    found = data.replace(b"\r\n", b"\n").find(b"\n\n")
    return found + 1


def _ends_with_the_connection(head: bytes) -> bool:
    """Whether a head leaves the end of its body to the end of the connection."""
    if not _end_of_head(head):
        return False
    texts = head.replace(b"\r\n", b"\n").split(b"\n\n")
    text = next((each for each in texts if not _INTERIM.match(each)), b"")
    lines = text.lower().split(b"\n")[1:]
    return not any(line.startswith((b"content-length:", b"transfer-encoding:")) for line in lines)
