"""Which channels a network's gateways listen to, and how its devices are told of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from simulators.lorawan.cf_list import ChannelMasks, Frequencies, encode_cf_list
from simulators.lorawan.modulation import Lora, Modulation
from simulators.lorawan.regions.region import Channel, Region

MOST_IN_CF_LIST = 5
BLOCK = 16


class NetworkPlan(NamedTuple):
    """Channels for all spreading factors at 125 kHz, for one fast one each, and for FSK."""

    region: Region
    multi_sf_hz: tuple[int, ...]
    standard: tuple[tuple[int, Lora], ...] = ()
    fsk_hz: tuple[int, ...] = ()

    def cf_list(self, region: Region) -> bytes:
        """The channel list of a join accept; nothing where the region's version knows none."""
        return _cf_list(self, region)

    def channels(self, region: Region) -> tuple[Channel, ...]:
        """A device's channels by their index, after a join with that list."""
        return _channels(self, region)

    def mask(self, region: Region) -> int:
        """The set of channels that gateways hear, bit i for channel i."""
        return _mask(self, region)

    def masks(self, region: Region, before: int) -> tuple[tuple[int, int], ...]:
        """ChMaskCntl and ChMask of the LinkADRReqs that lead from the set ``before`` to ours."""
        return _masks(self, region, before)

    def channel_of(self, region: Region, frequency_hz: int) -> int:
        """
        The index of the channel with this frequency.

        Raises:
            LookupError: none has it.
        """
        return _numbers(self, region)[frequency_hz]


@lru_cache(maxsize=256)
def _extra_hz(plan: NetworkPlan, region: Region) -> tuple[int, ...]:
    own = {each.frequency_hz for each in region.uplink_channels}
    return tuple(hertz for hertz in plan.multi_sf_hz if hertz not in own)[:MOST_IN_CF_LIST]


@lru_cache(maxsize=256)
def _cf_list(plan: NetworkPlan, region: Region) -> bytes:
    if region.cf_list_type == 0:
        extra = _extra_hz(plan, region)
        return encode_cf_list(Frequencies(extra)) if extra else b""
    if region.cf_list_type == 1:
        mask = plan.mask(region)
        blocks = -(-len(region.uplink_channels) // BLOCK)
        words = [mask >> BLOCK * number & 0xFFFF for number in range(blocks)]
        return encode_cf_list(ChannelMasks(tuple(words)))
    return b""


@lru_cache(maxsize=256)
def _channels(plan: NetworkPlan, region: Region) -> tuple[Channel, ...]:
    if region.is_fixed_plan or region.cf_list_type != 0:
        return region.uplink_channels
    added = region.cf_list_channels(_extra_hz(plan, region))
    return (*region.uplink_channels, *(added[index] for index in sorted(added)))


@lru_cache(maxsize=256)
def _numbers(plan: NetworkPlan, region: Region) -> dict[int, int]:
    return {each.frequency_hz: index for index, each in enumerate(plan.channels(region))}


@lru_cache(maxsize=256)
def _mask(plan: NetworkPlan, region: Region) -> int:
    return sum(
        1 << index
        for index, channel in enumerate(plan.channels(region))
        if _is_heard(plan, region, channel)
    )


def _is_heard(plan: NetworkPlan, region: Region, channel: Channel) -> bool:
    modulation: Modulation = region.data_rate(channel.min_data_rate).modulation
    return channel.frequency_hz in plan.multi_sf_hz or any(
        (hertz, standard[:2]) == (channel.frequency_hz, modulation[:2])
        for hertz, standard in plan.standard
    )


@lru_cache(maxsize=256)
def _masks(plan: NetworkPlan, region: Region, before: int) -> tuple[tuple[int, int], ...]:
    """Of the ways to the set, one that the region's own rules say leads there."""
    wanted = plan.mask(region)
    defined = (1 << len(plan.channels(region))) - 1
    ways = [tuple(_by_blocks(wanted, defined)), ((7, wanted >> 64), *_by_blocks(wanted, 0))]
    for way in sorted(ways, key=len):
        enabled: int | None = before
        for control, word in way:
            enabled = None if enabled is None else region.ch_mask(enabled, control, word, defined)
        if enabled == wanted:
            return way
    return ()


def _by_blocks(wanted: int, defined: int) -> Iterator[tuple[int, int]]:
    """Every block that is wanted or, of those ``defined``, has to be switched off."""
    for number in range(6):
        word = wanted >> BLOCK * number & 0xFFFF
        if (word and not (number == 4 and not defined)) or defined >> BLOCK * number & 0xFFFF:
            yield number, word
