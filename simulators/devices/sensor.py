"""A sensor: measures one quantity periodically and writes it as it goes."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.clock import MICROSECONDS
from simulators.devices.behaviours import Behaviour
from simulators.devices.device import Device, Place, Steps


@dataclass(frozen=True)
class Period:
    """
    When samples fall due: every ``period_s``, each late by up to ``jitter_s``.

    A period of 0 means back to back: the next sample is due when the last one is settled.
    """

    period_s: float = 60.0
    jitter_s: float = 0.0


class Sensor(Device):
    """Writes ``key`` once per period; the first sample falls anywhere within the first period."""

    kind = "sensor"

    def __init__(
        self, name: str, place: Place, *, key: str, behaviour: Behaviour, period: Period
    ) -> None:
        super().__init__(name, place)
        self.key = key
        self.behaviour = behaviour
        self.period_us = round(period.period_s * MICROSECONDS)
        self.jitter_us = round(period.jitter_s * MICROSECONDS)
        self._rng = self.rng("period")

    def live(self) -> Steps:
        """Wait until the next sample is due, take it, write it."""
        clock = self.clock
        tick_us = clock.now_us() + round(self._rng.random() * self.period_us)
        while True:
            due_us = tick_us + self._jitter_us() if self.jitter_us else tick_us
            if due_us > clock.now_us():
                yield clock.timeout(due_us - clock.now_us())
            yield from self.write(self.key, self.behaviour(clock.unix_us()), due_us)
            tick_us = self._next_tick_us(tick_us) if self.period_us else clock.now_us()

    def _jitter_us(self) -> int:
        return round(self._rng.random() * self.jitter_us)

    def _next_tick_us(self, tick_us: int) -> int:
        """The next tick that is not over yet; those skipped meanwhile are counted as missed."""
        over = max(0, self.clock.now_us() - self.jitter_us - tick_us) // self.period_us
        self.account.missed += over
        return tick_us + (over + 1) * self.period_us
