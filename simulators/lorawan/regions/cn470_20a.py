"""
CN470-510, plan A for 20 MHz antennas: 64 channels up, 64 down.

Its eight join channels each lead to eight downlink channels of their own, the last of which is RX2.
"""

from __future__ import annotations

from simulators.lorawan.regions import cn470_plans
from simulators.lorawan.regions.channel_mask import SIXTY_FOUR
from simulators.lorawan.regions.cn470_plans import class_b, groups
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import Region

UPLINK_HZ = groups((470_300_000, 32), (503_500_000, 32))
DOWNLINK_HZ = groups((483_900_000, 64))
EIGHTS = tuple(DOWNLINK_HZ[first : first + 8] for first in range(0, 64, 8))

# Channels 3, 11, 19, 27, 35, …: their RX1 is the ordinary one.
JOINS = {8 * number + 3: (DOWNLINK_HZ[8 * number + 3], EIGHTS[number][7]) for number in range(8)}


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    joined = {8 * number + 3: _build(version, EIGHTS[number], {}) for number in range(8)}
    return _build(version, EIGHTS[1], joined)


def _build(version: PhyVersion, eight: tuple[int, ...], after_join: dict[int, Region]) -> Region:
    return cn470_plans.build(
        version,
        plan="20A",
        uplink_hz=UPLINK_HZ,
        downlink_hz=DOWNLINK_HZ,
        joins=JOINS,
        rx2_hz=eight[7],
        ch_mask_rules=SIXTY_FOUR,
        class_b=class_b(eight, eight),
        after_join=after_join,
    )
