"""
Whether a gateway may send: how much of the time, and not while others do.

Neither is a packet forwarder's business in the real world, where the server keeps the limits; a
Basics Station keeps some of them itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.regions.region import ListenBeforeTalk, Region

# A frequency's group of frequencies that share a budget, and what share of the time is one in N.
Bands = Callable[[int], tuple[Hashable, int]]


class DutyCycle:
    """After a frame's start its band is closed for so many times the frame's time on air."""

    def __init__(self, bands: Bands) -> None:
        self._bands = bands
        self._free_us: dict[Hashable, int] = {}

    def is_free(self, frequency_hz: int, at_us: int) -> bool:
        """Whether a frame may start then."""
        band, _ = self._bands(frequency_hz)
        return self._free_us.get(band, at_us) <= at_us

    def spend(self, frequency_hz: int, start_us: int, airtime_us: int) -> None:
        """A frame started."""
        band, divisor = self._bands(frequency_hz)
        self._free_us[band] = start_us + airtime_us * divisor


class Access(NamedTuple):
    """The rules that a gateway keeps; None: not this one."""

    duty_cycle: DutyCycle | None = None
    listen_before_talk: ListenBeforeTalk | None = None


def access_of(region: Region) -> Access:
    """What a region asks of whoever sends."""

    def bands(frequency_hz: int) -> tuple[Hashable, int]:
        try:
            band = region.sub_band(frequency_hz)
        except LoRaWanError:
            return None, 1
        return band.low_hz, band.duty_cycle_divisor

    return Access(DutyCycle(bands), region.listen_before_talk)


def per_channel(divisor: int) -> Bands:
    """Every frequency has a budget of its own."""
    return lambda frequency_hz: (frequency_hz, divisor)
