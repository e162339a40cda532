"""
The only clock and the only sleep: one SimPy environment, stepped by virtual or by wall time.

A device process is a SimPy generator and does not know which clock it runs on. ``now`` is an
integer: microseconds since the scenario's start. This file knows nothing of devices or sockets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

import simpy
from simpy.core import EmptySchedule

P = ParamSpec("P")
T = TypeVar("T")

MICROSECONDS = 1_000_000

# For measuring real durations only: what a simulated device does follows a Clock.
monotonic_ns = time.monotonic_ns
process_cpu_ns = time.process_time_ns
pause = asyncio.sleep

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULT_START = datetime(2024, 1, 1, tzinfo=UTC)


def wall_unix_us() -> int:
    """The machine's wall clock, in microseconds since 1970-01-01T00:00:00Z."""
    return time.time_ns() // 1000


class Clock(simpy.Environment):
    """A SimPy environment whose ``now`` counts microseconds since ``start`` (UTC)."""

    def __init__(self, *, start: datetime = DEFAULT_START) -> None:
        super().__init__(initial_time=0)
        self.start = start
        self.start_unix_us = (start - EPOCH) // timedelta(microseconds=1)

    def sleep(self, seconds: float) -> simpy.Timeout:
        """Event that fires after ``seconds``, rounded to a whole microsecond."""
        return self.timeout(round(seconds * MICROSECONDS))

    def now_us(self) -> int:
        """Microseconds since the scenario's start."""
        return int(self.now)

    def unix_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z, as a platform's clock shows them."""
        return self.start_unix_us + int(self.now)

    def unix_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z, cut, not rounded."""
        return self.unix_us() // 1000

    def enter(self, callback: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call ``callback`` at the current time; everything from outside comes through here."""
        raise NotImplementedError


class VirtualClock(Clock):
    """Time jumps from event to event; nothing comes from outside."""

    def enter(self, callback: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        callback(*args, **kwargs)

    def play(self, until_s: float) -> None:
        """Run every event up to ``until_s`` seconds after the start and stop there."""
        self.run(until=round(until_s * MICROSECONDS))


class WallClock(Clock):
    """
    The same environment stepped by one asyncio timer.

    ``enter`` advances ``now`` to the present before it lets anything in; without that a process
    woken by a socket would see a stale clock, and its next time-out would fire at once.
    """

    def __init__(
        self,
        *,
        start: datetime | None = None,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__(start=start or datetime.now(UTC))
        self._monotonic_ns = monotonic_ns
        self._origin_ns = monotonic_ns()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due: float = float("inf")
        self._entered = False
        self._ended: asyncio.Future[None] = self._loop.create_future()

    def present_us(self) -> int:
        """Microseconds since the start by the machine's monotonic clock; ``now`` may be behind."""
        return (self._monotonic_ns() - self._origin_ns) // 1000

    def enter(self, callback: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        if self._ended.done():
            return
        if self._entered:  # called from within a step: the time is already right
            callback(*args, **kwargs)
            return
        self._entered = True
        try:
            self._advance()
            callback(*args, **kwargs)
            self._step_due(int(self.now))
        except BaseException as failure:
            self._fail(failure)
        finally:
            self._entered = False
        self._arm()

    async def play(self, until_s: float) -> None:
        """
        Step events as they fall due, until ``until_s`` seconds after the start.

        Raises:
            whatever a process raised: a failed process stops the run.
        """
        end = self.timeout(max(0, round(until_s * MICROSECONDS) - int(self.now)))
        end.callbacks.append(lambda _: self.finish())
        self._arm()
        await self._ended

    def finish(self) -> None:
        """End ``play`` at once; what comes from outside afterwards is ignored."""
        if not self._ended.done():
            self._ended.set_result(None)

    def _advance(self) -> None:
        present = self.present_us()
        self._step_due(present)
        # Events keep their own due time while they run; only then does the present begin.
        self._now = max(present, int(self.now))

    def _step_due(self, until_us: int) -> None:
        while self.peek() <= until_us and not self._ended.done():
            try:
                self.step()
            except EmptySchedule:  # pragma: no cover - peek() is infinite when empty
                return

    def _arm(self) -> None:
        due = self.peek()
        if due == self._timer_due or self._ended.done():
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_due = due
        if due != float("inf"):
            delay_s = max(0.0, (due - self.present_us()) / MICROSECONDS)
            self._timer = self._loop.call_later(delay_s, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._timer_due = float("inf")
        self.enter(lambda: None)

    def _fail(self, failure: BaseException) -> None:
        if not self._ended.done():
            self._ended.set_exception(failure)
