"""A sensor: measures one quantity periodically and writes it."""

from __future__ import annotations

from typing import Any

from simulators.devices.behaviours import Behaviour
from simulators.devices.device import Place
from simulators.devices.outbox import Batches
from simulators.devices.periodic import Period, Periodic


class Sensor(Periodic):
    """Writes ``key`` with what its behaviour says at the time."""

    kind = "sensor"

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        key: str,
        behaviour: Behaviour,
        period: Period,
        batches: Batches,
    ) -> None:
        super().__init__(name, place, period=period, batches=batches)
        self.key = key
        self.behaviour = behaviour

    def items(self, due_us: int) -> list[dict[str, Any]]:
        """The measured value."""
        return [{"key": self.key, "value": self.behaviour(self.clock.start_unix_us + due_us)}]
