"""
AS923-1 as Japan wants it: a channel has to be free for 5 ms before it is used.

Source: ARIB STD-T108, as The Things Stack's frequency plans for Japan have it.
"""

from __future__ import annotations

from simulators.lorawan.regions import as923
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import ListenBeforeTalk, Region


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    return as923.build(
        version,
        number="1-JP",
        aliases=("AS923JP",),
        band_id="AS_923",
        offset_hz=0,
        band_hz=(920_600_000, 928_000_000),
        listen_before_talk=ListenBeforeTalk(-80, 5_000),
    )
