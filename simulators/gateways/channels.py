"""
What a gateway listens to: channels for all spreading factors, one fast LoRa channel, one for FSK.

Source of the usual plans: The Things Stack's frequency plans.
"""

from __future__ import annotations

from typing import NamedTuple

from simulators.lorawan.modulation import Fsk, Lora, Modulation
from simulators.lorawan.regions.region import Region

MULTI_SF_BANDWIDTH_HZ = 125_000
SPREADING_FACTORS = range(7, 13)
CHANNELS_PER_BOARD = 8
FSK = Fsk(50_000)


class ChannelPlan(NamedTuple):
    """
    Channels in the order of their numbers: first those for all spreading factors at 125 kHz.

    More than eight of those mean several boards, each with eight demodulators.
    """

    multi_sf_hz: tuple[int, ...]
    standard: tuple[tuple[int, Lora], ...] = ()
    fsk_hz: tuple[int, ...] = ()

    def number(self, frequency_hz: int, modulation: Modulation) -> int | None:
        """The channel's number; None: not listened to."""
        if isinstance(modulation, Fsk):
            return self._number_of_fsk(frequency_hz, modulation)
        factor, bandwidth_hz, _ = modulation
        if bandwidth_hz == MULTI_SF_BANDWIDTH_HZ and frequency_hz in self.multi_sf_hz:
            is_demodulated = factor in SPREADING_FACTORS
            return self.multi_sf_hz.index(frequency_hz) if is_demodulated else None
        for number, (hertz, known) in enumerate(self.standard, start=len(self.multi_sf_hz)):
            if (hertz, known[:2]) == (frequency_hz, modulation[:2]):
                return number
        return None

    def listens(self, frequency_hz: int, modulation: Modulation) -> bool:
        """Whether a frame like that can be received."""
        return self.number(frequency_hz, modulation) is not None

    @property
    def demodulators(self) -> int:
        """How many frames at 125 kHz may be received at a time."""
        boards = -(-len(self.multi_sf_hz) // CHANNELS_PER_BOARD)
        return max(1, boards) * CHANNELS_PER_BOARD

    def _number_of_fsk(self, frequency_hz: int, modulation: Fsk) -> int | None:
        if modulation != FSK or frequency_hz not in self.fsk_hz:
            return None
        return len(self.multi_sf_hz) + len(self.standard) + self.fsk_hz.index(frequency_hz)


def usual_plan(region: Region, *, sub_band: int = 1) -> ChannelPlan:
    """
    What a gateway of a region usually listens to.

    Args:
        sub_band: which eight channels of a fixed plan, counted from 0; 1 is what US915 and AU915
            are used with mostly.
    """
    if region.is_fixed_plan:
        return _eight_of(region, sub_band)
    more = _MORE.get(region.band_id, ChannelPlan(()))
    default = tuple(channel.frequency_hz for channel in region.uplink_channels)
    return more._replace(multi_sf_hz=default + more.multi_sf_hz)


def _eight_of(region: Region, sub_band: int) -> ChannelPlan:
    narrow, wide = [], []
    for channel in region.uplink_channels:
        modulation = region.data_rate(channel.min_data_rate).modulation
        if isinstance(modulation, Lora) and modulation.bandwidth_hz != MULTI_SF_BANDWIDTH_HZ:
            wide.append((channel.frequency_hz, modulation))
        else:
            narrow.append(channel.frequency_hz)
    first = sub_band * CHANNELS_PER_BOARD
    return ChannelPlan(
        tuple(narrow[first : first + CHANNELS_PER_BOARD]), tuple(wide[sub_band : sub_band + 1])
    )


def every_channel(region: Region) -> ChannelPlan:
    """All channels of a region: a gateway of many boards."""
    if not region.is_fixed_plan:
        return usual_plan(region)
    boards = -(-len(region.uplink_channels) // CHANNELS_PER_BOARD)
    plans = [_eight_of(region, number) for number in range(boards)]
    return ChannelPlan(
        tuple(hertz for plan in plans for hertz in plan.multi_sf_hz),
        tuple(each for plan in plans for each in plan.standard),
    )


def _steps(first_hz: int, count: int, step_hz: int = 200_000) -> tuple[int, ...]:
    return tuple(first_hz + number * step_hz for number in range(count))


# What servers add to a region's own channels; a region without a line here has only those.
_MORE = {
    "EU_863_870": ChannelPlan(
        _steps(867_100_000, 5), ((868_300_000, Lora(7, 250_000)),), (868_800_000,)
    ),
    "EU_433": ChannelPlan(_steps(433_775_000, 5), ((434_075_000, Lora(7, 250_000)),)),
    "IN_865_867": ChannelPlan((865_232_500, *_steps(866_185_000, 4))),
    "KR_920_923": ChannelPlan(_steps(922_700_000, 4)),
    "RU_864_870": ChannelPlan(_steps(864_100_000, 5)),
    "AS_923": ChannelPlan(
        _steps(923_600_000, 6), ((924_500_000, Lora(7, 250_000)),), (924_800_000,)
    ),
}
