"""
Several processes that play one scenario: started at one moment, heard, and judged as one.

Each plays its share of the devices (``worker.py``); here all accounts come together in devices
that do not play, and the traces become one in the order of time. When a worker is lost, when the
platform is gone, or when somebody interrupts, everything that was heard until then is kept.
"""

from __future__ import annotations

import asyncio
import heapq
import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from scenarios.engine import Share
from scenarios.evidence import Evidence
from scenarios.news import News, take_in
from scenarios.run import Run, Stage
from scenarios.trace import Event
from scenarios.wall import UnreachableError, reach
from scenarios.worker import Done, Message, Ready, Task, work
from simulators.clock import (
    DEFAULT_START,
    EPOCH,
    MICROSECONDS,
    VirtualClock,
    monotonic_ns,
    wall_unix_us,
)
from simulators.devices.account import Sent
from simulators.transports.event_loop import new_event_loop

TOGETHER_S = 0.2  # from the agreement on a moment until it comes
STOPPING_S = 10.0
SILENCE_US = 2 * MICROSECONDS  # without an answer, while requests fail: is anybody there?
LOOK_S = 0.25
SILENT_NS = 30 * 10**9  # a worker has news four times a second

Watch = Callable[[int, Evidence, Iterable[tuple[str, Sent]]], None]


@dataclass
class Member:
    """A worker as it is seen from here."""

    number: int
    process: BaseProcess
    connection: Connection
    trace: Path
    is_ready: bool = False
    heard_ns: int = 0
    done: Done | None = None
    lost: str | None = None

    @property
    def is_over(self) -> bool:
        """Nothing more is to be heard."""
        return self.done is not None or self.lost is not None

    def tell(self, word: object) -> None:
        """Say something; one that can hear no more is noticed when its end is read."""
        with suppress(OSError):
            self.connection.send(word)


