"""
The channels that a device has: those of its region, and what the network added, moved or took.

A plan never changes; a change gives another plan, and the same change gives the same plan to every
device, so that ten thousand of them share a few. Which channels are enabled is a set kept by the
device: a whole number, bit i for channel i.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from simulators.lorawan.modulation import Lora
from simulators.lorawan.regions.region import Channel, Region

WIDE_HZ = 500_000


class Choice(NamedTuple):
    """A channel that a frame may be sent in: its index, sub-band, frequencies, and limit."""

    channel: int
    band: int
    frequency_hz: int
    rx1_frequency_hz: int
    max_eirp_dbm: float


class Group(NamedTuple):
    """The choices within one sub-band, which share its time on air."""

    band: int
    choices: tuple[Choice, ...]


class ChannelPlan:
    """The channels of one device or of many; compared by identity."""

    __slots__ = ("_data_rates", "_groups", "_next", "channels", "defined", "moved", "region")

    def __init__(
        self, region: Region, channels: tuple[Channel | None, ...], moved: tuple[int, ...]
    ) -> None:
        self.region = region
        self.channels = channels
        self.moved = moved  # RX1 frequency by channel; 0: where the region answers
        self.defined = sum(1 << index for index, each in enumerate(channels) if each is not None)
        self._groups: dict[tuple[int, int], tuple[Group, ...]] = {}
        self._data_rates: dict[tuple[int, bool], tuple[int, ...]] = {}
        self._next: dict[tuple[int, Channel | None, int], ChannelPlan] = {}

    def with_channel(self, index: int, channel: Channel | None) -> ChannelPlan:
        """The plan with a channel added, replaced or, for None, taken away."""
        return self._changed(index, channel, 0)

    def with_rx1(self, index: int, frequency_hz: int) -> ChannelPlan:
        """The plan in which uplinks in that channel are answered elsewhere."""
        return self._changed(index, self.channels[index], frequency_hz)

    def has(self, index: int) -> bool:
        """Whether there is a channel of that index."""
        return bool(self.defined >> index & 1)

    def groups(self, enabled: int, data_rate: int) -> tuple[Group, ...]:
        """What a frame with that data rate may be sent in, by sub-band."""
        key = (enabled, data_rate)
        found = self._groups.get(key)
        if found is None:
            found = self._groups[key] = self._grouped(enabled, data_rate)
        return found

    def data_rates(self, enabled: int, *, dwell: bool) -> tuple[int, ...]:
        """The data rates that enabled channels offer, ascending."""
        key = (enabled, dwell)
        found = self._data_rates.get(key)
        if found is None:
            rates = self.region.uplink_data_rates(dwell=dwell)
            found = tuple(each for each in rates if self._is_offered(enabled, each))
            self._data_rates[key] = found
        return found

    def _is_offered(self, enabled: int, data_rate: int) -> bool:
        modulation = self.region.data_rate(data_rate).modulation
        # Whoever uses narrow channels has to hop among several; a wide one may be the only one.
        hops = isinstance(modulation, Lora) and modulation.bandwidth_hz < WIDE_HZ
        needed = self.region.min_hopping_channels if hops else 1
        return sum(len(group.choices) for group in self.groups(enabled, data_rate)) >= needed

    def _changed(self, index: int, channel: Channel | None, rx1_hz: int) -> ChannelPlan:
        key = (index, channel, rx1_hz)
        found = self._next.get(key)
        if found is None:
            size = max(len(self.channels), index + 1)
            channels = [*self.channels, *[None] * (size - len(self.channels))]
            moved = [*self.moved, *[0] * (size - len(self.moved))]
            channels[index], moved[index] = channel, rx1_hz
            found = self._next[key] = ChannelPlan(self.region, tuple(channels), tuple(moved))
        return found

    def _grouped(self, enabled: int, data_rate: int) -> tuple[Group, ...]:
        bands: dict[int, list[Choice]] = {}
        for index, channel in enumerate(self.channels):
            if channel is None or not enabled >> index & 1:
                continue
            if channel.min_data_rate <= data_rate <= channel.max_data_rate:
                choice = self._choice(index, channel.frequency_hz)
                bands.setdefault(choice.band, []).append(choice)
        return tuple(Group(band, tuple(choices)) for band, choices in bands.items())

    def _choice(self, index: int, frequency_hz: int) -> Choice:
        region = self.region
        rx1_hz = self.moved[index] or region.rx1_frequency_hz(index, frequency_hz)
        band = band_of(region, frequency_hz)
        return Choice(index, band, frequency_hz, rx1_hz, region.sub_bands[band].max_eirp_dbm)


@cache
def default_plan(region: Region) -> ChannelPlan:
    """The channels of a device that has not heard of any network."""
    channels = region.uplink_channels
    return ChannelPlan(region, channels, (0,) * len(channels))


@cache
def band_of(region: Region, frequency_hz: int) -> int:
    """The number of the sub-band that a frequency lies in; raises LoRaWanError."""
    return region.sub_bands.index(region.sub_band(frequency_hz))


@cache
def divisors(region: Region) -> tuple[int, ...]:
    """The duty cycle of every sub-band."""
    return tuple(band.duty_cycle_divisor for band in region.sub_bands)
