"""
How much a device may join: time on air that shrinks with the time since it was switched on.

Source: LoRaWAN 1.0.4, "Retransmissions back-off": 36 s in the first hour, 36 s in the ten hours
that follow, then 8.7 s in each day.
"""

from __future__ import annotations

from typing import NamedTuple

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US


class Period(NamedTuple):
    """A stretch of time, and the airtime that joins may use in it."""

    start_us: int
    end_us: int
    airtime_us: int


FIRST = Period(0, HOUR_US, 36 * SECOND_US)
SECOND = Period(HOUR_US, 11 * HOUR_US, 36 * SECOND_US)
DAY_US, DAILY_US = 24 * HOUR_US, 8_700_000


def period_at(since_start_us: int) -> Period:
    """The period that holds a moment, both counted from when the device was switched on."""
    for period in (FIRST, SECOND):
        if since_start_us < period.end_us:
            return period
    start_us = SECOND.end_us + (since_start_us - SECOND.end_us) // DAY_US * DAY_US
    return Period(start_us, start_us + DAY_US, DAILY_US)


class JoinBudget:
    """What join requests have used of the present period."""

    __slots__ = ("_period", "_start_us", "_used_us")

    def __init__(self, start_us: int) -> None:
        self._start_us = start_us
        self._period = FIRST
        self._used_us = 0

    def wait_us(self, airtime_us: int, now_us: int) -> int:
        """How long until a join request of that length fits; 0: now."""
        self._turn(now_us)
        if self._used_us + airtime_us <= self._period.airtime_us:
            return 0
        return self._start_us + self._period.end_us - now_us

    def spend(self, airtime_us: int, now_us: int) -> None:
        """A join request of that length starts now."""
        self._turn(now_us)
        self._used_us += airtime_us

    def _turn(self, now_us: int) -> None:
        since_us = now_us - self._start_us
        if since_us >= self._period.end_us:
            self._period = period_at(since_us)
            self._used_us = 0
