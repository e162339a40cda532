"""CN470-510, plan A for 26 MHz antennas: 48 channels up, 24 down."""

from __future__ import annotations

from simulators.lorawan.regions import cn470_plans
from simulators.lorawan.regions.channel_mask import FORTY_EIGHT
from simulators.lorawan.regions.cn470_plans import class_b, groups
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import Region

RX2_HZ = 492_500_000
CLASS_B_HZ = (494_900_000,)


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    return cn470_plans.build(
        version,
        plan="26A",
        uplink_hz=groups((470_300_000, 48)),
        downlink_hz=groups((490_100_000, 24)),
        joins=dict.fromkeys((0, 10, 20, 30, 40), (RX2_HZ, RX2_HZ)),
        rx2_hz=RX2_HZ,
        ch_mask_rules=FORTY_EIGHT,
        class_b=class_b(CLASS_B_HZ, CLASS_B_HZ),
    )
