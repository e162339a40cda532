"""
One HTTP connection: bytes to requests, leniently, and every mistake of a client to a JSON error.

httptools parses; its lenient switches accept the bare line feeds that device libraries send.
What a request means is the core's business, when an answer may leave is the shell's.
"""

from __future__ import annotations

import asyncio
from socket import SO_SNDBUF, SOL_SOCKET
from typing import TYPE_CHECKING, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from simulators.platforms.effects import Headers, Request

if TYPE_CHECKING:
    from simulators.platforms.shell import Shell
    from simulators.platforms.wire_stream import WireStream

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Refusal(Exception):  # noqa: N818 - carried through the parser, never shown
    """The request is over a limit."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message


class Connection(asyncio.Protocol):
    """A client's connection; requests on it are answered in order."""

    __slots__ = (
        "_body", "_body_bytes", "_head_bytes", "_headers", "_is_awaited", "_parser", "_shell",
        "_target",
        "began_s", "has_ended", "heard_s", "in_head", "is_closing", "is_deaf", "pending", "stream",
        "transport", "was_answered",
    )  # fmt: skip

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)
        self.stream: tuple[int, WireStream] | None = None
        self.pending = 0  # requests handled whose answers have not left
        self.is_closing = False  # the last answer closes the connection
        self.is_deaf = False  # what still arrives is thrown away
        self.has_ended = False  # the client will send nothing more
        self.was_answered = False
        self.began_s: float | None = None  # when the unfinished request began
        self.in_head = False
        self._head_bytes = 0
        self._new_parser()

    def _new_parser(self) -> None:
        self._parser = HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_optional_lf_after_cr=True,
            lenient_data_after_close=True,
        )

    # --- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.heard_s = self._shell.loop.time()
        if not self._shell.admit(self):
            self.refuse(503, f"too many connections (limit {self._shell.limits.connections})")

    def data_received(self, data: bytes) -> None:
        if self.is_deaf or self.stream is not None:
            return  # inside a stream nothing counts but its end
        self.heard_s = self._shell.loop.time()
        limit = self._shell.limits.head_bytes
        if len(data) <= limit:
            self._feed(data)
        else:  # in slices, so that a head without end is noticed
            for start in range(0, len(data), limit):
                self._feed(data[start : start + limit])

    def eof_received(self) -> bool:
        """Half-closed: what was asked is still answered; an unfinished request is refused."""
        if self.stream is not None:
            return False
        if self.began_s is not None and not self.is_deaf:
            self.refuse(400, "request ended before it was complete")
        self.is_closing = self.is_deaf = self.has_ended = True
        return self.pending > 0

    def connection_lost(self, exc: Exception | None) -> None:
        self._shell.lost(self)

    def pause_writing(self) -> None:
        if self.stream is not None:
            self.stream[1].pause()
        elif not self.is_deaf:
            self.transport.pause_reading()  # does not read its answers: hear no more requests

    def resume_writing(self) -> None:
        if self.stream is not None:
            self.stream[1].resume()
        elif not self.is_deaf and not self.transport.is_closing():
            self.transport.resume_reading()

    # --- parsing

    def _feed(self, data: bytes) -> None:
        if self.is_deaf:
            return
        was_in_head = self.in_head
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
            return
        except HttpParserError as error:
            self._failed(error)
            return
        if was_in_head and self.in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._shell.limits.head_bytes:
                self._refuse_head()

    def _decline_upgrade(self, rest: bytes) -> None:
        """Nobody is upgraded: read the request again as if nothing had been offered."""
        if self._parser.get_method() == b"CONNECT":
            self.refuse(400, "this is no proxy")
            return
        head = [b"%b %b HTTP/1.1" % (self._parser.get_method(), self._target)]
        for name, value in self._headers:
            if name.lower() not in (b"upgrade", b"connection"):
                head.append(b"%b: %b" % (name, value))
        self._new_parser()
        self._feed(b"\r\n".join([*head, b"\r\n"]) + rest)

    def _refuse_head(self) -> None:
        self.refuse(431, f"head of the request is over {self._shell.limits.head_bytes} bytes")

    def _failed(self, error: HttpParserError) -> None:
        refusal = error.__context__
        if isinstance(refusal, _Refusal):
            self.refuse(refusal.status, refusal.message)
        elif not self.is_deaf:
            self.refuse(400, "not a valid HTTP/1.1 request")

    def on_message_begin(self) -> None:
        self._target = b""
        self._is_awaited = False  # the client sends its body only when told to
        self._headers: Headers = []
        self._body: list[bytes] = []
        self._body_bytes = self._head_bytes = 0
        self.in_head = True
        self.began_s = self.heard_s

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))
        if len(name) == 6 and name.lower() == b"expect":
            self._is_awaited = value.lower() == b"100-continue"

    def on_headers_complete(self) -> None:
        self.in_head = False
        if self._is_awaited and not self.is_deaf and not self.pending:
            self.transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)
        self._body_bytes += len(body)
        if self._body_bytes > self._shell.limits.body_bytes:
            limit = self._shell.limits.body_bytes
            raise _Refusal(413, f"body of the request is over {limit} bytes")

    def on_message_complete(self) -> None:
        self.began_s = None
        if self._parser.should_upgrade():
            return  # the parser stops here and does not look at the body
        if self.is_closing:
            return  # after a request that closes nothing counts
        if not self._parser.should_keep_alive():
            self.is_closing = True
        self.pending += 1
        body = self._body
        request = _request(
            self._parser.get_method().decode(),
            self._target.decode("latin-1"),
            self._headers,
            body[0] if len(body) == 1 else b"".join(body),
            self,
        )
        request.is_http_1_0 = self.is_http_1_0()
        self._shell.submit(request)

    def is_http_1_0(self) -> bool:
        """Such a client knows no chunks, and keeps the connection only when told so."""
        version: str = self._parser.get_http_version()
        return version == "1.0"

    def limit_send_buffer(self, size: int) -> None:
        """Let the kernel keep no more than some ``size`` bytes that the client has not taken."""
        self.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, size)

    # --- refusing

    def refuse(self, status: int, message: str) -> None:
        """Answer with an error and close; hear nothing more."""
        self.is_closing = self.is_deaf = True
        self.in_head = False
        self.began_s = None
        self.pending += 1
        self._shell.refuse(self, status, message)


def _request(
    method: str, target: str, headers: Headers, body: bytes, origin: Connection
) -> Request:
    if "#" in target:
        target = target.partition("#")[0]
    path, _, query = target.partition("?")
    if not path.startswith("/"):  # absolute form, as sent to proxies: the host does not matter
        path = "/" + path.partition("://")[2].partition("/")[2]
    return Request(method, path, query, headers, body, origin=origin)
