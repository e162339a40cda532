"""One of several processes that play a scenario together: its share, told to the one in charge."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO, NamedTuple

from scenarios.engine import Access, Share, World
from scenarios.model import Scenario
from scenarios.news import Gazette, News
from scenarios.readback import Stored
from scenarios.run import Stage
from scenarios.wall import READING_S, Target
from simulators.clock import MICROSECONDS, WallClock, monotonic_ns, pause
from simulators.devices.device import Steps
from simulators.transports.event_loop import new_event_loop

NEWS_S = 0.25


@dataclass(frozen=True)
class Task:
    """What a worker is told to do; everything in it can be handed to another process."""

    scenario: Scenario
    url: str
    access: Access
    ca_file: str | None
    max_requests_per_s: float | None
    share: Share
    trace: Path

    def target(self) -> Target:
        """The platform, with this worker's part of the rate."""
        context = None
        if self.url.startswith("https:"):
            context = ssl.create_default_context(cafile=self.ca_file)
        rate = self.max_requests_per_s
        part = None if rate is None else rate / self.share.of
        return Target(self.url, self.access, context, part)


class Ready(NamedTuple):
    """Everything is built; waits for the moment to begin."""


class Done(NamedTuple):
    """The share came to its end, or was stopped."""

    stored: dict[tuple[str, str], Stored]
    inactive: dict[int | None, list[str]]
    ended_us: int
    is_stopped: bool


Message = Ready | News | Done


def work(task: Task, connection: Connection) -> None:
    """A worker's whole life, in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one in charge hears it, and tells
    with asyncio.Runner(loop_factory=new_event_loop) as runner, task.trace.open("wb") as trace:
        runner.run(_Worker(task, connection, trace).play())


class _Worker:
    def __init__(self, task: Task, connection: Connection, trace: BinaryIO) -> None:
        self._task = task
        self._connection = connection
        self._trace = trace
        self._is_stopped = False

    async def play(self) -> None:
        scenario = self._task.scenario
        clock = WallClock()
        share = self._task.share
        stage = Stage(scenario, clock, "wall", self._trace, share=share, url=self._task.url)
        with closing(self._task.target().transport(clock)) as transport:
            world = stage.world(transport, self._task.access, None)
            gazette = Gazette(world.mine, world.evidence, stage.secrets)
            self._connection.send(Ready())
            with _parent_may_vanish():
                from_ns = self._connection.recv()
                if not isinstance(from_ns, int):  # told to stop before it began
                    self._connection.send(Done({}, {}, 0, is_stopped=True))
                    return
                await pause(max(0, from_ns - monotonic_ns()) / 1e9)
                clock.process(self._tell(clock, gazette))
                clock.process(world.conduct()).callbacks.append(lambda _: clock.finish())
                await clock.play(scenario.duration_us / MICROSECONDS + READING_S, from_ns=from_ns)
                self._trace.flush()
                self._connection.send(gazette.news(is_last=True))
                self._connection.send(self._done(world, clock))

    def _done(self, world: World, clock: WallClock) -> Done:
        evidence = world.evidence
        ended_us = min(clock.present_us(), evidence.end_us)
        return Done(evidence.stored, evidence.inactive, ended_us, self._is_stopped)

    def _tell(self, clock: WallClock, gazette: Gazette) -> Steps:
        """Tell what is new, again and again; any word from the other side means: stop."""
        while True:
            yield clock.sleep(NEWS_S)
            self._trace.flush()
            with _parent_may_vanish():
                self._connection.send(gazette.news())
            if self._connection.poll():
                self._is_stopped = True
                clock.finish()


@contextmanager
def _parent_may_vanish() -> Iterator[None]:
    """Nobody is left to be told: the trace keeps what there is."""
    try:
        yield
    except (BrokenPipeError, ConnectionResetError, EOFError):
        return
