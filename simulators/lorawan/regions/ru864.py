"""
RU864-870.

Source: regional parameters, "RU864-870"; duty cycle: LoRaMac-node and The Things Stack.
"""

from __future__ import annotations

from simulators.lorawan.regions.channel_mask import SIXTEEN
from simulators.lorawan.regions.phy_version import PhyVersion
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

CHANNELS = channels((868_900_000, 869_100_000))
RX2 = Rx2(869_100_000, 0)
RX1 = rx1_table(range(8), OFFSETS)


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    return Region(
        name="RU864",
        band_id="RU_864_870",
        aliases=("RU864-870",),
        version=version,
        data_rates=both_ways(EIGHT_RATES, PAYLOADS),
        uplink_channels=CHANNELS,
        max_channels=16,
        join_channels=join_in(CHANNELS, RX2),
        rx2=RX2,
        rx1_table=RX1,
        rx1_dwell_table=RX1,
        max_eirp_dbm=16.0,
        tx_power_offsets_db=every_2_db(7),
        max_adr_data_rate=5,
        sub_bands=(SubBand(864_000_000, 870_000_000, 100, 16.0),),
        ch_mask_rules=SIXTEEN,
        cf_list_type=0,
        class_b=ClassB(Hops(3, (869_100_000,)), Hops(3, (868_900_000,))),
    )
