"""
What a Basics Station does of itself in the regions whose names it knows.

In a region of any other name a real station has no limits of its own, and takes no downlinks at
all; servers that send such names leave it deaf and dumb without a word.

Source: lorabasics/basicstation 2.0.6, src/s2e.c (handle_router_config, freq2band), src/ral_lgw.c.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from simulators.gateways.access import Bands, per_channel
from simulators.lorawan.regions.region import ListenBeforeTalk

DEFAULT_POWER_DBM = 14.0


class StationRegion(NamedTuple):
    """``louder``: a range of frequencies, both ends included, and the power there."""

    power_dbm: float
    louder: tuple[int, int, float] | None = None
    bands: Bands | None = None
    listen_before_talk: ListenBeforeTalk | None = None

    def power_at_dbm(self, frequency_hz: int) -> float:
        """EIRP with which a frame is sent."""
        if self.louder is not None and self.louder[0] <= frequency_hz <= self.louder[1]:
            return self.louder[2]
        return self.power_dbm


def _europe(frequency_hz: int) -> tuple[Hashable, int]:
    """Three budgets for the whole of 863 to 870 MHz, not one per sub-band of the regulation."""
    if 869_400_000 <= frequency_hz <= 869_650_000:
        return 10, 10
    if 868_000_000 <= frequency_hz <= 868_600_000 or 869_700_000 <= frequency_hz <= 870_000_000:
        return 100, 100
    return 1000, 1000


_EUROPE = StationRegion(16.0, (869_400_000, 869_650_000, 27.0), _europe)
_AMERICA = StationRegion(26.0)
_JAPAN = StationRegion(13.0, None, per_channel(10), ListenBeforeTalk(-80, 5_000))

STATION_REGIONS = {
    "EU863": _EUROPE,
    "EU868": _EUROPE,
    "US902": _AMERICA,
    "US915": _AMERICA,
    "AU915": StationRegion(30.0),
    "AS923-1": _JAPAN,
    "AS923JP": _JAPAN,
    "KR920": StationRegion(23.0, None, per_channel(50), ListenBeforeTalk(-65, 6_000)),
    "IL915": StationRegion(14.0, (916_200_000, 916_400_000, 20.0)),
}
