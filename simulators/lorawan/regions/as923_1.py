"""AS923-1: the group without an offset."""

from __future__ import annotations

from simulators.lorawan.regions import as923
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import Region


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    return as923.build(
        version,
        number="1",
        aliases=("AS923",),
        band_id="AS_923",
        offset_hz=0,
        band_hz=(915_000_000, 928_000_000),
    )
