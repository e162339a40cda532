"""
CN470-510 with 96 uplink and 48 downlink channels, the plan before RP002.

Most networks and gateways still run it, The Things Stack and ChirpStack too; the plans that took
its place have files of their own.

Source: LoRaWAN 1.0.3 Regional Parameters rev A, "CN470-510"; power before 1.0.2 rev B: The Things
Stack.
"""

from __future__ import annotations

from simulators.lorawan.regions.channel_mask import NINETY_SIX
from simulators.lorawan.regions.phy_version import PhyVersion, since
from simulators.lorawan.regions.region import (
    ClassB,
    Hops,
    JoinChannel,
    Region,
    Rx2,
    SubBand,
)
from simulators.lorawan.regions.tables import (
    OFFSETS,
    PAYLOADS,
    SF12_TO_7,
    both_ways,
    channels,
    every_2_db,
    rx1_table,
    spaced,
)

CHANNELS = channels(spaced(470_300_000, 200_000, 96))
DOWNLINK_HZ = spaced(500_300_000, 200_000, 48)
CLASS_B_HZ = spaced(508_300_000, 200_000, 8)
RX2 = Rx2(505_300_000, 0)
RX1 = rx1_table(range(6), OFFSETS)
JOIN_CHANNELS = tuple(
    JoinChannel(number, *channel, DOWNLINK_HZ[number % 48], RX2)
    for number, channel in enumerate(CHANNELS)
)


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    max_eirp_dbm, offsets = since(
        version,
        {
            PhyVersion.PHY_V1_0: (17.0, (0, -1, -3, -5, -7, -10, -12, -15)),
            PhyVersion.PHY_V1_0_2_REV_B: (19.15, every_2_db(7)),
        },
    )
    return Region(
        name="CN470",
        band_id="CN_470_510",
        aliases=("CN470-510",),
        version=version,
        data_rates=both_ways(SF12_TO_7, PAYLOADS),
        uplink_channels=CHANNELS,
        max_channels=96,
        downlink_hz=DOWNLINK_HZ,
        join_channels=JOIN_CHANNELS,
        rx2=RX2,
        rx1_table=RX1,
        rx1_dwell_table=RX1,
        max_eirp_dbm=max_eirp_dbm,
        tx_power_offsets_db=offsets,
        max_adr_data_rate=5,
        sub_bands=(SubBand(470_000_000, 510_000_000, 1, 19.15),),
        ch_mask_rules=NINETY_SIX,
        cf_list_type=since(version, {PhyVersion.PHY_V1_0: None, PhyVersion.PHY_V1_1_REV_A: 1}),
        class_b=ClassB(Hops(2, CLASS_B_HZ), Hops(2, CLASS_B_HZ)),
    )
