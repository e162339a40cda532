"""AS923-3: 6.6 MHz below AS923-1."""

from __future__ import annotations

from simulators.lorawan.regions import as923
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import Region


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    return as923.build(
        version,
        number="3",
        aliases=(),
        band_id="AS_923_3",
        offset_hz=-6_600_000,
        band_hz=(915_000_000, 921_000_000),
    )
