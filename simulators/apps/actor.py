"""
A simulated person who turns switches at random times.

The actor writes ``turn`` to a switch's thing through a channel of its own, and keeps account of
every command, so that it can be told afterwards whether and how fast each switch followed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.clock import Clock
from simulators.devices.account import Account, Sent
from simulators.devices.device import Steps, outcome
from simulators.devices.switch import Switch
from simulators.transports.http import HttpChannel, TransportError


@dataclass(frozen=True)
class ActorHabits:
    """A command every ``period_s`` on average; the gaps are exponentially distributed."""

    period_s: float = 30.0
    first_after_s: float = 5.0


@dataclass(frozen=True)
class Command:
    """What was asked of which switch; ``entry`` holds the times and the platform's answer."""

    switch: Switch
    entry: Sent


class Actor:
    """Turns switches that are active; each command is the opposite of the last one given."""

    kind = "actor"

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        channel: HttpChannel,
        rng: random.Random,
        switches: Sequence[Switch],
        habits: ActorHabits,
    ) -> None:
        self.name = name
        self.clock = clock
        self.channel = channel
        self.account = Account()
        self.commands: list[Command] = []
        self._rng = rng
        self._switches = switches
        self._habits = habits
        self._last: dict[str, str] = {}

    def process(self) -> Steps:
        """Wait, pick a switch, turn it, for ever."""
        yield self.clock.sleep(self._habits.first_after_s)
        while True:
            yield self.clock.sleep(self._rng.expovariate(1.0) * self._habits.period_s)
            switch = self._rng.choice(self._switches)
            if switch.thing_token is not None:
                yield from self.turn(switch)

    def turn(self, switch: Switch) -> Steps:
        """Give one command and wait for the platform's answer."""
        position = "off" if self._last.get(switch.name) == "on" else "on"
        self._last[switch.name] = position
        now_us = self.clock.now_us()
        entry = self.account.sending("turn", position, now_us, now_us)
        self.commands.append(Command(switch, entry))
        values = [{"key": "turn", "value": position}]
        try:
            answer = yield self.channel.request("POST", switch.path, {"values": values})
        except TransportError as error:
            entry.settle(self.clock.now_us(), "failed", str(error))
        else:
            entry.settle(self.clock.now_us(), *outcome(answer))
