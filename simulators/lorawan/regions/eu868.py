"""
EU863-870.

Source: regional parameters, "EU863-870"; sub-bands: ETSI EN 300 220, as LoRaMac-node and The
Things Stack have them.
"""

from __future__ import annotations

from simulators.lorawan.regions.channel_mask import SIXTEEN
from simulators.lorawan.regions.phy_version import PhyVersion, since
from simulators.lorawan.regions.region import ClassB, Hops, Region, Rx2, SubBand
from simulators.lorawan.regions.tables import (
    EIGHT_RATES,
    OFFSETS,
    PAYLOADS,
    both_ways,
    channels,
    every_2_db,
    join_in,
    rx1_table,
)

CHANNELS = channels((868_100_000, 868_300_000, 868_500_000))
RX2 = Rx2(869_525_000, 0)
RX1 = rx1_table(range(8), OFFSETS)

# What lies between them (868.6 to 868.7 and 869.2 to 869.4 MHz) belongs to alarms.
SUB_BANDS = (
    SubBand(863_000_000, 865_000_000, 1000, 16.15),
    SubBand(865_000_000, 868_000_000, 100, 16.15),
    SubBand(868_000_000, 868_600_000, 100, 16.15),
    SubBand(868_700_000, 869_200_000, 1000, 16.15),
    SubBand(869_400_000, 869_650_000, 10, 29.15),
    SubBand(869_700_000, 870_000_000, 100, 16.15),
)


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    return Region(
        name="EU868",
        band_id="EU_863_870",
        aliases=("EU863-870", "EU863"),
        version=version,
        data_rates=both_ways(EIGHT_RATES, PAYLOADS),
        uplink_channels=CHANNELS,
        max_channels=16,
        join_channels=join_in(CHANNELS, RX2),
        rx2=RX2,
        rx1_table=RX1,
        rx1_dwell_table=RX1,
        max_eirp_dbm=16.0,
        tx_power_offsets_db=since(
            version,
            {
                PhyVersion.PHY_V1_0: every_2_db(5),
                PhyVersion.PHY_V1_0_2_REV_B: every_2_db(7),
            },
        ),
        max_adr_data_rate=5,
        sub_bands=SUB_BANDS,
        ch_mask_rules=SIXTEEN,
        cf_list_type=0,
        class_b=ClassB(Hops(3, (869_525_000,)), Hops(3, (869_525_000,))),
    )
