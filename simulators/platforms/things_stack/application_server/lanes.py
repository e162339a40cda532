"""
The order of messages of one device.

One whose formatter is a script waits for it, and with it all later ones of the same device.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from simulators.platforms.things_stack.application_server.formatters import Outcome, Then

Document = dict[str, Any]
Job = Callable[[int], None]  # gets the time
_Key = tuple[str, str, str]  # tenant, application, device

MOST_WAITING = 1000  # of one device


class Lanes:
    """Devices of which something is under way, and what waits for its end."""

    def __init__(self) -> None:
        self._waiting: dict[_Key, deque[Job]] = {}

    def in_order(self, tenant: str, ids: Document, job: Job, now_us: int) -> bool:
        """Do a job, or keep it for later; False when too many wait."""
        if not self._waiting:  # nearly always
            job(now_us)
            return True
        waiting = self._waiting.get(_key(tenant, ids))
        if waiting is None:
            job(now_us)
        elif len(waiting) >= MOST_WAITING:
            return False
        else:
            waiting.append(job)
        return True

    def hold(self, tenant: str, ids: Document, start: Callable[[Then], None], then: Then) -> None:
        """Let later jobs of a device wait until something has ended; ``then`` goes first."""
        key = _key(tenant, ids)
        lane: deque[Job] = deque()
        self._waiting[key] = lane

        def ended(outcome: Outcome, now_us: int) -> None:
            del self._waiting[key]
            then(outcome, now_us)
            while lane:
                lane.popleft()(now_us)
                later = self._waiting.get(key)
                if later is not None:  # the next one has something to wait for, too
                    later.extend(lane)
                    return

        start(ended)


def _key(tenant: str, ids: Document) -> _Key:
    return tenant, ids["application_ids"]["application_id"], ids["device_id"]
