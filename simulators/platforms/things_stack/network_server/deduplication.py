"""
Receptions of one frame by several gateways become one: a window for each frame.

The first copy opens it; those that come within the window are collected, those that come shortly
after are refused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from simulators.lorawan.modulation import Modulation
from simulators.platforms.things_stack.agenda import Agenda
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Uplink

WINDOW_US = 200_000
COOL_DOWN_US = 1_000_000
MOST_COPIES = 50

# Repetitions that a device sends on purpose come in other channels.
Key = tuple[bytes, int, Modulation]


class Gathering:
    """Copies of one frame, and what was found out when the first one came."""

    __slots__ = ("close", "ends_us", "found", "key", "receptions")

    def __init__(
        self, key: Key, first: Uplink, found: Any, close: Callable[[Gathering, int], None]
    ) -> None:
        self.key = key
        self.receptions = [first]
        self.found = found
        self.close = close
        self.ends_us = 0


class Deduplication:
    """All windows; they last equally long, so the first to open is the first to close."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._by_key: dict[Key, Gathering] = {}
        self._open: deque[Gathering] = deque()
        self._cooling: deque[Gathering] = deque()

    def is_copy(self, uplink: Uplink, now_us: int) -> bool:
        """
        Whether the frame is known; then this copy is added to it.

        Raises:
            StackError: ``duplicate_uplink``, it comes too late for that.
        """
        cooling = self._cooling
        while cooling and cooling[0].ends_us + COOL_DOWN_US <= now_us:
            del self._by_key[cooling.popleft().key]
        found = self._by_key.get((uplink.phy, uplink.frequency_hz, uplink.modulation))
        if found is None:
            return False
        if now_us >= found.ends_us:
            raise StackError("pkg/networkserver:duplicate_uplink")
        if len(found.receptions) < MOST_COPIES:
            found.receptions.append(uplink)
        return True

    def gather(
        self,
        uplink: Uplink,
        found: Any,
        now_us: int,
        close: Callable[[Gathering, int], None],
    ) -> Gathering:
        """Wait for copies of a frame that is new; at the end ``close`` gets all of them."""
        key = (uplink.phy, uplink.frequency_hz, uplink.modulation)
        gathering = Gathering(key, uplink, found, close)
        gathering.ends_us = now_us + WINDOW_US
        self._by_key[key] = gathering
        self._open.append(gathering)
        if len(self._open) == 1:
            self._agenda.at(gathering.ends_us, self._close)
        return gathering

    def _close(self, now_us: int) -> None:
        while self._open and self._open[0].ends_us <= now_us:
            gathering = self._open.popleft()
            self._cooling.append(gathering)
            gathering.close(gathering, now_us)
        if self._open:
            self._agenda.at(self._open[0].ends_us, self._close)
