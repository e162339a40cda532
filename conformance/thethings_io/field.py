"""
Requests as boards in the field build them: line by line, with line ends of their own.

Everything but the one habit that a test is about is tidy, so that a fail has one cause.
"""

from __future__ import annotations

import time
from typing import Any

from conformance.clients.board import Heard, converse
from conformance.clients.connection import host_header
from conformance.fixtures import Thing
from conformance.outcomes import Inconclusive
from conformance.thethings_io.shapes import shown

LF = "\n"
CRLF = "\r\n"
ACCEPTED = "a status of 2xx, and the value is stored"


def request(
    thing: Thing,
    method: str,
    path: str,
    *fields: str,
    body: str = "",
    end: str = CRLF,
    host: str | None = None,
    length: bool = True,
) -> bytes:
    """A request of HTTP/1.1; ``path`` is below the target's URL."""
    http = thing.api.http
    lines = [f"{method} {http.prefix}{path} HTTP/1.1", f"Host: {host or host_header(http.url)}"]
    lines += fields
    if body and length:
        lines.append(f"Content-Length: {len(body.encode())}")
    return (end.join([*lines, "", ""]) + body).encode()


def write(
    thing: Thing, key: str, *, value: str = '"21.5"', end: str = CRLF, host: str | None = None
) -> bytes:
    """The write of one value, in JSON text."""
    return request(
        thing,
        "POST",
        f"/v2/things/{thing.token}",
        "Accept: application/json",
        "Content-Type: application/json",
        body=f'{{"values":[{{"key":"{key}","value":{value}}}]}}',
        end=end,
        host=host,
    )


def read(thing: Thing, key: str, *, end: str = CRLF, host: str | None = None) -> bytes:
    """The read of the newest value."""
    path = f"/v2/things/{thing.token}/resources/{key}?limit=1"
    return request(thing, "GET", path, "Accept: application/json", end=end, host=host)


def hear(thing: Thing, data: bytes, *, pause_s: float = 0.0) -> Heard:
    """Send one request on a connection of its own, and hear its answer."""
    return converse(thing.api.http, [data], pause_s=pause_s)[0]


def is_stored(thing: Thing, key: str, *, within_s: float = 0.0) -> bool:
    """Whether a tidy client reads a value under the key, now or before time is up."""
    deadline = time.monotonic() + within_s
    while True:
        answer = thing.read(key)
        if answer.is_success and answer.json:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)


def tidily_read(thing: Thing, key: str) -> Any:
    """
    What a read with tidy bytes brings.

    Raises:
        Inconclusive: not even that is answered with rows.
    """
    answer = hear(thing, read(thing, key)).response
    if not answer.is_success or not answer.json:
        raise Inconclusive(f"a tidy read is not answered with rows: {answer.summary()}")
    return shown(answer)


def outcome(thing: Thing, heard: Heard, key: str) -> dict[str, object]:
    """What became of a write: the status of its answer, or why none came, and of its value."""
    answer = heard.response
    return {"status": answer.status or answer.error, "stored": is_stored(thing, key)}


def is_counted(became: dict[str, object]) -> bool:
    """Whether a write was accepted, and its value is there."""
    return became["status"] in range(200, 300) and became["stored"] is True
