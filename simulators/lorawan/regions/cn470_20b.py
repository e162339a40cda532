"""CN470-510, plan B for 20 MHz antennas: 64 channels in which devices send and listen."""

from __future__ import annotations

from simulators.lorawan.regions import cn470_plans
from simulators.lorawan.regions.channel_mask import SIXTY_FOUR
from simulators.lorawan.regions.cn470_plans import class_b, groups
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import Region

CHANNELS_HZ = groups((476_900_000, 32), (496_900_000, 32))
HALVES = (CHANNELS_HZ[:32], CHANNELS_HZ[32:])
JOINS = {15: (479_900_000, 478_300_000), 47: (499_900_000, 498_300_000)}


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    joined = {15: _build(version, HALVES[0], {}), 47: _build(version, HALVES[1], {})}
    return _build(version, HALVES[1], joined)


def _build(version: PhyVersion, half: tuple[int, ...], after_join: dict[int, Region]) -> Region:
    return cn470_plans.build(
        version,
        plan="20B",
        uplink_hz=CHANNELS_HZ,
        downlink_hz=CHANNELS_HZ,
        joins=JOINS,
        rx2_hz=half[7],
        ch_mask_rules=SIXTY_FOUR,
        class_b=class_b((half[23],), half),
        after_join=after_join,
    )
