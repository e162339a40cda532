"""
A board on the line: bytes as its library puts them there, and what comes back block by block.

Where ``raw`` reads like an HTTP client, this keeps what small parsers stumble over: the status
line, and the pieces in which a body came.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from conformance.clients.connection import (
    Connection,
    ConnectionEnded,
    chunks,
    read_start,
)
from conformance.clients.exchange import (
    Exchange,
    Headers,
    Response,
    answered,
    unanswered,
)
from conformance.clients.http import Http, explain
from conformance.clients.raw import parts_of

_NO_BODY = (204, 304)


class Heard(NamedTuple):
    """
    An answer as a board hears it.

    ``status_line`` is empty when no answer came. ``blocks`` are the pieces of the body: its chunks,
    or what each read of the socket brought.
    """

    response: Response
    status_line: str
    blocks: list[bytes]


def converse(
    http: Http, requests: Sequence[bytes], *, pause_s: float = 0.0, timeout_s: float = 5.0
) -> list[Heard]:
    """
    Send requests on one connection, each after the answer to the one before.

    Args:
        requests: whole requests, each with whatever the board sends after it.
        pause_s: when not 0, bytes go out one by one with this pause between them.
        timeout_s: for each answer, from its request's last byte.
    Returns:
        An answer for each request; after the first that did not come there are no more.
    """
    heard: list[Heard] = []
    connection: Connection | None = None
    try:
        for data in requests:
            method, target, headers, body = parts_of(data)
            target = target.removeprefix(http.prefix)
            http.guard.before(method, target, headers, body)
            started = time.monotonic()
            try:
                connection = connection or Connection(http.url, ca_file=http.ca_file, timeout_s=5.0)
                _send(connection, data, pause_s)
                found = _answer(connection, timeout_s)
            except (ConnectionEnded, OSError) as end:
                why = str(end) if isinstance(end, ConnectionEnded) else explain(end)
                found = Heard(unanswered(why, time.monotonic() - started), "", [])
            heard.append(found)
            http.guard.after(
                Exchange(method, target, headers, body, found.response, started, http.url, raw=data)
            )
            if found.response.status is None:
                break
    finally:
        if connection is not None:
            connection.close()
    return heard


def _send(connection: Connection, data: bytes, pause_s: float) -> None:
    if not pause_s:
        connection.send(data)
        return
    for at in range(len(data)):
        connection.send(data[at : at + 1])
        time.sleep(pause_s)


def _answer(connection: Connection, timeout_s: float) -> Heard:
    started = time.monotonic()
    deadline = started + timeout_s
    line, status, headers = read_start(connection, deadline)
    blocks = [] if status in _NO_BODY else _blocks(connection, headers, deadline)
    elapsed_s = time.monotonic() - started
    return Heard(answered(status, headers, b"".join(blocks), elapsed_s), line, blocks)


def _blocks(connection: Connection, headers: Headers, deadline: float) -> list[bytes]:
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        return list(chunks(connection, deadline))
    length = headers.get("Content-Length", "")
    left = int(length) if length.isdigit() else None
    blocks: list[bytes] = []
    while left is None or left > 0:
        try:
            blocks.append(connection.read_some(deadline, most=left))
        except ConnectionEnded as end:
            if left is None and str(end) == "the connection was closed":
                break
            raise
        left = None if left is None else left - len(blocks[-1])
    return blocks
