"""
How answers and streams look on the wire, as values: what a wire deviation changes.

The reference: compact JSON, one document per chunk, one chunk per socket write, nothing after it,
and a gap between two documents of a stream so that TCP does not join them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

JSON = "application/json"
CROSS_ORIGIN = (("Access-Control-Allow-Origin", "*"),)
PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept"),
    ("Access-Control-Max-Age", "86400"),
)
LAST_CHUNK = b"0\r\n\r\n"
Refusal = tuple[int, Any]  # status and document


def one_chunk(documents: list[bytes]) -> bytes:
    """Each document in a chunk of its own."""
    return b"".join(b"%x\r\n%b\r\n" % (len(document), document) for document in documents)


def plain_refusal(status: int, message: str) -> Refusal:
    """How a request is refused that never came to the core, or that the core failed at."""
    return status, {"status": "error", "message": message}


@dataclass(frozen=True)
class Framing:
    """What the shell looks up instead of knowing."""

    dumps: Callable[[Any], bytes] = orjson.dumps
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = CROSS_ORIGIN
    preflight: tuple[tuple[str, str], ...] = PREFLIGHT  # on an answer without content
    refusal: Callable[[int, str], Refusal] = plain_refusal
    chunks: Callable[[list[bytes]], bytes] = one_chunk
    chunked: bool = True  # False: the end of the connection ends a stream
    gap_s: float = 0.020  # between two documents of a stream
    gap_queue: int = 16  # with more documents waiting there is no gap
    gap_bytes: int = 262_144  # nor with so much: the gap must not fill the queue of who reads
    join: bool = False  # hand everything that waits to ``chunks`` at once


@dataclass(frozen=True)
class Limits:
    """What one client may take; beyond it there is an error with the limit's name."""

    head_bytes: int = 16_384
    body_bytes: int = 1_048_576
    request_s: float = 20.0  # from a request's first byte to its last
    idle_s: float = 75.0  # between requests
    connections: int = 4096
    stream_bytes: int = 1_048_576  # waiting for a slow reader
    stream_send_buffer: int = 131_072  # in the kernel, of one stream; it would grow to megabytes
    stream_stall_s: float = 10.0  # a reader that takes nothing for so long is cut
    hashes: int = 256  # passwords that may wait to be hashed
    scripts: int = 10_000  # messages and requests that may wait for scripts
    linger_s: float = 2.0  # after an error, so that the client can read it before the reset


def head(status: int, headers: list[tuple[str, str]]) -> bytes:
    """Status line and headers, up to and without the empty line."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return f"HTTP/1.1 {status} {phrase}\r\n".encode() + header_lines(headers)


def header_lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """Headers as they stand on the wire."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")
