"""
US902-928.

Source: regional parameters, "US902-928"; DR2's limit in LoRaWAN 1.0 and 1.0.1 as ChirpStack has it;
two hopping channels: FCC 15.247, as LoRaMac-node reads it.
"""

from __future__ import annotations

from simulators.lorawan.modulation import Lora
from simulators.lorawan.regions.channel_mask import SEVENTY_TWO
from simulators.lorawan.regions.phy_version import PhyVersion, since
from simulators.lorawan.regions.region import DWELL_TIME_US, Region, SubBand
from simulators.lorawan.regions.seventy_two import (
    CLASS_B,
    DOWNLINK_HZ,
    RX2,
    data_rates,
    join_channels,
    uplink_channels,
)
from simulators.lorawan.regions.tables import every_2_db

CHANNELS = uplink_channels(902_300_000, 903_000_000, 4)
MODULATIONS = (*(Lora(factor, 125_000) for factor in range(10, 6, -1)), Lora(8, 500_000))
RX1 = (
    (10, 9, 8, 8),
    (11, 10, 9, 8),
    (12, 11, 10, 9),
    (13, 12, 11, 10),
    (13, 13, 12, 11),
)


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    payloads = since(
        version,
        {
            PhyVersion.PHY_V1_0: (11, 53, 129, 242, 242),
            PhyVersion.PHY_V1_0_1: (11, 53, 126, 242, 242),
            PhyVersion.PHY_V1_0_2_REV_A: (11, 53, 125, 242, 242),
        },
    )
    return Region(
        name="US915",
        band_id="US_902_928",
        aliases=("US902-928", "US902"),
        version=version,
        data_rates=data_rates(MODULATIONS, payloads, payloads),
        uplink_channels=CHANNELS,
        max_channels=72,
        downlink_hz=DOWNLINK_HZ,
        join_channels=join_channels(CHANNELS, 0),
        rx2=RX2,
        rx1_table=RX1,
        rx1_dwell_table=RX1,
        max_eirp_dbm=30.0,
        tx_power_offsets_db=since(
            version,
            {PhyVersion.PHY_V1_0: every_2_db(10), PhyVersion.PHY_V1_1_REV_A: every_2_db(14)},
        ),
        max_adr_data_rate=3,
        sub_bands=(SubBand(902_000_000, 928_000_000, 1, 30.0),),
        ch_mask_rules=SEVENTY_TWO,
        cf_list_type=since(version, {PhyVersion.PHY_V1_0: None, PhyVersion.PHY_V1_1_REV_A: 1}),
        class_b=CLASS_B,
        max_uplink_us=DWELL_TIME_US,
        min_hopping_channels=2,
    )
