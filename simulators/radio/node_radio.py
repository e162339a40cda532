"""An end device's transceiver on the medium: one thing at a time."""

from __future__ import annotations

import simpy

from simulators.clock import Clock
from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.modulation import Modulation
from simulators.radio.medium import Medium, Window
from simulators.radio.mobility import Mobility
from simulators.radio.sensitivity import SENSITIVITIES, Sensitivity
from simulators.radio.transmission import Position, Transmission


class MediumRadio:
    """Sends and listens for one node; a new transmission or window replaces an open window."""

    __slots__ = ("_clock", "_medium", "_mobility", "_window", "name", "sensitivity")

    def __init__(
        self,
        clock: Clock,
        medium: Medium,
        name: str,
        mobility: Mobility,
        *,
        sensitivity: Sensitivity = SENSITIVITIES["sx1272"],
    ) -> None:
        self._clock = clock
        self._medium = medium
        self._mobility = mobility
        self._window: Window | None = None
        self.name = name
        self.sensitivity = sensitivity

    def position(self, at_us: int) -> Position:
        """Where the node is."""
        return self._mobility.position(at_us)

    def transmit(
        self, payload: bytes, *, frequency_hz: int, modulation: Modulation, power_dbm: float
    ) -> int:
        """Send an uplink now; returns when it ends, in µs."""
        self._replace()
        now_us = self._clock.now_us()
        end_us = now_us + time_on_air_us(modulation, len(payload))
        place = self._mobility.position(now_us)
        self._medium.transmit(
            Transmission(
                self.name,
                now_us,
                end_us,
                frequency_hz,
                modulation,
                power_dbm,
                payload,
                False,
                place,
            )
        )
        return end_us

    def listen(
        self, *, frequency_hz: int, modulation: Modulation, open_us: int, close_us: int
    ) -> simpy.Event:
        """Event whose value is a Reception, or None when the window closed without a frame."""
        self._replace()
        self._window = window = self._medium.listen(
            self,
            frequency_hz=frequency_hz,
            modulation=modulation,
            open_us=open_us,
            close_us=close_us,
        )
        window.event.callbacks.append(self._forget)
        return window.event

    def _forget(self, event: simpy.Event) -> None:
        """A window that is over is not kept: ten thousand radios sleep most of the time."""
        if self._window is not None and self._window.event is event:
            self._window = None

    def _replace(self) -> None:
        if self._window is not None:
            self._medium.cancel(self._window)
            self._window = None
