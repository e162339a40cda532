"""
A socket to a target, plain or TLS, and the parts of an HTTP answer read from it.

Liberal in what it reads; knows nothing of JSON.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from conformance.clients.exchange import Headers

MAX_HEAD = 256 * 1024
_PORTS = {"http": 80, "https": 443}


class ConnectionEnded(Exception):  # noqa: N818 - often the normal end
    """The peer closed, or stayed silent until the deadline; the message says which."""


def host_header(url: str) -> str:
    """What a request to this base URL carries in its Host field."""
    return urlsplit(url).netloc


class Connection:
    """
    One connection; every read has a deadline in monotonic seconds.

    Raises:
        OSError: it could not be opened (``ssl.SSLError`` among them).
    """

    def __init__(self, url: str, *, ca_file: str | Path | None, timeout_s: float) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or _PORTS[parts.scheme]
        self.socket = socket.create_connection((host, port), timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self.reads = 0  # how many reads of the socket brought something
        if parts.scheme == "https":
            self.socket = self._secured(host, str(ca_file) if ca_file else None)

    def _secured(self, host: str, ca_file: str | None) -> socket.socket:
        try:
            context = ssl.create_default_context(cafile=ca_file)
            return context.wrap_socket(self.socket, server_hostname=host)
        except BaseException:
            self.socket.close()
            raise

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def close(self) -> None:
        """Close; safe to call twice and from another thread."""
        with contextlib.suppress(OSError):  # not connected any more is what we want
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def read_line(self, deadline: float) -> bytes:
        """Up to the next LF, without it and without a CR before it."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_HEAD:
                raise ConnectionEnded("the answer is not HTTP")
            self._fill(deadline)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    def read_exactly(self, size: int, deadline: float) -> bytes:
        """Exactly so many bytes."""
        while len(self._buffer) < size:
            self._fill(deadline)
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def read_some(self, deadline: float, *, most: int | None = None) -> bytes:
        """Whatever comes next, at least one byte and not more than ``most``."""
        if not self._buffer:
            self._fill(deadline)
        data = bytes(self._buffer[:most])
        del self._buffer[:most]
        return data

    def _fill(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise ConnectionEnded("no answer came in time")
        try:
            self.socket.settimeout(None if left == float("inf") else left)
            data = self.socket.recv(65536)
        except TimeoutError as problem:
            raise ConnectionEnded("no answer came in time") from problem
        except OSError as problem:
            raise ConnectionEnded("the connection was reset") from problem
        if not data:
            raise ConnectionEnded("the connection was closed")
        self.reads += 1
        self._buffer += data


def read_head(connection: Connection, deadline: float) -> tuple[int, Headers]:
    """
    Status and header fields of the next answer; interim answers (1xx) are passed over.

    Raises:
        ConnectionEnded: closed, silent, or not HTTP.
    """
    _, status, headers = read_start(connection, deadline)
    return status, headers


def read_start(connection: Connection, deadline: float) -> tuple[str, int, Headers]:
    """As read_head, with the status line before them."""
    while True:
        line = connection.read_line(deadline)
        status_line, status = line.decode("latin-1"), _status(line)
        pairs: list[tuple[str, str]] = []
        while line := connection.read_line(deadline):
            name, _, value = line.decode("latin-1").partition(":")
            pairs.append((name.strip(), value.strip()))
        if status >= 200:
            return status_line, status, Headers(pairs)


def _status(line: bytes) -> int:
    parts = line.split(None, 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/1.") or not parts[1].isdigit():
        raise ConnectionEnded("the answer is not HTTP")
    return int(parts[1])


def read_body(
    connection: Connection, status: int, headers: Headers, deadline: float, *, is_head: bool = False
) -> bytes:
    """The whole body, however it is delimited."""
    if is_head or status in (204, 304):
        return b""
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        return b"".join(chunks(connection, deadline))
    if headers.get("Content-Length", "").isdigit():
        return connection.read_exactly(int(headers["Content-Length"]), deadline)
    return _until_close(connection, deadline)


def chunks(connection: Connection, deadline: float) -> Iterator[bytes]:
    """
    The chunks of a chunked body, each as it was sent.

    Raises:
        ConnectionEnded: also when a chunk's size is not a number.
    """
    while data := read_chunk(connection, deadline):
        yield data


def read_chunk(connection: Connection, deadline: float) -> bytes:
    """The next chunk; empty when it was the last one."""
    line = connection.read_line(deadline).split(b";")[0].strip()
    try:
        size = int(line, 16)
    except ValueError as problem:
        raise ConnectionEnded("the answer's chunks are broken") from problem
    data = connection.read_exactly(size, deadline)
    connection.read_line(deadline)
    return data


def _until_close(connection: Connection, deadline: float) -> bytes:
    data = bytearray()
    while True:
        try:
            data += connection.read_some(deadline)
        except ConnectionEnded as end:
            if str(end) != "the connection was closed":
                raise
            return bytes(data)
