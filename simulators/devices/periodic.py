"""What measuring devices share: samples that fall due periodically, sent at once or in batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulators.clock import MICROSECONDS
from simulators.devices.device import Device, Place, Steps
from simulators.devices.outbox import Batches, Outbox


@dataclass(frozen=True)
class Period:
    """
    When samples fall due: every ``period_s``, each late by up to ``jitter_s``.

    A period of 0 means back to back: the next sample is due when the last one is settled.
    ``open_loop``: nothing is skipped while a write is under way; what falls due waits for its turn,
    so that a slow platform cannot slow its own load down.
    """

    period_s: float = 60.0
    jitter_s: float = 0.0
    open_loop: bool = False

    @property
    def rate_per_s(self) -> float:
        """Samples per second; endless when they follow back to back."""
        return 1 / self.period_s if self.period_s else float("inf")


class Periodic(Device):
    """Takes a sample once per period; the first falls anywhere within the first period."""

    def __init__(self, name: str, place: Place, *, period: Period, batches: Batches) -> None:
        super().__init__(name, place)
        self.period_us = round(period.period_s * MICROSECONDS)
        self.jitter_us = round(period.jitter_s * MICROSECONDS)
        self.is_open_loop = period.open_loop and self.period_us > 0
        self.outbox = Outbox(self, batches) if batches.batch_s else None
        self._rng = self.rng("period")

    def items(self, due_us: int) -> list[dict[str, Any]]:
        """One sample as the items of a write: key, value, and more where the kind has more."""
        raise NotImplementedError

    def live(self) -> Steps:
        """Wait until the next sample is due, take it, send it."""
        clock = self.clock
        tick_us = clock.now_us() + round(self._rng.random() * self.period_us)
        while True:
            due_us = tick_us + self._late_us() if self.jitter_us else tick_us
            wait_us = due_us - clock.now_us()
            if wait_us > 0:
                yield clock.timeout(wait_us)
            if self.is_open_loop:
                clock.process(self.take(due_us))
                tick_us += self.period_us
            else:
                yield from self.take(due_us)
                tick_us = self._next_tick_us(tick_us) if self.period_us else clock.now_us()

    def take(self, due_us: int) -> Steps:
        """Take the sample that is due and send it, or keep it for the next batch."""
        items = self.items(due_us)
        return self.write(items, due_us) if self.outbox is None else self.outbox.put(items, due_us)

    def _late_us(self) -> int:
        return round(self._rng.random() * self.jitter_us)

    def _next_tick_us(self, tick_us: int) -> int:
        """The next tick that is not over yet; those skipped meanwhile are counted as missed."""
        over = max(0, self.clock.now_us() - self.jitter_us - tick_us) // self.period_us
        self.account.missed += over
        return tick_us + (over + 1) * self.period_us
