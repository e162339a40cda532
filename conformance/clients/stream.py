"""
A subscription on a raw socket: every document with when, and in which chunk and read, it came.

Liberal in what it accepts (chunked or close-delimited, any whitespace, split or coalesced); it
tells what the framing was, so that a test can judge it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from conformance.clients.connection import (
    Connection,
    ConnectionEnded,
    host_header,
    read_body,
    read_chunk,
    read_head,
)
from conformance.clients.exchange import (
    Exchange,
    Headers,
    Heard,
    Response,
    answered,
    parse_json,
    unanswered,
)
from conformance.clients.http import Http, explain
from conformance.clients.json_documents import BrokenStream, JsonDocuments

_FOREVER = float("inf")


class StreamDocument(NamedTuple):
    """
    One document of a stream.

    ``at`` is monotonic seconds of its last byte; ``chunk`` and ``read`` count chunks and socket
    reads from 0, and are those in which its last byte came; ``first_chunk`` that of its first.
    """

    value: Any
    at: float
    chunk: int
    first_chunk: int
    read: int


class Stream:
    """
    An open subscription; a thread reads it until it ends or ``close`` is called.

    Attributes:
        response: the answer's head as a Response; for a status other than 200, with its body.
        chunks: the chunks as they came (socket reads when the body is not chunked).
        ended: why nothing more will come, or None while it lives.
        parser: makes what finds the documents.
    """

    parser: Callable[[], JsonDocuments] = JsonDocuments

    def __init__(
        self,
        http: Http,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
        request: bytes | None = None,
    ) -> None:
        """``request`` are the bytes of the request, when a tidy head is not what is wanted."""
        self.target = target
        self._fields = dict(headers or {})
        self._bytes = request
        self.documents: list[StreamDocument] = []
        self.chunks: list[bytes] = []
        self.ended: str | None = None
        self.opened_at = time.monotonic()
        self._http = http
        self._news = threading.Condition()
        self._connection: Connection | None = None
        self._closed_at: float | None = None
        self._ended_at = _FOREVER
        http.guard.before("GET", target, self._fields, b"")
        asked_at = time.monotonic()
        self.response = self._open(timeout_s)
        http.guard.after(
            Exchange(
                "GET",
                target,
                self._fields,
                b"",
                self.response,
                asked_at,
                http.url,
                raw=request,
                growing=self._seen,
                heard=self._heard,
            )
        )

    @property
    def status(self) -> int | None:
        """Status of the answer; None when none came."""
        return self.response.status

    @property
    def headers(self) -> Headers:
        """Header fields of the answer."""
        return self.response.headers

    @property
    def values(self) -> list[Any]:
        """The documents without their circumstances."""
        return [document.value for document in list(self.documents)]

    def wait_for(self, count: int, timeout_s: float) -> list[Any]:
        """The first ``count`` documents, or what has come of them when time is up."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            self._news.wait_for(
                lambda: len(self.documents) >= count or self.ended is not None,
                timeout=max(0.0, deadline - time.monotonic()),
            )
        return self.values[:count]

    def wait_for_data(self, count: int, timeout_s: float) -> list[Any]:
        """The first ``count`` documents after the first one that are not keep-alives ``{}``."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            self._news.wait_for(
                lambda: len(self.data) >= count or self.ended is not None,
                timeout=max(0.0, deadline - time.monotonic()),
            )
        return [document.value for document in self.data[:count]]

    @property
    def data(self) -> list[StreamDocument]:
        """Documents after the first one that are not keep-alives ``{}``."""
        return [document for document in list(self.documents)[1:] if document.value != {}]

    def close(self) -> None:
        """Stop listening."""
        self._closed_at = self._closed_at or time.monotonic()
        if self._connection is not None:
            self._connection.close()
            self._thread.join(timeout=5.0)

    def _open(self, timeout_s: float) -> Response:
        started = time.monotonic()
        deadline = started + timeout_s
        connection: Connection | None = None
        try:
            connection = Connection(
                self._http.url, ca_file=self._http.ca_file, timeout_s=min(5.0, timeout_s)
            )
            connection.send(self._request())
            status, headers = read_head(connection, deadline)
            if status != 200:
                body = read_body(connection, status, headers, deadline)
                connection.close()
                self.ended = f"status {status}"
                self._note_refusal(body)
                return answered(status, headers, body, time.monotonic() - started)
        except (ConnectionEnded, OSError) as problem:
            if connection is not None:
                connection.close()
            self.ended = str(problem) if isinstance(problem, ConnectionEnded) else explain(problem)
            return unanswered(self.ended, time.monotonic() - started)
        self.opened_at = time.monotonic()
        self._connection = connection
        self._thread = threading.Thread(
            target=self._follow, args=(connection, headers), daemon=True, name="stream"
        )
        self._thread.start()
        return answered(status, headers, b"", time.monotonic() - started)

    def _request(self) -> bytes:
        if self._bytes is not None:
            return self._bytes
        fields = {
            "Host": host_header(self._http.url),
            "Accept": "application/json",
            "User-Agent": "thingrig",
            **self._fields,
        }
        lines = [f"GET {self._http.prefix}{self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        return "\r\n".join([*lines, "", ""]).encode()

    def _note_refusal(self, body: bytes) -> None:
        """An error object instead of a stream counts as its only document."""
        value = parse_json(body)
        if body and value is not None:
            self.documents.append(StreamDocument(value, time.monotonic(), 0, 0, 0))

    def _follow(self, connection: Connection, headers: Headers) -> None:
        is_chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        parser = self.parser()
        first_chunk = 0
        try:
            while True:
                read = read_chunk if is_chunked else Connection.read_some
                data = read(connection, _FOREVER)
                if not data:
                    raise ConnectionEnded("the stream was ended")
                was_between = not parser.rest
                number = len(self.chunks)
                found = parser.feed(data)
                with self._news:
                    self.chunks.append(data)
                    first_chunk = number if was_between else first_chunk
                    for value in found:
                        self.documents.append(
                            StreamDocument(
                                value, time.monotonic(), number, first_chunk, connection.reads - 1
                            )
                        )
                        first_chunk = number
                    self._news.notify_all()
        except (ConnectionEnded, BrokenStream, OSError, ValueError) as end:
            with self._news:
                self.ended = str(end)
                self._ended_at = time.monotonic()
                self._news.notify_all()
        finally:
            connection.close()

    def _heard(self) -> Heard:
        documents = [(each.at, each.value) for each in list(self.documents)]
        until = min(self._ended_at, self._closed_at or time.monotonic())
        is_theirs = self._closed_at is None or self._ended_at < self._closed_at
        is_over = self._closed_at is not None or self.ended is not None
        return Heard(documents, self.ended if is_theirs else None, until, is_over)

    def _seen(self) -> Response:
        """What evidence shows: the head, and everything that has come so far as the body."""
        response = self.response
        if self._connection is None or response.status is None:
            return response
        elapsed_s = time.monotonic() - self.opened_at
        return answered(response.status, response.headers, b"".join(self.chunks), elapsed_s)
