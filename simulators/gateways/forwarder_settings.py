"""What stands in a packet forwarder's configuration."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.gateways.beacons import Beacons
from simulators.gateways.jit_queue import PACKET_FORWARDER, Rules
from simulators.lorawan.regions.region import Region

# The sixteen powers that a concentrator can be set to, at its connector.
POWERS_DBM = (-6, -3, 0, 3, 6, 10, 11, 12, 13, 14, 16, 17, 20, 23, 26, 27)


@dataclass(frozen=True, kw_only=True)
class ForwarderSettings:
    """
    ``transmits_hz`` is the range in which it may send.

    ``warns_of_power``: a power that there is not is replaced by the next lower one, with a warning,
    as newer forwarders do; else it is an error. ``collect_us`` is how long received frames wait for
    others to share a datagram with; 0: each is sent at once, by itself. Beacons need GPS.
    """

    transmits_hz: tuple[int, int]
    keep_alive_s: float = 10.0
    stat_s: float = 30.0
    collect_us: int = 0
    rules: Rules = PACKET_FORWARDER
    powers_dbm: tuple[int, ...] = POWERS_DBM
    warns_of_power: bool = False
    antenna_gain_dbi: float = 2.15
    has_gps: bool = False
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: int | None = None
    beacons: Beacons | None = None


def transmit_range_hz(region: Region) -> tuple[int, int]:
    """From a region's lowest frequency to its highest."""
    return min(b.low_hz for b in region.sub_bands), max(b.high_hz for b in region.sub_bands)
