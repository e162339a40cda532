"""
A trace as something to be done again: who asks what and when, and what came back at that time.

Each step knows what it has to wait for. Whatever the recording shows as known to a device, or to
anybody about the same thing, before a request was sent is known before it is sent again; other
requests stay as concurrent as they were. Knows nothing of clocks and targets.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import orjson

from scenarios.replay.moments import unix_us
from scenarios.replay.verbatim import Verbatim, verbatim_of
from scenarios.trace import Event, Trace

KINDS = ("activation_code", "thing_token", "session_token", "password", "mailbox_password")
# Of secrets alone: people's own texts may have angle brackets and colons as well.
PLACEHOLDER = re.compile(rf"<({'|'.join(KINDS)}):([0-9]+)(?::…([^>]*))?>")
WORD = re.compile(r"[A-Za-z0-9_-]{16,}")
REFUSED = re.compile(r"refused with status ([0-9]+)")


class ScriptError(Exception):
    """A line that is no event which can be played; ``line`` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        super().__init__(message)


class Answer(NamedTuple):
    """What came back; ``failure`` is set when nothing did. ``order`` is the place in the trace."""

    order: int
    at: int
    status: int | None
    document: Any
    failure: str | None


class Heard(NamedTuple):
    """One document of a stream."""

    order: int
    at: int
    document: Any


class Need(NamedTuple):
    """A step waits until ``step`` was begun, was answered, or heard so many documents."""

    step: Step
    documents: int | None = None
    is_answer: bool = False


@dataclass(eq=False)
class Exchange:
    """A request and, unless the trace ends before, what came back."""

    order: int
    at: int
    device: str
    method: str
    target: str
    document: Any
    keys: frozenset[str]
    needs: list[Need] = field(default_factory=list)
    verbatim: Verbatim | None = None
    authorization: str | None = None
    answer: Answer | None = None
    is_unclear: bool = False  # no telling what came: several were under way and one failed

    @property
    def is_write(self) -> bool:
        """Whether it may change what others read."""
        return self.method not in ("GET", "HEAD")

    def overlaps(self, other: Exchange) -> bool:
        """Whether both were under way at one time."""
        return self.order < _end(other) and other.order < _end(self)

    def covers(self, order: int) -> bool:
        """Whether it was under way at that place of the trace."""
        return self.order < order <= _end(self)


@dataclass(eq=False)
class Stream:
    """A subscription; ``heard`` without the empty keep-alives, which are ``silences_us`` apart."""

    order: int
    at: int
    device: str
    target: str
    keys: frozenset[str]
    authorization: str | None = None
    needs: list[Need] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    silences_us: list[int] = field(default_factory=list)
    end: Answer | None = None
    closed: int | None = None  # where in the trace the device stopped listening
    last_us: int = 0

    @property
    def refused(self) -> int | None:
        """The status with which the stream was refused, if it was."""
        return refusal(self.end.failure or "") if self.end else None


@dataclass(eq=False)
class Ending:
    """The device stops listening."""

    order: int
    at: int
    stream: Stream
    keys: frozenset[str]
    needs: list[Need] = field(default_factory=list)

    @property
    def device(self) -> str:
        """Whose stream it was."""
        return self.stream.device


Step: TypeAlias = Exchange | Stream | Ending


