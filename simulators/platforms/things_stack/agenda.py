"""
What the servers have to do later: one queue in memory, of which a shell sees a single timer.

Whatever must survive the process is put here anew from the database when it starts.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

Job = Callable[[int], None]


class Ticket:
    """One entry; its owner may take it back."""

    __slots__ = ("job",)

    def __init__(self, job: Job) -> None:
        self.job: Job | None = job

    def cancel(self) -> None:
        """Never do it."""
        self.job = None


class Agenda:
    """Jobs by the time they fall due (microseconds since 1970); of equal times the older first."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Ticket]] = []
        self._numbers = count()

    @property
    def next_us(self) -> int | None:
        """When the first one falls due; None when there is nothing to do."""
        while self._entries and self._entries[0][2].job is None:
            heapq.heappop(self._entries)
        return self._entries[0][0] if self._entries else None

    def at(self, due_us: int, job: Job) -> Ticket:
        """Call ``job`` with the time then."""
        ticket = Ticket(job)
        heapq.heappush(self._entries, (due_us, next(self._numbers), ticket))
        return ticket

    def run(self, now_us: int) -> None:
        """Do what has fallen due, also what these jobs add for the same moment."""
        while (due_us := self.next_us) is not None and due_us <= now_us:
            job = heapq.heappop(self._entries)[2].job
            if job is not None:
                job(now_us)
