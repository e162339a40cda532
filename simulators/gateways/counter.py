"""
A concentrator's counter of microseconds, as its frames are stamped with it.

It runs too fast or too slow by a few millionths, and gateways' protocols show its lower 32 bits.
Whole numbers only: a moment and its stamp belong together exactly, for a run of any length.
"""

from __future__ import annotations

WRAP = 1 << 32
_BILLION = 1_000_000_000


class Counter:
    """
    ``count`` never wraps; ``tmst`` is what remains of it modulo 2^32.

    ``drift_ppm`` is how much too fast it runs, to a thousandth.
    """

    __slots__ = ("_drift_ppb", "_start")

    def __init__(self, *, start: int = 0, drift_ppm: float = 0.0) -> None:
        self._start = start
        self._drift_ppb = round(drift_ppm * 1000)

    def count(self, at_us: int) -> int:
        """What it shows, without wrapping, ``at_us`` of the true clock."""
        return self._start + at_us + at_us * self._drift_ppb // _BILLION

    def at_us(self, count: int) -> int:
        """The first microsecond of the true clock in which it shows ``count`` or more."""
        passed = count - self._start
        guess = passed * _BILLION // (_BILLION + self._drift_ppb)
        while self.count(guess) >= count:
            guess -= 1
        while self.count(guess) < count:
            guess += 1
        return guess

    def count_of(self, tmst: int, at_us: int) -> int:
        """The count with these lower 32 bits that lies nearest to the present one."""
        present = self.count(at_us)
        ahead = (tmst - present) % WRAP
        return present + (ahead - WRAP if ahead >= WRAP // 2 else ahead)
