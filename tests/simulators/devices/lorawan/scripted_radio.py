"""
A radio that does what a test says: it notes what is sent and when windows were open.

Downlinks are put on air at given moments; a window catches the first one with its frequency and
modulation of which it hears five symbols of preamble.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import simpy

from simulators.clock import Clock
from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.modulation import Lora, Modulation
from simulators.radio.transmission import Reception, Transmission, preamble_of

SF7, SF8, SF9, SF10, SF11, SF12 = (Lora(factor, 125_000) for factor in range(7, 13))


class Sent(NamedTuple):
    """One uplink."""

    start_us: int
    end_us: int
    frequency_hz: int
    modulation: Modulation
    power_dbm: float
    payload: bytes


class Opened(NamedTuple):
    """One window, as it was asked for."""

    open_us: int
    close_us: int
    frequency_hz: int
    modulation: Modulation


class ScriptedRadio:
    """``on_uplink`` is called with every uplink, to put an answer on air."""

    def __init__(self, clock: Clock, on_uplink: Callable[[Sent], None] | None = None) -> None:
        self._clock = clock
        self.on_uplink = on_uplink
        self.sent: list[Sent] = []
        self.windows: list[Opened] = []
        self.on_air: list[Transmission] = []
        self.snr_db = 5.0

    def transmit(
        self, payload: bytes, *, frequency_hz: int, modulation: Modulation, power_dbm: float
    ) -> int:
        now_us = self._clock.now_us()
        end_us = now_us + time_on_air_us(modulation, len(payload))
        sent = Sent(now_us, end_us, frequency_hz, modulation, power_dbm, payload)
        self.sent.append(sent)
        if self.on_uplink is not None:
            self.on_uplink(sent)
        return end_us

    def put_on_air(
        self, payload: bytes, start_us: int, frequency_hz: int, modulation: Modulation
    ) -> None:
        """A downlink, or a beacon, that begins at ``start_us``."""
        end_us = start_us + time_on_air_us(modulation, len(payload), has_crc=False)
        self.on_air.append(
            Transmission(
                "gateway", start_us, end_us, frequency_hz, modulation, 16.0, payload, True,
                (0.0, 0.0, 0.0),
            )
        )  # fmt: skip

    def listen(
        self, *, frequency_hz: int, modulation: Modulation, open_us: int, close_us: int
    ) -> simpy.Event:
        now_us = self._clock.now_us()
        assert now_us <= open_us <= close_us
        self.windows.append(Opened(open_us, close_us, frequency_hz, modulation))
        caught = [
            each
            for each in self.on_air
            if (each.frequency_hz, each.modulation) == (frequency_hz, modulation)
            and is_caught(each, open_us, close_us)
        ]
        if not caught:
            return self._clock.timeout(close_us - now_us, None)
        first = min(caught, key=lambda each: each.start_us)
        heard = Reception(first, -80.0, self.snr_db)
        return self._clock.timeout(first.end_us - now_us, heard)


def is_caught(frame: Transmission, open_us: int, close_us: int) -> bool:
    preamble = preamble_of(frame.modulation)
    from_us = max(open_us, frame.start_us)
    to_us = min(close_us, frame.start_us + preamble.length_us)
    return to_us - from_us >= preamble.detection_us
