"""What devices and scenario tell of themselves, written as a trace with the clock's time."""

from __future__ import annotations

from typing import Any

from scenarios.secrets import SecretRegistry
from scenarios.trace import Event, TraceWriter, writable
from simulators.clock import Clock


class Recorder:
    """The observer of a fleet: writes events until it is stopped, and learns secrets always."""

    def __init__(self, clock: Clock, writer: TraceWriter, secrets: SecretRegistry) -> None:
        self._clock = clock
        self._writer = writer
        self._secrets = secrets
        self._is_on = True

    def event(self, device: str, direction: str, channel: str, message: dict[str, Any]) -> None:
        """Write one event at the clock's present."""
        if self._is_on:
            now_us = self._clock.now_us()
            self._writer.event(Event(now_us, device, direction, channel, writable(message)))

    def secret(self, kind: str, value: str) -> None:
        """Remember what must not be shown."""
        self._secrets.add(kind, value)

    def stop(self) -> None:
        """The scenario is over: what devices do while the run is judged is not part of it."""
        self._is_on = False

    def verdict(self, at_us: int, name: str, message: dict[str, Any]) -> None:
        """Write a judgement; it stands at the end of the scenario, after every other event."""
        self._writer.event(Event(at_us, name, "none", "expect", message))
