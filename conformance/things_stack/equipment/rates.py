"""Data rates of EU868 as values, and how long a frame takes in each of them."""

from __future__ import annotations

from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.modulation import Lora, Modulation, datr

__all__ = ["EU868_RATES", "Lora", "Modulation", "airtime_s", "rate_text"]

EU868_RATES = [Lora(spreading_factor, 125_000) for spreading_factor in (12, 11, 10, 9, 8, 7)]


def airtime_s(rate: Modulation, size: int) -> float:
    """Seconds that a frame of ``size`` bytes takes."""
    return time_on_air_us(rate, size) / 1_000_000


def rate_text(rate: Modulation) -> str | int:
    """A data rate as Semtech's protocol writes it: ``SF7BW125``, or bits per second."""
    return datr(rate)