@dataclass
class Crew:
    """All workers of a run, and what they told."""

    task: Task
    stage: Stage
    watch: Watch
    members: list[Member] = field(default_factory=list)
    breakdown: str | None = None
    is_interrupted: bool = False
    from_ns: int = 0
    start: datetime = DEFAULT_START
    _answered_us: int = 0
    _failed_us: int = -1

    def __post_init__(self) -> None:
        self.world = self.stage.world(Nowhere(), self.task.access, None)
        self.evidence = self.world.evidence
        self.evidence.inactive.clear()

    def play(self, folder: Path) -> None:
        """From the first process to the last; leaves no process behind."""
        try:
            self._gather(folder)
            self._begin()
            self._follow(until=lambda: self._must_stop)
            self._follow(until=lambda: False, stopping=self._must_stop)
        finally:
            for member in self.members:
                member.process.kill()
                member.process.join()

    @property
    def _must_stop(self) -> bool:
        return self.is_interrupted or self.breakdown is not None

    def now_us(self) -> int:
        """Microseconds since the moment at which all began; 0 before."""
        return max(0, monotonic_ns() - self.from_ns) // 1000 if self.from_ns else 0

    def ended_us(self) -> int:
        """When the last worker that told so ended, or now."""
        told = [member.done.ended_us for member in self.members if member.done]
        return min(max(told, default=self.now_us()), self.task.scenario.duration_us)

    def _gather(self, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        count = self.task.share.of
        for number in range(count):
            ours, theirs = context.Pipe()
            trace = folder / f"trace-{number + 1}.jsonl"
            parts = {**vars(self.task), "share": Share(number, count), "trace": trace}
            process = context.Process(target=work, args=(Task(**parts), theirs), daemon=True)
            process.start()
            theirs.close()
            self.members.append(Member(number + 1, process, ours, trace))
        self._follow(until=lambda: self._must_stop or all(m.is_ready for m in self.members))

    def _begin(self) -> None:
        self.from_ns = monotonic_ns() + round(TOGETHER_S * 1e9)
        self.start = EPOCH + timedelta(microseconds=wall_unix_us() + round(TOGETHER_S * 1e6))
        if not self._must_stop:
            for member in self.members:
                member.heard_ns = self.from_ns
                member.tell(self.from_ns)

    def _follow(self, *, until: Callable[[], bool], stopping: bool = False) -> None:
        """Hear everybody until all are over; those told to stop have a while for it."""
        deadline_ns = monotonic_ns() + round(STOPPING_S * 1e9)
        if stopping:
            self._tell_to_stop()
        while (left := [m for m in self.members if not m.is_over]) and not until():
            for ready in wait([member.connection for member in left], LOOK_S):
                self._hear(next(member for member in left if member.connection is ready))
            self._look_after_platform()
            self._look_after_members()
            if stopping and monotonic_ns() > deadline_ns:
                for member in left:
                    member.lost = "did not stop"

    def _tell_to_stop(self) -> None:
        for member in self.members:
            if not member.is_over:
                member.tell("stop")

    def _look_after_members(self) -> None:
        for member in self.members:
            is_silent = self.from_ns and monotonic_ns() - member.heard_ns > SILENT_NS
            if is_silent and not member.is_over:
                self._lose(member, "fell silent")

    def _lose(self, member: Member, how: str) -> None:
        member.lost = how
        told = f"worker {member.number} {how} after {self.now_us() / MICROSECONDS:.1f} s"
        self.breakdown = self.breakdown or told

    def _hear(self, member: Member) -> None:
        try:
            message: Message = member.connection.recv()
        except (EOFError, OSError):
            member.process.join(STOPPING_S)
            self._lose(member, _end_of(member.process))
            return
        member.heard_ns = monotonic_ns()
        if isinstance(message, Ready):
            member.is_ready = True
        elif isinstance(message, Done):
            member.done = message
            self._take_over(message)
        else:
            self._take_in(message)

    def _take_in(self, news: News) -> None:
        fresh = list(take_in(news, self.evidence, self.stage.secrets))
        for _, entry in fresh:
            if entry.state == "failed":
                self._failed_us = max(self._failed_us, entry.settled_us)
            elif entry.state != "pending":
                self._answered_us = max(self._answered_us, entry.settled_us)
        self.watch(self.now_us(), self.evidence, fresh)

    def _take_over(self, done: Done) -> None:
        self.evidence.stored.update(done.stored)
        for by_us, names in done.inactive.items():
            self.evidence.inactive.setdefault(by_us, []).extend(names)

    def _look_after_platform(self) -> None:
        if self._must_stop or self._failed_us - self._answered_us < SILENCE_US:
            return
        self._answered_us = self._failed_us  # it is not asked again before the next silence
        try:
            _reach(self.task)
        except UnreachableError as problem:
            at_s = self.now_us() / MICROSECONDS
            self.breakdown = f"the platform was gone after {at_s:.1f} s: {problem}"


class Nowhere:
    """A transport for devices that only keep accounts."""

    def channel(self, device: str) -> Any:
        """Nothing can be sent."""
        return None

    def close(self) -> None:
        """Nothing is open."""


def play_crew(task: Task, *, folder: Path, trace: BinaryIO, watch: Watch) -> Run:
    """
    Play with ``task.share.of`` processes against a platform.

    Args:
        folder: where the workers' traces lie until they are one.
        trace: gets the one trace.
    Raises:
        UnreachableError: no answer to a first request.
        FleetError: the target has fewer codes and tokens than the scenario has devices.
    """
    stage = Stage(task.scenario, VirtualClock(start=task.scenario.start), "wall", None)
    crew = Crew(task, stage, watch)
    _reach(task)
    with _interrupting(crew):
        crew.play(folder)
    stage.is_interrupted = crew.is_interrupted or crew.breakdown is not None
    crew.evidence.end_us = crew.ended_us()
    start = f"{crew.start:%Y-%m-%dT%H:%M:%S.%fZ}"
    events = merge([member.trace for member in crew.members], trace, start=start)
    run = stage.finish(
        crew.world, ended_us=crew.evidence.end_us, events=events, breakdown=crew.breakdown
    )
    for expectation, judgement in run.judgements:
        message = {"verdict": judgement.verdict, "reason": stage.secrets.redact(judgement.reason)}
        event = Event(run.ended_us, expectation.name, "none", "expect", message)
        trace.write(orjson.dumps(event._asdict()) + b"\n")
    return run


def merge(parts: list[Path], trace: BinaryIO, *, start: str) -> int:
    """
    Write several traces as one, in the order of time, and remove them; gives the count of events.

    A line that was cut off is left out. The header is the first one's, with ``start``.
    """
    streams = [_whole_lines(part) for part in parts if part.exists()]
    headers = [header for stream in streams if (header := next(stream, None))]
    if headers:
        trace.write(orjson.dumps({**orjson.loads(headers[0]), "start": start}) + b"\n")
    count = 0
    for line in heapq.merge(*streams, key=lambda line: int(orjson.loads(line)["at"])):
        trace.write(line)
        count += 1
    for part in parts:
        part.unlink(missing_ok=True)
    return count


def _whole_lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))


def _reach(task: Task) -> None:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(reach(task.target()))


@contextmanager
def _interrupting(crew: Crew) -> Iterator[None]:
    """An interrupt is noted, never raised: nothing that was heard gets lost half-way."""

    def note(*_: Any) -> None:
        crew.is_interrupted = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end_of(process: BaseProcess) -> str:
    code = process.exitcode
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with {code}"
