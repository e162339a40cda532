"""
How long a device must keep silent after it has sent, in the manners of two kinds of stack.

A sub-band's limit is a divisor: 100 means one part in a hundred. Sub-bands are counted as their
region lists them; which one a frequency lies in is the region's business.

Source: ETSI EN 300 220 leaves the manner open; off-time as in LoRaWAN 1.0.x, section 7, and
basicmac; credit as LoRaMac-node 4.7 keeps it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

HOUR_US = 3_600_000_000
FOREVER = 1 << 62  # the frame costs more than can ever be saved up


class DutyCycle(Protocol):
    """Keeps the account of every sub-band of one device."""

    def wait_us(self, band: int, airtime_us: int, now_us: int) -> int:
        """How long until a frame of that length may start; 0: now; FOREVER: never."""

    def spend(self, band: int, airtime_us: int, now_us: int) -> None:
        """A frame of that length starts now."""


class OffTime:
    """Strict: after a frame the sub-band is shut until its share of time has passed."""

    __slots__ = ("_divisors", "_free_us")

    def __init__(self, divisors: Sequence[int]) -> None:
        self._divisors = divisors
        self._free_us = array("q", [0]) * len(divisors)

    def wait_us(self, band: int, airtime_us: int, now_us: int) -> int:
        """As DutyCycle's."""
        return max(0, self._free_us[band] - now_us)

    def spend(self, band: int, airtime_us: int, now_us: int) -> None:
        """As DutyCycle's."""
        self._free_us[band] = now_us + airtime_us * self._divisors[band]


class HourlyCredit:
    """
    A purse of up to one hour for each sub-band: time fills it, a frame takes airtime times divisor.

    A device that was silent may send for 36 s in a row at 1 %. Full after a join, empty in a device
    that was activated by personalisation.
    """

    __slots__ = ("_credit_us", "_divisors", "_updated_us")

    def __init__(
        self, divisors: Sequence[int], *, now_us: int = 0, credit_us: int = HOUR_US
    ) -> None:
        self._divisors = divisors
        self._credit_us = array("q", [credit_us]) * len(divisors)
        self._updated_us = array("q", [now_us]) * len(divisors)

    def wait_us(self, band: int, airtime_us: int, now_us: int) -> int:
        """As DutyCycle's."""
        cost_us = airtime_us * self._divisors[band]
        if cost_us > HOUR_US:
            return FOREVER
        return max(0, cost_us - self._saved_us(band, now_us))

    def spend(self, band: int, airtime_us: int, now_us: int) -> None:
        """As DutyCycle's."""
        saved_us = self._saved_us(band, now_us) - airtime_us * self._divisors[band]
        self._credit_us[band] = max(0, saved_us)
        self._updated_us[band] = now_us

    def _saved_us(self, band: int, now_us: int) -> int:
        return min(HOUR_US, self._credit_us[band] + now_us - self._updated_us[band])


class Unlimited:
    """No duty cycle: a region without one, or a device that ignores it."""

    __slots__ = ()

    def wait_us(self, band: int, airtime_us: int, now_us: int) -> int:
        """As DutyCycle's."""
        return 0

    def spend(self, band: int, airtime_us: int, now_us: int) -> None:
        """As DutyCycle's."""
