"""
The order of messages of one device.

One whose formatter is a script waits for it, and with it all later ones of the same device. What
waits is kept until it is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulators.platforms.things_stack.application_server.formatters import Outcome, Then
from simulators.platforms.things_stack.application_server.waiting_store import WaitingStore

Document = dict[str, Any]
Job = Callable[[int], None]  # gets the time
_Key = tuple[str, str, str]  # tenant, application, device

MOST_WAITING = 1000  # of one device


@dataclass(slots=True)
class _Lane:
    """The number of what is under way, and what comes after it with its numbers."""

    number: int = 0
    waiting: deque[tuple[int, Job]] = field(default_factory=deque)


class Lanes:
    """Devices of which something is under way, and what waits for its end."""

    def __init__(self, store: WaitingStore) -> None:
        self._store = store
        self._lanes: dict[_Key, _Lane] = {}

    def in_order(
        self, tenant: str, ids: Document, job: Job, record: Callable[[], Document], now_us: int
    ) -> bool:
        """
        Do a job, or keep it for later; False when too many wait.

        ``record`` tells what a later process needs to do it, and is asked when something waits.
        """
        lane = self._lanes.get(_key(tenant, ids)) if self._lanes else None  # nearly always none
        if lane is None:
            job(now_us)
            lane = self._lanes.get(_key(tenant, ids)) if self._lanes else None
            if lane is not None:
                lane.number = self._store.add(record(), is_begun=True)
        elif len(lane.waiting) >= MOST_WAITING:
            return False
        else:
            lane.waiting.append((self._store.add(record(), is_begun=False), job))
        return True

    def is_full(self, tenant: str, ids: Document) -> bool:
        """Whether no more may wait for this device."""
        lane = self._lanes.get(_key(tenant, ids)) if self._lanes else None
        return lane is not None and len(lane.waiting) >= MOST_WAITING

    def hold(self, tenant: str, ids: Document, start: Callable[[Then], None], then: Then) -> None:
        """Let later jobs of a device wait until something has ended; ``then`` goes first."""
        key = _key(tenant, ids)
        lane = self._lanes[key] = _Lane()

        def ended(outcome: Outcome, now_us: int) -> None:
            del self._lanes[key]
            if lane.number:
                self._store.drop(lane.number)
            then(outcome, now_us)
            self._go_on(key, lane.waiting, now_us)

        start(ended)

    def _go_on(self, key: _Key, waiting: deque[tuple[int, Job]], now_us: int) -> None:
        while waiting:
            number, job = waiting.popleft()
            job(now_us)
            later = self._lanes.get(key)
            if later is not None:  # this one has something to wait for, too
                self._store.begin(number)
                later.number = number
                later.waiting.extend(waiting)
                return
            self._store.drop(number)


def _key(tenant: str, ids: Document) -> _Key:
    return tenant, ids["application_ids"]["application_id"], ids["device_id"]