class Script:
    """
    The steps of a trace in order.

    Attributes:
        issued: words that were first seen in an answer, so that the platform made them up.
        learned: placeholders of secrets that answers hold.
        about: for each device and secret, the requests that concern it.
        dates: for each device and secret, the moments that requests about it named.
    """

    def __init__(self, trace: Trace) -> None:
        self.steps: list[Step] = []
        self.issued: set[str] = set()
        self.dates: dict[str, set[int]] = {}
        self.learned: frozenset[str] = frozenset()
        self.about: dict[str, list[Exchange]] = {}
        self._sent: set[str] = set()
        self._pending: dict[str, deque[Exchange]] = {}
        self._clusters: dict[str, list[Exchange]] = {}
        self._streams: dict[str, Stream] = {}
        self._last: dict[str, Step] = {}
        self._since: dict[str, list[Need]] = {}
        for order, event in enumerate(trace.events):
            self._checked(order, event)
            if event.channel == "http":
                self._event(order, event)

    @property
    def exchanges(self) -> list[Exchange]:
        """Requests with an answer of their own."""
        return [step for step in self.steps if isinstance(step, Exchange)]

    @property
    def streams(self) -> list[Stream]:
        """Subscriptions."""
        return [step for step in self.steps if isinstance(step, Stream)]

    def given(self, kind: str) -> set[str]:
        """Placeholders of that kind that requests hold and no answer does: from a target file."""
        sent = {key for step in self.steps for key in step.keys if key.startswith(f"<{kind}:")}
        return sent - self.learned

    def was_heard(self, exchange: Exchange) -> bool:
        """Whether a write that got no answer arrived all the same: a subscriber was told of it."""
        items = exchange.document.get("values") if isinstance(exchange.document, dict) else None
        return items is not None and any(
            heard.document == items and exchange.covers(heard.order)
            for stream in self.streams
            if stream.keys & secrets_of(exchange.keys)
            for heard in stream.heard
        )

    def _event(self, order: int, event: Event) -> None:
        try:
            self._line(order, event)
        except TypeError as problem:  # orjson's word for numbers and characters beyond JSON's
            raise ScriptError(order + 2, f"expected JSON to send; {problem}") from problem

    def _line(self, order: int, event: Event) -> None:
        message = event.message
        if event.direction == "uplink" and "stream_closed" in message:
            self._stop_listening(order, event)
        elif event.direction == "uplink":
            self._uplink(order, event)
        elif "stream" in message or "stream_end" in message:
            self._told(order, event)
        elif message.keys() & {"status", "failure", "unwritable"}:
            self._answered(order, event)
        else:
            raise ScriptError(order + 2, "expected the answer of a device's request")

    def _uplink(self, order: int, event: Event) -> None:
        message, device = event.message, event.device
        method, target = message.get("method"), message.get("target")
        if not isinstance(method, str) or not isinstance(target, str):
            raise ScriptError(order + 2, "expected a request with method and target")
        verbatim = self._verbatim(order, message)
        is_raw = verbatim is not None and verbatim.raw is not None
        if not is_raw and any(
            not "!" <= mark <= "~" for mark in PLACEHOLDER.sub("", method + target)
        ):
            raise ScriptError(order + 2, "expected method and target in printable ASCII")
        document = message.get("document") if verbatim is None else verbatim.document
        self._note_request({**message, "document": document}, device)
        keys = frozenset({device, *placeholders(message)})
        session = message.get("authorization")
        if not isinstance(session, str | None):
            raise ScriptError(order + 2, "expected authorization to be a text")
        if message.get("stream"):
            self._stop_listening(order, event)
            stream = Stream(order, event.at, device, target, keys, session, last_us=event.at)
            self._streams[device] = stream
            self._add(stream)
            return
        exchange = Exchange(order, event.at, device, method, target, document, keys)
        exchange.verbatim, exchange.authorization = verbatim, session
        self._add(exchange)
        self._pending.setdefault(device, deque()).append(exchange)
        self._clusters.setdefault(device, []).append(exchange)
        for key in keys:
            self.about.setdefault(key, []).append(exchange)

    def _verbatim(self, order: int, message: dict[str, Any]) -> Verbatim | None:
        try:
            return verbatim_of(message) if "headers" in message else None
        except ValueError as problem:
            raise ScriptError(order + 2, str(problem)) from problem

    def _answered(self, order: int, event: Event) -> None:
        """Requests of one device are answered in order."""
        pending = self._pending.get(event.device)
        if not pending:
            raise ScriptError(order + 2, "expected a request before its answer")
        message, exchange = event.message, pending.popleft()
        exchange.is_unclear |= "unwritable" in message  # too deep for a line of JSON
        exchange.answer = Answer(
            order, event.at, message.get("status"), message.get("document"), message.get("failure")
        )
        cluster = self._clusters[event.device]
        if exchange.answer.failure is not None and (exchange.verbatim or len(cluster) > 1):
            for each in cluster:
                each.is_unclear = True
        if not pending:
            self._clusters[event.device] = []
        self._note_answer(message)
        self.learned |= placeholders(message)
        self._known(exchange.keys | placeholders(message), Need(exchange, is_answer=True))

    def _told(self, order: int, event: Event) -> None:
        stream = self._streams.get(event.device)
        if stream is None:
            raise ScriptError(order + 2, "expected a subscription before its documents")
        message = event.message
        if "stream_end" in message:
            stream.end = Answer(order, event.at, None, None, str(message["stream_end"]))
            if stream.refused is None:
                self._stop_listening(order, event)
            return
        silence_us, stream.last_us = event.at - stream.last_us, event.at
        if message["stream"] == {}:
            stream.silences_us.append(silence_us)
            return
        stream.heard.append(Heard(order, event.at, message["stream"]))
        self._note_answer(message)
        self._known(stream.keys | placeholders(message), Need(stream, len(stream.heard)))

    def _stop_listening(self, order: int, event: Event) -> None:
        stream = self._streams.pop(event.device, None)
        if stream is not None:
            stream.closed = order
            self._add(Ending(order, event.at, stream, stream.keys))

    def _add(self, step: Step) -> None:
        """It waits for the step before about the same, and for what came to be known since."""
        needs: dict[Need, None] = {}
        for key in sorted(step.keys):
            if key in self._last:
                needs[Need(self._last[key])] = None
            needs.update(dict.fromkeys(self._since.pop(key, ())))
            self._last[key] = step
        step.needs = list(needs)
        self.steps.append(step)

    def _known(self, keys: Iterable[str], need: Need) -> None:
        for key in keys:
            self._since.setdefault(key, []).append(need)

    def _note_request(self, message: dict[str, Any], device: str) -> None:
        self._sent |= words(message) - self.issued
        found = {moment for text in scalars(message) if (moment := unix_us(text)) is not None}
        if found:
            for key in {device, *placeholders(message)}:
                self.dates.setdefault(key, set()).update(found)

    def _note_answer(self, message: dict[str, Any]) -> None:
        self.issued |= words(message) - self._sent

    def _checked(self, order: int, event: Event) -> None:
        is_event = isinstance(event.at, int) and not isinstance(event.at, bool) and event.at >= 0
        is_event = is_event and isinstance(event.device, str) and isinstance(event.message, dict)
        if not is_event:
            raise ScriptError(order + 2, "expected an event with a time, a device and a message")


def refusal(reason: str) -> int | None:
    """The status with which a stream was refused, if that is why it ended."""
    found = REFUSED.match(reason)
    return int(found[1]) if found else None


def placeholders(value: Any) -> frozenset[str]:
    """Every placeholder of a secret in a document."""
    text = orjson.dumps(value).decode()
    return frozenset(found[0] for found in PLACEHOLDER.finditer(text))


def secrets_of(keys: Iterable[str]) -> set[str]:
    """The keys that are placeholders, not devices."""
    return {key for key in keys if PLACEHOLDER.fullmatch(key)}


def words(value: Any) -> set[str]:
    """Everything in a document that is long enough to be an id."""
    return set(WORD.findall(orjson.dumps(value).decode()))


def scalars(value: Any) -> Iterator[Any]:
    """Texts and numbers of a document, keys left out."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from scalars(item)
    else:
        yield value


def _end(exchange: Exchange) -> float:
    return exchange.answer.order if exchange.answer else float("inf")
