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
from typing import Any, TypeVarTuple

import simpy

Ts = TypeVarTuple("Ts")

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
        return int(self._now)

    def unix_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z, as a platform's clock shows them."""
        return self.start_unix_us + int(self._now)

    def unix_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z, cut, not rounded."""
        return self.unix_us() // 1000

    def succeed(self, event: simpy.Event, value: Any) -> None:
        """
        Let ``event`` happen at once, within ``enter`` or within a callback of another event.

        The same as ``event.succeed(value)`` and the step that follows, without the way through
        the queue: the most frequent thing that comes from outside is an answer.
        """
        event._ok = True
        event._value = value
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]  # as SimPy's step
        for callback in callbacks:
            callback(event)

    def late_us(self) -> int:
        """How far behind the machine's clock ``now`` is; an event is never late by itself."""
        return 0

    def enter(self, callback: Callable[[*Ts], Any], *args: *Ts) -> None:
        """Call ``callback`` at the current time; everything from outside comes through here."""
        raise NotImplementedError


class VirtualClock(Clock):
    """Time jumps from event to event; nothing comes from outside."""

    def enter(self, callback: Callable[[*Ts], Any], *args: *Ts) -> None:
        callback(*args)

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
        self._starts_now = start is None
        self._monotonic_ns = monotonic_ns
        self._origin_ns = monotonic_ns()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due_us = NEVER
        self._is_entered = False
        self._is_over = False
        self._ended: asyncio.Future[None] = self._loop.create_future()

    def present_us(self) -> int:
        """Microseconds since the start by the machine's monotonic clock; ``now`` may be behind."""
        return (self._monotonic_ns() - self._origin_ns) // 1000

    def late_us(self) -> int:
        """How far behind the machine's clock ``now`` is: what it cost to get here."""
        return (self._monotonic_ns() - self._origin_ns) // 1000 - int(self._now)

    def enter(self, callback: Callable[[*Ts], Any], *args: *Ts) -> None:
        if self._is_over:
            return
        if self._is_entered:  # called from within a step: the time is already right
            callback(*args)
            return
        self._is_entered = True
        queue = self._queue
        try:
            present_us = (self._monotonic_ns() - self._origin_ns) // 1000
            if queue and queue[0][0] <= present_us:
                self._step_due(present_us)
            # Events keep their own due time while they run; only then does the present begin.
            if present_us > self._now:
                self._now = present_us
            callback(*args)
            if queue and queue[0][0] <= self._now:
                self._step_due(self._now)
        except BaseException as failure:
            self._fail(failure)
        finally:
            self._is_entered = False
        if queue and queue[0][0] < self._timer_due_us:
            self._arm()

    async def play(self, until_s: float, *, from_ns: int | None = None) -> None:
        """
        Step events as they fall due, until ``until_s`` seconds after the start.

        Time begins to pass now: how long it took to build a fleet does not count. Clocks of several
        processes begin together at ``from_ns``, a moment of the machine's monotonic clock.

        Raises:
            whatever a process raised: a failed process stops the run.
        """
        self._begin(self._monotonic_ns() if from_ns is None else from_ns)
        end = self.timeout(max(0, round(until_s * MICROSECONDS) - int(self.now)))
        end.callbacks.append(lambda _: self.finish())
        self._arm()
        await self._ended

    def _begin(self, from_ns: int) -> None:
        self._origin_ns = from_ns - int(self._now) * 1000
        if self._starts_now:
            self.start = datetime.now(UTC) - timedelta(microseconds=self.present_us())
            self.start_unix_us = (self.start - EPOCH) // timedelta(microseconds=1)

    def finish(self) -> None:
        """End ``play`` at once; what comes from outside afterwards is ignored."""
        if not self._is_over:
            self._is_over = True
            self._ended.set_result(None)

    def _fail(self, failure: BaseException) -> None:
        if not self._is_over:
            self._is_over = True
            self._ended.set_exception(failure)

    def _step_due(self, until_us: float) -> None:
        queue = self._queue
        while queue and queue[0][0] <= until_us and not self._is_over:
            self.step()

    def _arm(self) -> None:
        """Have a timer for the next event; one that fires too early does no harm."""
        due_us = self._queue[0][0] if self._queue else NEVER
        if due_us >= self._timer_due_us or self._is_over:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due_us = due_us
        # Rounded up: loops count in milliseconds and would wake up in vain just before the time.
        delay_ms = max(0, -(-(due_us - self.present_us()) // 1000))
        self._timer = self._loop.call_later(delay_ms / 1000, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._timer_due_us = NEVER
        self.enter(_nothing)


NEVER = float("inf")


def _nothing() -> None:
    """What a timer lets in: only the time."""
