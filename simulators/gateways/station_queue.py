"""
The transmit queue of a Basics Station: each frame at its time, at its next one, or not at all.

Times are those of the concentrator's counter, without wrapping. A frame of class A that cannot be
sent in RX1 (too late, no duty cycle left, a more important frame in its way, the channel busy) is
sent in RX2; one of class C is tried again every tenth of a second. Nothing tells the server of a
frame that is dropped.

Source: lorabasics/basicstation 2.0.6, src/s2e.c (s2e_addTxjob, altTxTime, s2e_nextTxAction).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass

from simulators.gateways.concentrator import Concentrator, Frame

AIM_US = 20_000  # a frame goes to the radio so long before its time
LEAST_US = 10_000  # later it cannot; frames also keep this distance from each other
FARTHEST_US = 600_000_000
WINDOW_US = 1_000_000  # from RX1 to RX2
RETRY_US = 100_000  # class C
RETRIES = 10
LATER_PENALTY = 10  # priority that a frame loses while it has another chance

CLASS_A, CLASS_B, CLASS_C = range(3)


@dataclass(slots=True, kw_only=True)
class Job:
    """
    A frame that waits for ``count_us``; ``second`` is what it becomes in RX2.

    ``dev_eui`` is None for frames of which nothing is told: scheduled ones and beacons.
    """

    frame: Frame
    dr: int
    count_us: int
    device_class: int = CLASS_A
    second: Frame | None = None
    second_dr: int = 0
    priority: int = 0
    diid: int = 0
    dev_eui: str | None = None
    gpstime: int = 0
    retries: int = 0

    @property
    def end_us(self) -> int:
        """When it is over, by the counter."""
        return self.count_us + self.frame.airtime_us

    @property
    def rank(self) -> int:
        """Its priority against others: less while it can wait."""
        may_wait = self.second is not None or (
            self.device_class == CLASS_C and self.retries < RETRIES
        )
        return self.priority - LATER_PENALTY * may_wait

    def move_on(self, earliest_us: int) -> bool:
        """Go to the next time at which it may be sent; False when there is none."""
        if self.device_class == CLASS_B:
            return False
        if self.device_class == CLASS_C:
            return self._try_again(earliest_us)
        if self.second is None:
            return False
        self._take_second()
        self.count_us += WINDOW_US
        return self.count_us >= earliest_us

    def _try_again(self, earliest_us: int) -> bool:
        if self.second is not None:
            self._take_second()
            self.count_us = earliest_us - RETRY_US
            self.retries = 0
        while self.retries <= RETRIES:
            self.retries += 1
            self.count_us += RETRY_US
            if self.count_us >= earliest_us:
                return True
        return False

    def _take_second(self) -> None:
        assert self.second is not None
        self.frame, self.dr, self.second = self.second, self.second_dr, None


class StationQueue:
    """``started`` is called when a frame is on air, ``dropped`` when it never will be."""

    def __init__(
        self,
        concentrator: Concentrator,
        *,
        started: Callable[[Job], None],
        dropped: Callable[[Job, str], None],
    ) -> None:
        self._concentrator = concentrator
        self._started = started
        self._dropped = dropped
        self._jobs: list[Job] = []  # by time
        self._sends_until_us = 0

    def add(self, job: Job) -> None:
        """A new frame."""
        present_us = self._concentrator.count()
        if job.count_us > present_us + FARTHEST_US:
            self._dropped(job, "too far ahead")
        elif job.count_us < present_us + AIM_US and not job.move_on(present_us + AIM_US):
            self._dropped(job, "too late")
        else:
            self._place(job)

    def clear(self) -> None:
        """Forget every frame that is not on its way to the radio."""
        self._jobs.clear()

    def _place(self, job: Job) -> None:
        while (obstacle := self._obstacle(job)) is not None:
            if not job.move_on(self._concentrator.count() + AIM_US):
                self._dropped(job, obstacle)
                return
        insort(self._jobs, job, key=lambda each: each.count_us)
        self._concentrator.at(job.count_us - AIM_US, self._look)

    def _obstacle(self, job: Job) -> str | None:
        duty_cycle = self._concentrator.access.duty_cycle
        at_us = self._concentrator.counter.at_us(job.count_us)
        if duty_cycle is not None and not duty_cycle.is_free(job.frame.frequency_hz, at_us):
            return "duty cycle"
        if job.count_us < self._sends_until_us + LEAST_US:
            return "still sending another frame"
        return None

    def _look(self) -> None:
        """Give every frame to the radio whose time has come so near."""
        while self._jobs and self._jobs[0].count_us - AIM_US <= self._concentrator.count():
            job = self._jobs.pop(0)
            reason = self._hindrance(job)
            if reason is None:
                self._commit(job)
            else:
                self._relocate(job, reason)

    def _hindrance(self, job: Job) -> str | None:
        if job.count_us - self._concentrator.count() < LEAST_US:
            return "too late"
        if (obstacle := self._obstacle(job)) is not None:
            return obstacle
        if any(other.rank > job.rank for other in self._overlapping(job)):
            return "a more important frame"
        return None

    def _overlapping(self, job: Job) -> list[Job]:
        return [other for other in self._jobs if job.end_us >= other.count_us - LEAST_US]

    def _commit(self, job: Job) -> None:
        self._sends_until_us = job.end_us
        self._concentrator.at(job.count_us, lambda: self._start(job))
        displaced = self._overlapping(job)
        self._jobs = [other for other in self._jobs if other not in displaced]
        for other in displaced:
            self._relocate(other, "another frame before it")

    def _start(self, job: Job) -> None:
        refusal = self._concentrator.send(job.frame, job.count_us)
        if refusal is None:
            self._started(job)
        else:
            self._sends_until_us = self._concentrator.count()
            self._relocate(job, refusal)

    def _relocate(self, job: Job, reason: str) -> None:
        if job.move_on(self._concentrator.count() + AIM_US):
            self._place(job)
        else:
            self._dropped(job, reason)
