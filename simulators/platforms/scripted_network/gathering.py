"""Copies of one frame from several gateways: gathered for a moment, answered through the best."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from simulators.clock import Clock
from simulators.lorawan.modulation import Modulation
from simulators.platforms.scripted_network.core import Answer, ScriptedNetwork, Uplink

GATHER_US = 200_000


class Copy(NamedTuple):
    """A frame as one gateway heard it; ``stamp`` is that gateway's own."""

    gateway: Gateway
    phy: bytes
    frequency_hz: int
    modulation: Modulation
    rssi_dbm: float
    snr_db: float
    stamp: Any


class Gateway(Protocol):
    """The way back to one gateway."""

    def send(self, answer: Answer, heard: Copy) -> None:
        """Have the answer to a frame that it heard sent."""


class Gathering:
    """Puts a network behind its gateways."""

    def __init__(self, clock: Clock, network: ScriptedNetwork) -> None:
        self.network = network
        self._clock = clock
        self._open: dict[bytes, list[Copy]] = {}

    def heard(self, copy: Copy) -> None:
        """A gateway passes a frame on."""
        copies = self._open.get(copy.phy)
        if copies is not None:
            copies.append(copy)
            return
        copies = self._open[copy.phy] = [copy]
        over = self._clock.timeout(GATHER_US, copies)
        over.callbacks.append(self._decide)

    def _decide(self, over: Any) -> None:
        copies: list[Copy] = over.value
        best = copies[0] if len(copies) == 1 else max(copies, key=lambda each: each.snr_db)
        del self._open[best.phy]
        answer = self.network.take(
            Uplink(
                best.phy,
                best.frequency_hz,
                best.modulation,
                best.snr_db,
                len(copies),
                self._clock.unix_us(),
            )
        )
        if answer is not None:
            best.gateway.send(answer, best)
