"""Latencies of many requests in little memory, exact to less than two percent."""

from __future__ import annotations

from collections import Counter

BITS = 7  # 64 buckets for each power of two: a relative error of at most 1/64


class Histogram:
    """
    Counts of non-negative integers (microseconds, say), by magnitude.

    Values are appended to ``fresh``; ``sort_in`` counts them, and should be called often enough.
    """

    __slots__ = ("_buckets", "_highest", "fresh")

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.fresh: list[int] = []
        self._highest = 0

    @property
    def count(self) -> int:
        """How many values there are."""
        return self._buckets.total() + len(self.fresh)

    @property
    def highest(self) -> int:
        """The highest value, exactly; 0 when there are none."""
        self.sort_in()
        return self._highest

    def percentile(self, share: float) -> int:
        """The value that ``share`` (0.0 to 1.0) of all do not exceed; 0 when there are none."""
        self.sort_in()
        rank = share * self.count
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return bucket
        return 0

    def sort_in(self) -> None:
        """Count the fresh values."""
        # Equal values are counted first and fast; a bucket is looked for once per distinct value.
        for value, times in Counter(self.fresh).items():
            self._buckets[bucket_of(value)] += times
            self._highest = max(self._highest, value)
        self.fresh.clear()


def bucket_of(value: int) -> int:
    """The smallest value that counts as equal to ``value``."""
    shift = value.bit_length() - BITS
    return value >> shift << shift if shift > 0 else value
