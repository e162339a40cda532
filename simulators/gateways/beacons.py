"""
Beacons of class B: what a gateway broadcasts every 128 seconds of GPS time.

Source: LoRaWAN 1.0.4, chapter 15; RP002, "beacon frame" of each region.
"""

from __future__ import annotations

from typing import NamedTuple

from simulators.gateways.concentrator import Frame
from simulators.lorawan.class_b import (
    BEACON_PERIOD_S,
    Beacon,
    BeaconLayout,
    encode_beacon,
    encode_coordinates,
)
from simulators.lorawan.modulation import Modulation
from simulators.lorawan.regions.region import Region

PREAMBLE_SYMBOLS = 10
FIRST_ANTENNA = 0  # InfoDesc: the coordinates are those of the gateway's first antenna


class Beacons(NamedTuple):
    """Where, how and from which place beacons are sent; frequencies take turns."""

    frequencies_hz: tuple[int, ...]
    modulation: Modulation
    layout: BeaconLayout
    power_dbm: float
    latitude: float = 0.0
    longitude: float = 0.0

    def frame(self, gps_s: int) -> Frame:
        """The beacon that begins at this GPS time, a multiple of 128 seconds."""
        info = encode_coordinates(self.latitude, self.longitude)
        frequency_hz = self.frequencies_hz[gps_s // BEACON_PERIOD_S % len(self.frequencies_hz)]
        return Frame(
            encode_beacon(Beacon(gps_s, info_desc=FIRST_ANTENNA, info=info), self.layout),
            frequency_hz,
            self.modulation,
            self.power_dbm,
            preamble=PREAMBLE_SYMBOLS,
            has_header=False,
            is_inverted=False,
        )


def beacons_of(region: Region, *, latitude: float = 0.0, longitude: float = 0.0) -> Beacons:
    """A region's beacons, with as much power as its sub-band allows."""
    hops = region.class_b.beacon
    return Beacons(
        hops.frequencies_hz,
        region.data_rate(hops.data_rate).modulation,
        region.beacon_layout,
        region.sub_band(hops.frequencies_hz[0]).max_eirp_dbm,
        latitude,
        longitude,
    )
