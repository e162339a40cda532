"""Latencies of many requests in little memory, exact to about one percent."""

from __future__ import annotations

BITS = 7  # 128 buckets for each power of two: a relative error of at most 1/128


class Histogram:
    """Counts of non-negative integers (microseconds, say), by magnitude."""

    __slots__ = ("_buckets", "count", "highest")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.highest = 0

    def add(self, value: int) -> None:
        """Count one value."""
        shift = value.bit_length() - BITS
        bucket = value >> shift << shift if shift > 0 else value
        buckets = self._buckets
        buckets[bucket] = buckets.get(bucket, 0) + 1
        self.count += 1
        if value > self.highest:
            self.highest = value

    def percentile(self, share: float) -> int:
        """The value that ``share`` (0.0 to 1.0) of all do not exceed; 0 when there are none."""
        rank = share * self.count
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return bucket
        return self.highest
