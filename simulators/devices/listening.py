"""
Keeps a stream open: notices that it fell silent or ended, waits a little and subscribes again.

A stream is silent when no document, not even the empty keep-alive, came for the keep-alive time and
a grace. The waits grow until a stream has worked once more.

Source: thethings.iO developer center, "Subscribe to the resources of a thing".
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.clock import MICROSECONDS, Clock
from simulators.devices.backoff import delays_s
from simulators.devices.device import Steps
from simulators.transports.http import HttpChannel


@dataclass(frozen=True)
class Ears:
    """
    What is done with a stream: when it opens, with each list of items, when it is lost and why.

    ``lost`` is called while the listener's ``is_open`` still tells whether it had worked.
    """

    opened: Callable[[], None]
    items: Callable[[list[Any]], None]
    lost: Callable[[str], None]


class Listener:
    """One subscription for ever; ``is_open`` tells whether the platform has confirmed it."""

    def __init__(
        self,
        clock: Clock,
        channel: HttpChannel,
        rng: random.Random,
        ears: Ears,
        *,
        keep_alive_s: float,
        grace_s: float,
    ) -> None:
        self.is_open = False
        self._clock = clock
        self._channel = channel
        self._rng = rng
        self._ears = ears
        self._patience_us = round((keep_alive_s + grace_s) * MICROSECONDS)
        self._heard_us = 0
        self._ended = clock.event()

    def listen(self, target: str) -> Steps:
        """Subscribe to ``target``, again and again; to be started as a process or within one."""
        waits_s = delays_s(self._rng)
        while True:
            self._ended = self._clock.event()
            self._heard_us = self._clock.now_us()
            subscription = self._channel.subscribe(target, self._on_document, self._end)
            reason = yield from self._watch()
            subscription.close()
            self._ears.lost(reason)
            wait_s = next(waits_s)
            if self.is_open:  # it had worked: the next series of waits starts short
                waits_s = delays_s(self._rng)
            self.is_open = False
            yield self._clock.sleep(wait_s)

    def _watch(self) -> Steps:
        """Why the stream is over; sleeps until the keep-alive could be missing, then looks."""
        ended = self._ended
        while True:
            left_us = self._heard_us + self._patience_us - self._clock.now_us()
            if left_us <= 0:
                return "no keep-alive"
            yield ended | self._clock.timeout(left_us)
            if ended.triggered:
                return ended.value

    def _end(self, reason: str) -> None:
        if not self._ended.triggered:
            self._ended.succeed(reason)

    def _on_document(self, document: Any) -> None:
        self._heard_us = self._clock.now_us()
        if isinstance(document, dict) and document.get("status") == "error":
            self._end(str(document.get("message")))
        elif not self.is_open:
            self.is_open = True
            self._ears.opened()
        if isinstance(document, list):
            self._ears.items(document)
