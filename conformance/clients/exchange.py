"""
One exchange with a target: what was sent, what came back, how long it took.

Plain values; knows nothing of pytest, requirements or secrets.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol


class _NotJson:
    def __repr__(self) -> str:
        return "no JSON"

    def __bool__(self) -> bool:
        return False


NOT_JSON: Final[Any] = _NotJson()
"""What ``Response.json`` is when the body does not parse."""


class UnexpectedAnswer(Exception):  # noqa: N818 - the peer's doing, not a mistake of ours
    """An answer that was needed to go on is not a good one."""


class Headers(dict[str, str]):
    """Header fields by name in any case; a repeated field is joined by comma and space."""

    def __init__(self, pairs: Mapping[str, str] | list[tuple[str, str]] = ()) -> None:  # type: ignore[assignment]
        super().__init__()
        for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
            earlier = self.get(name)
            super().__setitem__(name.lower(), value if earlier is None else f"{earlier}, {value}")

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


@dataclass(frozen=True, slots=True)
class Response:
    """
    What came back.

    ``status`` is None when nothing usable came; then ``error`` says why in one phrase.
    ``json`` is the parsed body, or NOT_JSON.
    """

    status: int | None
    headers: Headers
    body: bytes
    json: Any
    error: str | None
    elapsed_s: float

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 2xx."""
        return self.status is not None and 200 <= self.status < 300

    def ok_json(self) -> Any:
        """
        The parsed body of a good answer.

        Raises:
            UnexpectedAnswer: no answer, a status other than 2xx, or a body that is not JSON.
        """
        if not self.is_success or self.json is NOT_JSON:
            raise UnexpectedAnswer(f"expected a 2xx answer in JSON; got {self.summary()}")
        return self.json

    def summary(self) -> str:
        """Status, and the message of an error object, on one line."""
        if self.status is None:
            return self.error or "nothing"
        message = self.json.get("message") if isinstance(self.json, dict) else None
        return f"status {self.status}" + (f" with message {message!r}" if message else "")


def answered(status: int, headers: Headers, body: bytes, elapsed_s: float) -> Response:
    """A Response from its parts; the body is parsed whatever its Content-Type says."""
    return Response(status, headers, body, parse_json(body), None, elapsed_s)


def unanswered(error: str, elapsed_s: float) -> Response:
    """A Response that never came."""
    return Response(None, Headers(), b"", NOT_JSON, error, elapsed_s)


def parse_json(body: bytes) -> Any:
    """The JSON value in UTF-8 bytes, or NOT_JSON; NaN and Infinity are not JSON."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return NOT_JSON


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class Heard(NamedTuple):
    """
    A stream so far: each document with the monotonic time of its last byte.

    ``ended`` is the peer's reason, None unless it ended first; ``until`` is when we stopped
    listening, or now; ``is_over`` tells whether anything more may come.
    """

    documents: list[tuple[float, Any]]
    ended: str | None
    until: float
    is_over: bool


@dataclass(slots=True)
class Exchange:
    """
    A request and its Response; ``started`` and ``ended`` are monotonic seconds of their own: not
    later than the first byte was sent, not earlier than the last one came.

    ``raw`` holds the bytes on the wire when they were given as such; ``answers`` is how many were
    waited for then, of which ``response`` is the last. ``heard`` tells of a stream that was opened;
    ``is_borrowed`` that another process of the run had the exchange.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    response: Response
    started: float
    url: str = ""
    raw: bytes | None = field(default=None, repr=False)
    answers: int = 1
    ended: float = field(default_factory=time.monotonic, repr=False)
    is_borrowed: bool = False
    growing: Callable[[], Response] | None = field(default=None, repr=False)
    heard: Callable[[], Heard] | None = field(default=None, repr=False)

    def seen(self) -> Response:
        """The response as far as it has come; a stream's body grows after its head."""
        return self.growing() if self.growing else self.response


class Guard(Protocol):
    """Asked before each request, and told about each exchange."""

    def before(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """May wait, note what will be created, or raise to forbid the request."""

    def after(self, exchange: Exchange) -> None:
        """May record the exchange, or raise when the target asks us to stop."""


class NoGuard:
    """Lets everything pass and records nothing."""

    def before(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        pass

    def after(self, exchange: Exchange) -> None:
        pass
