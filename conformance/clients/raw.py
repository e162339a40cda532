"""
Bytes as they are to a target, and the answers that come back: for what tidy clients cannot send.
"""

from __future__ import annotations

import time

from conformance.clients.connection import Connection, ConnectionEnded, read_body, read_head
from conformance.clients.exchange import Exchange, Headers, Response, answered, unanswered
from conformance.clients.http import Http, explain


def exchange_raw(http: Http, data: bytes, *, answers: int, timeout_s: float) -> list[Response]:
    """Open a connection, send, read up to ``answers`` answers, close; see ThethingsClient.raw."""
    method, target, headers, body = parts_of(data)
    http.guard.before(method, target.removeprefix(http.prefix), headers, body)
    started = time.monotonic()
    responses = _responses(http, data, answers, started + timeout_s)
    recorded = responses[-1] if responses else unanswered("closed by us right after sending", 0.0)
    target = target.removeprefix(http.prefix)
    seen = Exchange(method, target, headers, body, recorded, started, http.url, raw=data)
    seen.answers = answers
    http.guard.after(seen)
    return responses


def _responses(http: Http, data: bytes, answers: int, deadline: float) -> list[Response]:
    started = time.monotonic()
    found: list[Response] = []
    try:
        connection = Connection(http.url, ca_file=http.ca_file, timeout_s=5.0)
    except OSError as problem:
        return [unanswered(explain(problem), time.monotonic() - started)]
    is_head = data.lstrip()[:5].upper() == b"HEAD "
    try:
        connection.send(data)
        while len(found) < answers:
            status, headers = read_head(connection, deadline)
            body = read_body(connection, status, headers, deadline, is_head=is_head)
            found.append(answered(status, headers, body, time.monotonic() - started))
    except ConnectionEnded as end:
        found.append(unanswered(str(end), time.monotonic() - started))
    except OSError as problem:
        found.append(unanswered(explain(problem), time.monotonic() - started))
    finally:
        connection.close()
    return found


def parts_of(data: bytes) -> tuple[str, str, dict[str, str], bytes]:
    """Method, target, fields and body of the first request, as far as they can be told."""
    head, separator, body = data.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = head.decode("latin-1").lstrip("\n").split("\n")
    words = [*lines[0].split(" "), "", ""]
    fields = dict(line.split(":", 1) for line in lines[1:] if ":" in line)
    headers: dict[str, str] = Headers([(name, value.strip()) for name, value in fields.items()])
    return words[0], words[1], headers, body if separator else b""
