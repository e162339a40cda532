"""
A gateway's clock beside the server's.

Concentrators count microseconds since they were started. How that count and the server's time
belong together is learnt with every frame; without GPS nothing else tells.
"""

from __future__ import annotations

from simulators.lorawan.gps_time import to_unix_us

_WRAP = 1 << 32


class ConcentratorClock:
    """Counts are unlimited here; ``from_wrapped`` extends those of 32 bits."""

    def __init__(self) -> None:
        self._last_us: int | None = None
        self._ahead_us = 0  # the server's time minus the count
        self._absolute_ahead_us: int | None = None  # the same by the gateway's own absolute time

    @property
    def is_synced(self) -> bool:
        """Whether anything was learnt yet."""
        return self._last_us is not None

    @property
    def is_absolute(self) -> bool:
        """Whether the gateway itself tells what time it is."""
        return self._absolute_ahead_us is not None

    def sync(self, count_us: int, server_us: int, gps_us: int | None = None) -> None:
        """The count at a moment; ``gps_us`` is the gateway's time then, since the GPS epoch."""
        self._last_us = count_us
        self._ahead_us = server_us - count_us
        if gps_us is not None:
            self._absolute_ahead_us = to_unix_us(gps_us) - count_us

    def from_wrapped(self, stamp: int) -> int:
        """The count of which these are the low 32 bits, the nearest one to the last."""
        if self._last_us is None:
            return stamp
        ahead = (stamp - self._last_us) % _WRAP
        return self._last_us + (ahead if ahead < _WRAP // 2 else ahead - _WRAP)

    def count_at(self, server_us: int) -> int:
        """The count at a time of the server."""
        return server_us - self._ahead_us

    def server_at(self, count_us: int) -> int:
        """The server's time at a count."""
        return count_us + self._ahead_us

    def count_at_absolute(self, unix_us: int) -> int:
        """The count at an absolute time; the gateway's own idea of it, where it has one."""
        ahead_us = self._absolute_ahead_us
        return unix_us - (self._ahead_us if ahead_us is None else ahead_us)
