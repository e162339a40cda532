"""A simulated person who turns switches by downlinks at random times, through an application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.apps.actor import ActorHabits
from simulators.apps.things_stack.api import Steps
from simulators.apps.things_stack.application import Application, Order, Uplink
from simulators.clock import MICROSECONDS, Clock
from simulators.devices.lorawan.relay import ORDERS, state_payload
from simulators.randomness import FullChance

PATIENCE_US = 3600 * MICROSECONDS  # so long a switch that does not answer is not turned again


@dataclass
class Turn:
    """One command; ``shown_us``: when the application heard of the position."""

    device_id: str
    position: str
    order: Order
    shown_us: int | None = None


class Caretaker:
    """Turns switches that have been heard of; each command is the opposite of the last one."""

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        application: Application,
        rng: FullChance,
        switches: Sequence[str],
        f_port: int,
        habits: ActorHabits,
    ) -> None:
        self.name = name
        self.turns: list[Turn] = []
        self._clock = clock
        self._application = application
        self._rng = rng
        self._switches = switches
        self._f_port = f_port
        self._habits = habits
        self._last: dict[str, Turn] = {}
        application.heard.append(self._heard)

    def process(self) -> Steps:
        """Wait, pick a switch, turn it, for ever."""
        yield self._clock.sleep(self._habits.first_after_s)
        while True:
            yield self._clock.sleep(self._rng.expovariate(1.0) * self._habits.period_s)
            ready = [each for each in self._switches if self._is_ready(each)]
            if ready:
                yield from self._turn(self._rng.choice(ready))

    def _is_ready(self, device_id: str) -> bool:
        if device_id not in self._application.uplinks:  # it may have no session yet
            return False
        last = self._last.get(device_id)
        if last is None or last.shown_us is not None or last.order.refusal:
            return True
        return self._clock.now_us() - last.order.ordered_us > PATIENCE_US

    def _turn(self, device_id: str) -> Steps:
        last = self._last.get(device_id)
        position = "off" if last is not None and last.position == "on" else "on"
        order = Order(device_id, ORDERS[position], self._clock.now_us())
        turn = self._last[device_id] = Turn(device_id, position, order)
        self.turns.append(turn)
        turn.order = yield from self._application.order(
            device_id, ORDERS[position], f_port=self._f_port
        )

    def _heard(self, device_id: str, uplink: Uplink) -> None:
        turn = self._last.get(device_id)
        if turn is None or turn.shown_us is not None or uplink.f_port != self._f_port:
            return
        if uplink.payload == state_payload(turn.position):
            turn.shown_us = uplink.at_us
