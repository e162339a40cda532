"""Latencies of many requests in little memory, exact to less than two percent."""

from __future__ import annotations

from collections import Counter

BITS = 7  # 64 buckets for each power of two: a relative error of at most 1/64
MOST_EXACT = 16_384  # distinct values


class Histogram:
    """
    Counts of non-negative integers (microseconds, say), by magnitude.

    Values are appended to ``fresh``; ``sort_in`` counts them, and should be called often enough.
    """

    __slots__ = ("_buckets", "_exact", "_highest", "fresh")

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self._exact: Counter[int] = Counter()
        self.fresh: list[int] = []
        self._highest = 0

    @property
    def count(self) -> int:
        """How many values there are."""
        return self._buckets.total() + self._exact.total() + len(self.fresh)

    @property
    def highest(self) -> int:
        """The highest value, exactly; 0 when there are none."""
        self._sort_into_buckets()
        return self._highest

    def percentile(self, share: float) -> int:
        """The value that ``share`` (0.0 to 1.0) of all do not exceed; 0 when there are none."""
        self._sort_into_buckets()
        rank = share * self.count
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return bucket
        return 0

    def sort_in(self) -> None:
        """Count the fresh values."""
        # A bucket is looked for once per distinct value, and seldom: values come again and again.
        self._exact.update(self.fresh)
        self.fresh.clear()
        if len(self._exact) > MOST_EXACT:
            self._sort_into_buckets()

    def _sort_into_buckets(self) -> None:
        self._exact.update(self.fresh)
        self.fresh.clear()
        for value, times in self._exact.items():
            self._buckets[bucket_of(value)] += times
            self._highest = max(self._highest, value)
        self._exact.clear()


def bucket_of(value: int) -> int:
    """The smallest value that counts as equal to ``value``."""
    shift = value.bit_length() - BITS
    return value >> shift << shift if shift > 0 else value
