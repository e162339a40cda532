"""
EU433.

Source: regional parameters, "EU433": less than 1 % of the time in the default channels, as
LoRaMac-node keeps for the whole band (ETSI EN 300 220 would allow 10 %). Beacons on 434.665 MHz, as
there (The Things Stack: 434.655 MHz).
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

CHANNELS = channels((433_175_000, 433_375_000, 433_575_000))
RX2 = Rx2(434_665_000, 0)
RX1 = rx1_table(range(8), OFFSETS)


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    return Region(
        name="EU433",
        band_id="EU_433",
        aliases=("EU433-434",),
        version=version,
        data_rates=both_ways(EIGHT_RATES, PAYLOADS),
        uplink_channels=CHANNELS,
        max_channels=16,
        join_channels=join_in(CHANNELS, RX2),
        rx2=RX2,
        rx1_table=RX1,
        rx1_dwell_table=RX1,
        max_eirp_dbm=12.15,
        tx_power_offsets_db=every_2_db(5),
        max_adr_data_rate=5,
        sub_bands=(SubBand(433_050_000, 434_790_000, 100, 12.15),),
        ch_mask_rules=SIXTEEN,
        cf_list_type=0,
        class_b=ClassB(Hops(3, (434_665_000,)), Hops(3, (434_665_000,))),
    )
