"""
A switch: subscribes to its own thing, follows the key ``turn`` and reports its ``state``.

When its stream is lost the switch subscribes again (``listening.py``). It then reads ``turn`` once,
since a command may have come while nobody listened.

Source: thethings.iO developer center, "Subscribe to the resources of a thing".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import simpy

from simulators.devices.account import Reaction, Received
from simulators.devices.device import Device, Place, Steps
from simulators.devices.listening import Ears, Listener

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
        self._commands = simpy.Store(self.clock)
        self._has_news = False
        self._listener = Listener(
            self.clock,
            self.channel,
            self.rng("subscription back-off"),
            Ears(self._subscribed, self._take, self._lost),
            keep_alive_s=habits.keep_alive_s,
            grace_s=habits.grace_s,
        )

    @property
    def is_subscribed(self) -> bool:
        """The platform has confirmed the subscription."""
        return self._listener.is_open

    def live(self) -> Steps:
        """Follow commands in one process, keep the subscription alive in another."""
        self.clock.process(self._follow())
        keep_alive_ms = round(self.habits.keep_alive_s * 1000)
        yield from self._listener.listen(f"{self.path}?keepAlive={keep_alive_ms}")

    def _lost(self, reason: str) -> None:
        self.account.problem(self.clock.now_us(), "subscription", reason)

    def _subscribed(self) -> None:
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
