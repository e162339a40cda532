"""
One client connection: bytes go out, whole answers come in.

The parser is llhttp's. What is done with an answer is a subclass's or owner's business; this file
knows no clock, no device and no JSON.
"""

from __future__ import annotations

import asyncio
from typing import cast

import httptools

NO_PIECES: list[bytes] = []  # shared and never changed: most connections need no list of their own
LONGEST_BODY = 64 * 1024 * 1024


class Connection(asyncio.Protocol):
    """
    Calls ``answered(status, body)`` for each answer and ``lost(reason)`` once, at its end.

    ``is_reusable`` tells whether a request may be sent when none is under way; there is never more
    than one.
    """

    def __init__(self) -> None:
        self.is_reusable = False
        self._transport: asyncio.WriteTransport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._feed = self._parser.feed_data
        self._beginning = b""  # of an answer not yet complete: tells how its body is framed
        self._is_complete = False
        self._body = b""  # its first piece, usually all of it
        self._pieces = NO_PIECES
        self._size = 0
        self._reason = "the peer closed the connection"

    def answered(self, status: int, body: bytes) -> None:
        """An answer is complete."""
        raise NotImplementedError

    def lost(self, reason: str) -> None:
        """The connection is over, and with it the request under way, if there is one."""
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        """Send a whole request; to be called on an open connection."""
        self._transport.write(data)  # type: ignore[union-attr]  # open connections have one

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
        self.send = transport.write  # type: ignore[method-assign]  # one call less per request

    def data_received(self, data: bytes) -> None:
        self._is_complete = False
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError:
            raise  # our own fault
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.abort(f"expected an HTTP answer; got {data[:40]!r} ({error})")
        if not self._is_complete and not _end_of_head(self._beginning):
            self._beginning += data

    def eof_received(self) -> bool:
        self.is_reusable = False
        if _ends_with_the_connection(self._beginning):
            self.on_message_complete()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.is_reusable = False
        self._transport = None
        self.lost(self._reason)

    # What the parser calls.

    def on_body(self, piece: bytes) -> None:
        if not self._body:
            self._body = piece
            return
        if self._pieces is NO_PIECES:
            self._pieces = []
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > LONGEST_BODY:
            self.abort(f"expected a body of at most {LONGEST_BODY} bytes")

    def on_message_complete(self) -> None:
        parser = self._parser
        if not parser.should_keep_alive():
            self.is_reusable = False
        body = self._body
        if self._pieces:
            body += b"".join(self._pieces)
            self._pieces = NO_PIECES
            self._size = 0
        self._body = b""
        self._beginning = b""
        self._is_complete = True
        status = parser.get_status_code()
        if status >= 200:  # 100 Continue and its like come before the answer
            self.answered(status, body)


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
    lines = head.replace(b"\r\n", b"\n").partition(b"\n\n")[0].lower().split(b"\n")[1:]
    return not any(line.startswith((b"content-length:", b"transfer-encoding:")) for line in lines)
