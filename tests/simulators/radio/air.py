"""A medium with everybody in sight of each other, and receivers that write down what they hear."""

from __future__ import annotations

from typing import Any, NamedTuple

from simulators.clock import VirtualClock
from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.modulation import Lora, Modulation
from simulators.radio.interference import INTERFERENCE_MODELS
from simulators.radio.medium import Medium
from simulators.radio.path_loss import PATH_LOSSES
from simulators.radio.transmission import Position, Reception, Transmission

CHANNEL_HZ = 868_100_000
SF7, SF9, SF12 = Lora(7, 125_000), Lora(9, 125_000), Lora(12, 125_000)
FRAME = bytes(20)  # SF7: 56 576 µs


class Gateway:
    """Hears, and notes outcomes in order: (time, sender, None or the reason of the loss)."""

    def __init__(self, clock: VirtualClock, name: str = "gw", position: Position = (0.0, 0.0, 0.0)):
        self.clock = clock
        self.name = name
        self.position = position
        self.outcomes: list[tuple[int, str, str | None]] = []
        self.receptions: list[Reception] = []

    def heard(self, reception: Reception) -> None:
        self.receptions.append(reception)
        self.outcomes.append((self.clock.now_us(), reception.transmission.sender, None))

    def lost(self, transmission: Transmission, reason: str) -> None:
        self.outcomes.append((self.clock.now_us(), transmission.sender, reason))


class Air(NamedTuple):
    """A clock, a medium and a gateway at its origin."""

    clock: VirtualClock
    medium: Medium
    gateway: Gateway

    def send(
        self,
        sender: str,
        at_us: int,
        *,
        modulation: Modulation = SF7,
        frequency_hz: int = CHANNEL_HZ,
        power_dbm: float = 14.0,
        position: Position = (100.0, 0.0, 0.0),
        payload: bytes = FRAME,
        is_downlink: bool = False,
        preamble: int = 8,
    ) -> int:
        """A frame that will start at ``at_us``; returns its end."""
        lasts_us = time_on_air_us(modulation, len(payload), preamble=preamble)
        frame = Transmission(
            sender, at_us, at_us + lasts_us, frequency_hz, modulation, power_dbm, payload,
            is_downlink, position, preamble,
        )  # fmt: skip
        start = self.clock.timeout(at_us - self.clock.now_us())
        start.callbacks.append(lambda _: self.medium.transmit(frame))
        return frame.end_us

    def outcomes(self) -> dict[str, str | None]:
        """Play everything; what became of each sender's last frame at the gateway."""
        self.clock.run()
        return {sender: reason for _, sender, reason in self.gateway.outcomes}


def air(model: str = "goursaud", **options: Any) -> Air:
    """A fresh one; options go to ``Medium.attach``."""
    clock = VirtualClock()
    medium = Medium(
        clock, path_loss=PATH_LOSSES["lorasim"], interference=INTERFERENCE_MODELS[model]
    )
    gateway = Gateway(clock)
    medium.attach(gateway, **options)
    return Air(clock, medium, gateway)
