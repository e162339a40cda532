"""What a gateway needs around it in a test: air that a test writes on and reads, and a notebook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulators.clock import Clock
from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.modulation import Lora, Modulation
from simulators.radio.station import Listens, Receiver
from simulators.radio.transmission import Position, Reception, Transmission

SF7 = Lora(7, 125_000)
JOIN_REQUEST = bytes.fromhex("0000000000bbffffffefbeaddeaaffffff02003122b6c0")
UPLINK = bytes.fromhex("4002c3d4528000000fae02735368a5ef4fcc")


@dataclass
class PaperAir:
    """A medium that loses nothing: whoever is attached and listens hears it."""

    clock: Clock
    receivers: dict[str, tuple[Receiver, Listens | None]] = field(default_factory=dict)
    sent: list[Transmission] = field(default_factory=list)
    busy_hz: set[int] = field(default_factory=set)

    def attach(self, receiver: Receiver, *, listens: Listens | None, demodulators: int) -> None:
        self.receivers[receiver.name] = (receiver, listens)

    def detach(self, name: str) -> None:
        del self.receivers[name]

    def transmit(self, transmission: Transmission) -> None:
        assert transmission.start_us == self.clock.now_us()
        self.sent.append(transmission)

    def is_busy(
        self,
        position: Position,
        frequency_hz: int,
        *,
        for_us: int,
        threshold_dbm: float,
        except_from: str,
    ) -> bool:
        return frequency_hz in self.busy_hz

    def uplink(
        self,
        payload: bytes = UPLINK,
        *,
        frequency_hz: int = 868_100_000,
        modulation: Modulation = SF7,
        rssi_dbm: float = -35.2,
        snr_db: float = 9.13,
    ) -> None:
        """A device's frame ends now."""
        end_us = self.clock.now_us()
        start_us = end_us - time_on_air_us(modulation, len(payload))
        transmission = Transmission(
            "node", start_us, end_us, frequency_hz, modulation, 14.0, payload, False, (0, 0, 0)
        )
        for receiver, listens in list(self.receivers.values()):
            if listens is None or listens(frequency_hz, modulation):
                receiver.heard(Reception(transmission, rssi_dbm, snr_db))
            else:
                receiver.lost(transmission, "not listened")


@dataclass
class Notebook:
    """An observer that keeps every event with its time."""

    clock: Clock
    events: list[tuple[int, str, str, str, dict[str, Any]]] = field(default_factory=list)
    secrets: list[tuple[str, str]] = field(default_factory=list)

    def event(self, device: str, direction: str, channel: str, message: dict[str, Any]) -> None:
        self.events.append((self.clock.now_us(), device, direction, channel, message))

    def secret(self, kind: str, value: str) -> None:
        self.secrets.append((kind, value))

    def messages(self, channel: str) -> list[dict[str, Any]]:
        return [message for _, _, _, each, message in self.events if each == channel]
