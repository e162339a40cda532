"""
Plays a script to a target: each request when it is due and what it waits for has come.

Runs on the wall clock over any HttpTransport. Compares each answer when it arrives, since later
requests need the names that are learned from it; streams are compared at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import simpy

from scenarios.recorder import Recorder
from scenarios.replay.comparison import Difference, Sides, Span, differences
from scenarios.replay.names import Names, UnlearnedError
from scenarios.replay.postman import Postman
from scenarios.replay.script import (
    Ending,
    Exchange,
    Script,
    Step,
    Stream,
    refusal,
    secrets_of,
)
from scenarios.replay.streams import LATE_US, Reception, stream_differences
from scenarios.trace import writable
from simulators.clock import EPOCH, WallClock
from simulators.devices.device import Steps
from simulators.devices.observation import ObservedChannel
from simulators.transports.http import HttpAnswer, HttpTransport, TransportError

PATIENCE_US = 2_000_000  # for a document of a stream that somebody waits for
LOST_AFTER = 20  # requests in a row without an answer

Progress = Callable[[int, int], None]


class ReplayTransport(HttpTransport, Protocol):
    """One that takes whole requests as well."""

    def exchange(self, data: bytes, answers: int) -> simpy.Event:
        """
        Send bytes on a connection of their own.

        Returns:
            Event whose value is the last of so many HttpAnswers, or that fails with TransportError.
        """


class Finding(NamedTuple):
    """A difference and where it was seen; ``order`` is its place in the trace."""

    difference: Difference
    order: int
    device: str
    method: str
    target: str


@dataclass
class Outcome:
    """What a replay came to; latencies in microseconds, of requests answered on both sides."""

    findings: list[Finding] = field(default_factory=list)
    uncertain: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    recorded_us: list[int] = field(default_factory=list)
    replayed_us: list[int] = field(default_factory=list)
    behind_us: int = 0
    ended_us: int = 0
    is_interrupted: bool = False
    lost: str | None = None


@dataclass(frozen=True)
class Manner:
    """How to play; ``is_timed`` is False when requests wait for a rate limit."""

    speed: float = 1.0
    product_id: str | None = None
    passwords: tuple[str, ...] = ()
    has_used_codes: bool = False
    is_timed: bool = True


class Listener:
    """An open stream, and who waits for its documents."""

    def __init__(self, clock: WallClock) -> None:
        self.reception = Reception()
        self.subscription: Any = None
        self.is_open = True
        self._clock = clock
        self._last_us = clock.now_us()
        self._given_up = 0
        self._waiting: list[tuple[int, simpy.Event]] = []

    def until(self, count: int) -> simpy.Event:
        """Event for having heard that many documents, or for knowing that they never come."""
        event = self._clock.event()
        self._waiting.append((count, event))
        self._wake()
        return event

    def give_up(self, count: int) -> None:
        """Wait no longer for the documents that are missing up to ``count``."""
        self._given_up = max(self._given_up, count - len(self.reception.documents))
        self._wake()

    def document(self, document: Any) -> None:
        """The platform told something."""
        silence_us, self._last_us = self._clock.now_us() - self._last_us, self._clock.now_us()
        if document == {}:
            self.reception.silences_us.append(silence_us)
            return
        self.reception.documents.append(document)
        self._wake()

    def end(self, reason: str) -> None:
        """The platform ended it, or never began."""
        self.reception.end = reason
        self.reception.refused = refusal(reason)
        self.over()

    def close(self) -> None:
        """The device stops listening."""
        if self.is_open:
            self.subscription.close()
            self.over()

    def over(self) -> None:
        self.is_open = False
        self.reception.last_silence_us = self._clock.now_us() - self._last_us
        self._wake()

    def _wake(self) -> None:
        heard = len(self.reception.documents) + self._given_up
        ready = [each for each in self._waiting if each[0] <= heard or not self.is_open]
        self._waiting = [each for each in self._waiting if each not in ready]
        for _, event in ready:
            event.succeed()


class Player:
    """One replay."""

    def __init__(
        self,
        script: Script,
        names: Names,
        *,
        clock: WallClock,
        transport: ReplayTransport,
        postman: Postman,
        recorder: Recorder,
        start: datetime,
        manner: Manner,
        progress: Progress | None = None,
    ) -> None:
        self.outcome = Outcome()
        self._script = script
        self._names = names
        self._clock = clock
        self._transport = transport
        self._postman = postman
        self._recorder = recorder
        self._start_us = (start - EPOCH) // timedelta(microseconds=1)
        self._manner = manner
        self._progress = progress
        self._channels: dict[str, ObservedChannel] = {}
        self._begun: dict[Step, simpy.Event] = {each: clock.event() for each in script.steps}
        self._done: dict[Step, simpy.Event] = {each: clock.event() for each in script.steps}
        self._listeners: dict[Stream, Listener] = {}
        self._failed_in_a_row = 0

    def conduct(self) -> Steps:
        """Play every step, then wait for what is still to come."""
        for count, step in enumerate(self._script.steps):
            due_us = round(step.at / self._manner.speed)
            if due_us > self._clock.now_us():
                yield self._clock.timeout(due_us - self._clock.now_us())
            if self.outcome.lost is not None:
                return
            self._start(step, due_us)
            if self._progress is not None:
                self._progress(count, len(self._script.steps))
        yield simpy.AllOf(self._clock, list(self._done.values()))
        for stream, listener in self._listeners.items():
            yield from self._hear(listener, len(stream.heard))

    def finish(self) -> Outcome:
        """Compare the streams; nothing is played afterwards."""
        outcome = self.outcome
        for stream, listener in self._listeners.items():
            listener.close()
            outcome.counts["streams"] += 1
            outcome.counts["documents"] += len(listener.reception.documents)
            if outcome.lost is None and not outcome.is_interrupted:
                sides = self._sides(stream.keys, stream.last_us)
                found = stream_differences(self._script, stream, listener.reception, sides)
                for order, each in found:
                    self._find(stream, each, order=order)
        outcome.ended_us = self._clock.now_us()
        return outcome

    def _start(self, step: Step, due_us: int) -> None:
        waits = [each for each in self._awaited(step) if not each.triggered]
        is_listening = any(need.documents is not None for need in step.needs)
        if waits or is_listening:
            self._clock.process(self._later(step, waits, due_us))
        else:
            self._begin(step, due_us)

    def _awaited(self, step: Step) -> Iterator[simpy.Event]:
        for need in step.needs:
            if need.documents is None:
                yield (self._done if need.is_answer else self._begun)[need.step]

    def _later(self, step: Step, waits: list[simpy.Event], due_us: int) -> Steps:
        yield simpy.AllOf(self._clock, waits)
        for need in step.needs:
            if isinstance(need.step, Stream) and need.documents is not None:
                listener = self._listeners.get(need.step)
                if listener is not None:  # it was not to be opened for want of a token
                    yield from self._hear(listener, need.documents)
        self._begin(step, due_us)

    def _hear(self, listener: Listener, count: int) -> Steps:
        heard = listener.until(count)
        if not heard.triggered:
            yield heard | self._clock.timeout(PATIENCE_US)
        if not heard.triggered:
            listener.give_up(count)

    def _begin(self, step: Step, due_us: int) -> None:
        self._begun[step].succeed()
        if self.outcome.lost is None:
            behind_us = self._clock.now_us() - due_us
            self.outcome.behind_us = max(self.outcome.behind_us, behind_us)
            if isinstance(step, Exchange):
                self._ask(step)
                return
            self._listen(step)
        self._done[step].succeed()

    def _listen(self, step: Stream | Ending) -> None:
        if isinstance(step, Ending):
            if step.stream in self._listeners:
                self._listeners[step.stream].close()
            return
        try:
            target = self._names.there(step.target)
            channel = self._authorized(step)
        except UnlearnedError:
            self.outcome.counts["unplayed"] += 1
            return
        listener = self._listeners[step] = Listener(self._clock)
        listener.subscription = channel.subscribe(target, listener.document, listener.end)

    def _ask(self, step: Exchange) -> None:
        self.outcome.counts["exchanges"] += 1
        is_failed = step.answer is not None and step.answer.failure is not None
        if is_failed and not step.is_unclear and not self._script.was_heard(step):
            self.outcome.counts["failed in the recording"] += 1
            self._done[step].succeed()
        else:
            self._clock.process(self._exchange(step))

    def _exchange(self, step: Exchange) -> Steps:
        sent_us = self._clock.now_us()
        try:
            answer = yield self._sent(step)
            while self._is_for_another_code(step, answer):
                answer = yield self._sent(step)
        except UnlearnedError:
            self.outcome.counts["unplayed"] += 1
        except TransportError as problem:
            self._unanswered(step, str(problem))
        else:
            self._failed_in_a_row = 0
            self._answered(step, answer, self._clock.now_us() - sent_us)
        self._done[step].succeed()

    def _sent(self, step: Exchange) -> simpy.Event:
        """
        The request on its way.

        Raises:
            UnlearnedError: it holds a secret that the target neither has nor gave.
        """
        if step.verbatim is not None:
            self._register(step)
            letter = self._postman.addressed(step.method, step.target, step.verbatim)
            channel = self._channel(step.device)
            return channel.passed_on(
                letter.message, self._transport.exchange(letter.data, letter.answers)
            )
        target, document = self._names.there(step.target), self._document(step)
        channel = self._authorized(step)
        self._register(step)
        return channel.request(step.method, target, document)

    def _register(self, step: Exchange) -> None:
        for secret in secrets_of(step.keys):
            self._recorder.secret(secret[1:].partition(":")[0], self._names.there(secret))

    def _document(self, step: Exchange) -> Any:
        document = self._names.there(step.document)
        if self._manner.product_id and isinstance(document, dict) and "productId" in document:
            return {**document, "productId": self._manner.product_id}
        return document

    def _authorized(self, step: Exchange | Stream) -> ObservedChannel:
        channel = self._channel(step.device)
        session = self._names.there(step.authorization)
        if channel.session != session:
            channel.authorize(session)
        return channel

    def _is_for_another_code(self, step: Exchange, answer: HttpAnswer) -> bool:
        """Whether the target may have used up the activation code before, and has a next one."""
        codes = [key for key in step.keys if key.startswith("<activation_code:")]
        is_refused = step.answer is not None and (step.answer.status or 500) < 300
        is_refused = is_refused and 400 <= answer.status < 500 and answer.status != 429
        if not self._manner.has_used_codes or not codes or not is_refused:
            return False
        return self._names.next_code(codes[0]) is not None

    def _unanswered(self, step: Exchange, reason: str) -> None:
        self._failed_in_a_row += 1
        if step.answer is not None and step.answer.failure is None:
            self._find(step, Difference("no answer", "", step.answer.status, reason))
        if self._failed_in_a_row >= LOST_AFTER:
            self.outcome.lost = f"no answer to {LOST_AFTER} requests in a row: {reason}"
            self._clock.finish()

    def _answered(self, step: Exchange, answer: HttpAnswer, latency_us: int) -> None:
        recorded = step.answer
        if recorded is None or recorded.failure is not None or step.is_unclear:
            self.outcome.counts["without a recorded answer"] += 1
            return
        self.outcome.counts["compared"] += 1
        is_raced = self._is_raced(step)
        if recorded.status != answer.status:
            found = Difference("status", "", recorded.status, answer.status)
            self._find(step, found, is_raced=is_raced)
            return
        after = writable({"document": answer.document})["document"]
        for each in differences(recorded.document, after, self._sides(step.keys, recorded.at)):
            self._find(step, each, is_raced=is_raced)
        self._time(step, recorded.at - step.at, latency_us)

    def _time(self, step: Exchange, recorded_us: int, replayed_us: int) -> None:
        self.outcome.recorded_us.append(recorded_us)
        self.outcome.replayed_us.append(replayed_us)
        if self._manner.is_timed and replayed_us > recorded_us + LATE_US:
            what = "seconds until the answer"
            self._find(step, Difference("timing", what, recorded_us / 1e6, replayed_us / 1e6))

    def _is_raced(self, step: Exchange) -> bool:
        """Read while something about the same was being written: the answer is chance."""
        return not step.is_write and any(
            other is not step and other.is_write and other.overlaps(step)
            for key in sorted(secrets_of(step.keys))
            for other in self._script.about[key]
        )

    def _sides(self, keys: frozenset[str], at_us: int) -> Sides:
        dates = self._script.dates
        return Sides(
            self._names,
            Span(self._start_us, self._start_us + at_us),
            Span(self._clock.start_unix_us, self._clock.unix_us()),
            {moment for key in keys for moment in dates.get(key, ())},
        )

    def _find(
        self,
        step: Exchange | Stream,
        difference: Difference,
        *,
        order: int | None = None,
        is_raced: bool = False,
    ) -> None:
        method = step.method if isinstance(step, Exchange) else "stream"
        place = step.order if order is None else order
        finding = Finding(difference, place, step.device, method, step.target)
        (self.outcome.uncertain if is_raced else self.outcome.findings).append(finding)

    def _channel(self, device: str) -> ObservedChannel:
        channel = self._channels.get(device)
        if channel is None:
            inner = self._transport.channel(device)
            channel = ObservedChannel(inner, device, self._recorder)
            self._channels[device] = channel
        return channel
