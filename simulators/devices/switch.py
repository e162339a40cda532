"""
A switch: subscribes to its own thing, follows the key ``turn`` and reports its ``state``.

The stream is watched: when no document, not even the empty keep-alive, came for the keep-alive
time and a grace, or when the stream ends, the switch waits a little and subscribes again. It then
reads ``turn`` once, since a command may have come while nobody listened.

Source: thethings.iO developer center, "Subscribe to the resources of a thing".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import simpy

from simulators.clock import MICROSECONDS
from simulators.devices.account import Reaction, Received
from simulators.devices.backoff import delays_s
from simulators.devices.device import Device, Place, Steps

POSITIONS = ("on", "off")


@dataclass(frozen=True)
class SwitchHabits:
    """How a switch listens and how long its relay takes; all in seconds."""

    keep_alive_s: float = 60.0
    grace_s: float = 1.5
    reaction_s: float = 0.05
    reaction_spread_s: float = 0.05


class Switch(Device):
    """``position`` is what the relay shows; ``is_subscribed`` tells whether it is listening."""

    kind = "switch"

    def __init__(self, name: str, place: Place, *, habits: SwitchHabits) -> None:
        super().__init__(name, place)
        self.habits = habits
        self.position = "off"
        self.is_subscribed = False
        self._heard_us = 0
        self._commands = simpy.Store(self.clock)
        self._ended = self.clock.event()
        self._waits_s: Iterator[float] = iter(())
        self._has_news = False

    def live(self) -> Steps:
        """Follow commands in one process, keep the subscription alive in another."""
        self.clock.process(self._follow())
        yield from self._listen()

    def _listen(self) -> Steps:
        rng = self.rng("subscription back-off")
        self._waits_s = delays_s(rng)
        target = f"{self.path}?keepAlive={round(self.habits.keep_alive_s * 1000)}"
        while True:
            self._ended = self.clock.event()
            self._heard_us = self.clock.now_us()
            subscription = self.channel.subscribe(target, self._on_document, self._end)
            reason = yield from self._watch()
            subscription.close()
            self.account.problem(self.clock.now_us(), "subscription", reason)
            wait_s = next(self._waits_s)
            if self.is_subscribed:  # it had worked: the next series of waits starts short
                self._waits_s = delays_s(rng)
            self.is_subscribed = False
            yield self.clock.sleep(wait_s)

    def _watch(self) -> Steps:
        """Why the stream is over; sleeps until the keep-alive could be missing, then looks."""
        patience_us = round((self.habits.keep_alive_s + self.habits.grace_s) * MICROSECONDS)
        ended = self._ended
        while True:
            left_us = self._heard_us + patience_us - self.clock.now_us()
            if left_us <= 0:
                return "no keep-alive"
            yield ended | self.clock.timeout(left_us)
            if ended.triggered:
                return ended.value

    def _end(self, reason: str) -> None:
        if not self._ended.triggered:
            self._ended.succeed(reason)

    def _on_document(self, document: Any) -> None:
        self._heard_us = self.clock.now_us()
        if isinstance(document, dict) and document.get("status") == "error":
            self._end(str(document.get("message")))
        elif not self.is_subscribed:
            self._subscribed()
        if isinstance(document, list):
            self._take(document)

    def _subscribed(self) -> None:
        self.is_subscribed = True
        self._has_news = False
        self.account.subscribed_us.append(self.clock.now_us())
        self.clock.process(self._catch_up())

    def _take(self, items: list[Any]) -> None:
        for item in items:
            if isinstance(item, dict) and item.get("key") == "turn":
                self._has_news = True
                self._command(item.get("value"))

    def _command(self, value: Any) -> None:
        now_us = self.clock.now_us()
        self.account.received.append(Received(now_us, "turn", value))
        self._commands.put((now_us, value))

    def _catch_up(self) -> Steps:
        """Follow the last stored command, unless the stream was faster or it is done already."""
        target = f"{self.path}/resources/turn?limit=1"
        answer = yield from self.attempt("last command", "GET", target)
        if answer is None or answer.status != 200 or self._has_news:
            return
        rows = answer.document if isinstance(answer.document, list) else []
        if rows and isinstance(rows[0], dict) and rows[0].get("value") != self.position:
            self._command(rows[0].get("value"))

    def _follow(self) -> Steps:
        rng = self.rng("reaction")
        habits = self.habits
        while True:
            received_us, value = yield self._commands.get()
            yield self.clock.sleep(habits.reaction_s + rng.random() * habits.reaction_spread_s)
            if value not in POSITIONS:
                self.account.problem(self.clock.now_us(), "command", f"neither on nor off: {value}")
                continue
            self.position = value
            done_us = self.clock.now_us()
            self.account.reactions.append(Reaction(received_us, done_us, value))
            yield from self.write([{"key": "state", "value": value}], done_us)
