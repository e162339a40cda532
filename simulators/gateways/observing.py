"""Whoever writes the trace, as gateways see it, and what every frame on air looks like there."""

from __future__ import annotations

from typing import Any, Protocol

from simulators.lorawan.modulation import Lora, Modulation, datr


class Observer(Protocol):
    """Knows the time by itself; ``message`` is not kept."""

    def event(self, device: str, direction: str, channel: str, message: dict[str, Any]) -> None:
        """``direction`` is uplink, downlink or none; ``channel`` radio, udp or websocket."""

    def secret(self, kind: str, value: str) -> None:
        """``value`` must not be shown."""


def frame_fields(payload: bytes, frequency_hz: int, modulation: Modulation) -> dict[str, Any]:
    """The members that tell of a frame, the same for whoever sent or heard it."""
    return {"payload": payload.hex(), **channel_fields(frequency_hz, modulation)}


def channel_fields(frequency_hz: int, modulation: Modulation) -> dict[str, Any]:
    """Where and how; the coding rate only where it is not LoRaWAN's."""
    told: dict[str, Any] = {"frequency_hz": frequency_hz, "data_rate": datr(modulation)}
    if isinstance(modulation, Lora) and modulation.coding_rate != "4/5":
        told["coding_rate"] = modulation.coding_rate
    return told
