"""Habits of strict HTTP stacks and careful gateways that shut out boards in the field."""

from __future__ import annotations

from msgspec.structs import replace

from simulators.platforms.effects import Request
from simulators.platforms.thethings_io.deviations.changes import with_path
from simulators.platforms.thethings_io.deviations.deviation import Before, Deviation
from simulators.platforms.wire_http import Connection

NOWHERE = "/v2/nowhere"
TARPIT_S = 1.2
FORM = b"application/x-www-form-urlencoded"


class StrictLineEnds(Connection):
    """Takes a bare LF inside a head for a mistake, as the parsers of most HTTP stacks do."""

    so_far = b""

    def data_received(self, data: bytes) -> None:
        self.so_far += data
        head = self.so_far.strip(b"\r\n").partition(b"\r\n\r\n")[0]
        if not self.is_deaf and b"\n" in head.replace(b"\r\n", b""):
            self.refuse(400, "not a valid HTTP/1.1 request")
            return
        super().data_received(data)
        if self.began_s is None:  # the request is whole
            self.so_far = b""


class StrictEnds(Connection):
    """Takes what follows a body for a part of the request, which is then wrong."""

    def data_received(self, data: bytes) -> None:
        if stray(data):
            self.refuse(400, "body is longer than its Content-Length")
        else:
            super().data_received(data)


class SecondAnswer(Connection):
    """Takes what follows a body for a further request, which is then wrong."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data.rstrip(b"\r\n") if stray(data) else data)
        if stray(data):
            self.refuse(400, "not a valid HTTP/1.1 request")


class EmptyQueryRefused(Connection):
    """Finds nothing under a path that ends with a question mark."""

    def on_url(self, url: bytes) -> None:
        super().on_url(NOWHERE.encode() if url.endswith(b"?") else url)


class Patient(Connection):
    """Looks at a request only after a while, and not at all when its sender has left."""

    delay_s = 0.02

    def data_received(self, data: bytes) -> None:
        self._shell.loop.call_later(self.delay_s, self._late, data)

    def _late(self, data: bytes) -> None:
        if not self.has_ended and not self.transport.is_closing():
            super().data_received(data)


class Tarpit(Patient):
    """Lets those wait who send no User-Agent."""

    delay_s = TARPIT_S

    def data_received(self, data: bytes) -> None:
        if b"user-agent:" in data.lower() or not data.startswith((b"GET ", b"POST ")):
            Connection.data_received(self, data)
        else:
            super().data_received(data)


def stray(data: bytes) -> bool:
    """Whether line ends follow the closing brace of a body."""
    return data.endswith((b"}\n\n", b"}\r\n"))


def without_body(header: bytes, unwanted: bytes | None) -> Before:
    """Loses bodies of requests with an unwanted value of a header; None: without the header."""

    def before(request: Request) -> Request:
        value = request.header(header)
        found = value is None if unwanted is None else unwanted in (value or "").encode()
        return replace(request, body=b"") if found else request

    return before


def _only_own_name(request: Request) -> Request:
    is_own = "thethings.io" not in (request.header(b"host") or "")
    return request if is_own else replace(request, path=NOWHERE)


DEVIATIONS = {
    "strict-line-ends": Deviation(
        "A line that ends with a bare LF makes a request wrong.", connection=StrictLineEnds
    ),
    "strict-ends": Deviation("Line ends after a body make a request wrong.", connection=StrictEnds),
    "strict-second-answer": Deviation(
        "Line ends after a body are answered as a further request.", connection=SecondAnswer
    ),
    "strict-head-in-time": Deviation(
        "A request that takes more than a tenth of a second is cut off.",
        limits={"request_s": 0.1},
    ),
    "strict-type": Deviation(
        "A body without Content-Type is not looked at.", before=without_body(b"content-type", None)
    ),
    "strict-length": Deviation(
        "A body in chunks is not looked at.",
        before=without_body(b"transfer-encoding", b"chunked"),
    ),
    "strict-json": Deviation(
        "A form is not looked at.", before=without_body(b"content-type", FORM)
    ),
    "strict-slashes": Deviation(
        "A doubled slash leads nowhere.",
        before=with_path(lambda path: NOWHERE if path.startswith("/v2//") else path),
    ),
    "strict-end-of-path": Deviation(
        "A slash after the key leads nowhere.",
        ("TIO-RD",),
        before=with_path(lambda path: NOWHERE if path.endswith("/") else path),
    ),
    "strict-empty-query": Deviation(
        "A question mark with nothing behind it leads nowhere.", connection=EmptyQueryRefused
    ),
    "strict-host": Deviation("Only its own name leads anywhere.", before=_only_own_name),
    "strict-presence": Deviation(
        "A request whose sender has left is not looked at.", connection=Patient
    ),
    "tarpit": Deviation("Who sends no User-Agent waits for more than a second.", connection=Tarpit),
}
