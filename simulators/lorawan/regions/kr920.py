"""
KR920-923.

Source: regional parameters, "KR920-923": below 922 MHz 10 dBm EIRP at most, whatever the network
asks for; listen before talk: LoRaMac-node.
"""

from __future__ import annotations

from simulators.lorawan.regions.channel_mask import SIXTEEN
from simulators.lorawan.regions.phy_version import PhyVersion, since
from simulators.lorawan.regions.region import (
    ClassB,
    Hops,
    ListenBeforeTalk,
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
    join_in,
    rx1_table,
)

CHANNELS = channels((922_100_000, 922_300_000, 922_500_000))
RX2 = Rx2(921_900_000, 0)
RX1 = rx1_table(range(6), OFFSETS)


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    max_eirp_dbm, offsets = since(
        version,
        {
            PhyVersion.PHY_V1_0: (20.0, (0, -6, -10, -12, -15, -18, -20)),
            PhyVersion.PHY_V1_0_2_REV_B: (14.0, every_2_db(7)),
        },
    )
    return Region(
        name="KR920",
        band_id="KR_920_923",
        aliases=("KR920-923",),
        version=version,
        data_rates=both_ways(SF12_TO_7, PAYLOADS),
        uplink_channels=CHANNELS,
        max_channels=16,
        join_channels=join_in(CHANNELS, RX2),
        rx2=RX2,
        rx1_table=RX1,
        rx1_dwell_table=RX1,
        max_eirp_dbm=max_eirp_dbm,
        tx_power_offsets_db=offsets,
        max_adr_data_rate=5,
        sub_bands=(
            SubBand(920_800_000, 922_000_000, 1, 10.0),
            SubBand(922_000_000, 923_400_000, 1, max_eirp_dbm),
        ),
        ch_mask_rules=SIXTEEN,
        cf_list_type=0,
        class_b=ClassB(Hops(3, (923_100_000,)), Hops(3, (923_100_000,))),
        listen_before_talk=ListenBeforeTalk(-65, 6_000),
    )
