"""
IN865-867.

Source: regional parameters, "IN865-867". DR6 does not exist, so the RX1 table of RP002 steps over
it; the table is LoRaMac-node's for RP002-1.0.1 (The Things Stack answers in DR6 there). Beacons on
866.55 MHz, as in the regional parameters and LoRaMac-node (The Things Stack: 866.5 MHz).
"""

from __future__ import annotations

from simulators.lorawan.modulation import Fsk
from simulators.lorawan.regions.channel_mask import SIXTEEN
from simulators.lorawan.regions.phy_version import PhyVersion, since
from simulators.lorawan.regions.region import ClassB, Hops, Region, Rx2, SubBand
from simulators.lorawan.regions.tables import (
    OFFSETS_OF_EIGHT,
    PAYLOADS,
    SF12_TO_7,
    both_ways,
    channels,
    every_2_db,
    join_in,
    rx1_table,
)

CHANNELS = channels((865_062_500, 865_402_500, 865_985_000))
RX2 = Rx2(866_550_000, 2)
MODULATIONS = (*SF12_TO_7, None, Fsk(50_000))

FORMULA = rx1_table(range(8), OFFSETS_OF_EIGHT, highest=5)
RX1_BEFORE_RP002 = (*FORMULA[:6], (), FORMULA[7])
RX1_SINCE_RP002 = (
    *FORMULA[:5],
    (5, 4, 3, 2, 1, 0, 5, 7),
    (),
    (7, 5, 5, 4, 3, 2, 7, 7),
)


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    rx1 = since(
        version,
        {PhyVersion.PHY_V1_0: RX1_BEFORE_RP002, PhyVersion.RP002_V1_0_0: RX1_SINCE_RP002},
    )
    return Region(
        name="IN865",
        band_id="IN_865_867",
        aliases=("IN865-867",),
        version=version,
        data_rates=both_ways(MODULATIONS, PAYLOADS),
        uplink_channels=CHANNELS,
        max_channels=16,
        join_channels=join_in(CHANNELS, RX2),
        rx2=RX2,
        rx1_table=rx1,
        rx1_dwell_table=rx1,
        max_eirp_dbm=30.0,
        tx_power_offsets_db=every_2_db(10),
        max_adr_data_rate=5,
        sub_bands=(SubBand(865_000_000, 867_000_000, 1, 30.0),),
        ch_mask_rules=SIXTEEN,
        cf_list_type=0,
        class_b=ClassB(Hops(4, (866_550_000,)), Hops(4, (866_550_000,))),
    )
