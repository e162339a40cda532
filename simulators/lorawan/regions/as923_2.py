"""AS923-2: 1.8 MHz below AS923-1."""

from __future__ import annotations

from simulators.lorawan.regions import as923
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import Region


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    return as923.build(
        version,
        number="2",
        aliases=(),
        band_id="AS_923_2",
        offset_hz=-1_800_000,
        band_hz=(920_000_000, 923_000_000),
    )
