"""
AU915-928.

Source: regional parameters, "AU915-928". Until 1.0.2 rev A the region had the data rates of US915;
their payload limits are those that ChirpStack has for these versions, and so is the version from
which a dwell time limits payloads.
"""

from __future__ import annotations

from simulators.lorawan.modulation import Lora
from simulators.lorawan.regions.channel_mask import SEVENTY_TWO
from simulators.lorawan.regions.phy_version import PhyVersion, since
from simulators.lorawan.regions.region import DataRate, Region, SubBand
from simulators.lorawan.regions.seventy_two import (
    CLASS_B,
    DOWNLINK_HZ,
    RX2,
    data_rates,
    join_channels,
    uplink_channels,
)
from simulators.lorawan.regions.tables import OFFSETS, SF12_TO_7, every_2_db, rx1_table

FIVE_RATES = (*SF12_TO_7[2:], Lora(8, 500_000))
FIVE_PAYLOADS = (11, 53, 126, 242, 242)
SEVEN_RATES = (*SF12_TO_7, Lora(8, 500_000))
SEVEN_PAYLOADS = (51, 51, 51, 115, 242, 242, 242)
SEVEN_PAYLOADS_DWELL = (None, None, 11, 53, 125, 242, 242)

RX1_OF_FIVE = (*rx1_table(range(10, 14), (0, 1, 2, 3), lowest=8), (13, 13, 12, 11))
RX1_OF_SEVEN = (*rx1_table(range(8, 14), OFFSETS, lowest=8), (13, 13, 12, 11, 10, 9))


def build(version: PhyVersion) -> Region:
    """The region as a version of the regional parameters has it."""
    has_five_rates = version < PhyVersion.PHY_V1_0_2_REV_B
    has_dwell = version >= PhyVersion.PHY_V1_1_REV_B
    wide = 4 if has_five_rates else 6
    channels = uplink_channels(915_200_000, 915_900_000, wide)
    rx1 = RX1_OF_FIVE if has_five_rates else RX1_OF_SEVEN
    return Region(
        name="AU915",
        band_id="AU_915_928",
        aliases=("AU915-928",),
        version=version,
        data_rates=_data_rates(has_five_rates, has_dwell),
        uplink_channels=channels,
        max_channels=72,
        downlink_hz=DOWNLINK_HZ,
        # A device that does not know yet whether dwell time is limited joins as if it were.
        join_channels=join_channels(channels, 2 if has_dwell else 0),
        rx2=RX2,
        rx1_table=rx1,
        rx1_dwell_table=rx1,
        max_eirp_dbm=30.0,
        tx_power_offsets_db=since(
            version,
            {PhyVersion.PHY_V1_0: every_2_db(10), PhyVersion.PHY_V1_1_REV_B: every_2_db(14)},
        ),
        max_adr_data_rate=wide - 1,
        sub_bands=(SubBand(915_000_000, 928_000_000, 1, 30.0),),
        ch_mask_rules=SEVENTY_TWO,
        cf_list_type=since(version, {PhyVersion.PHY_V1_0: None, PhyVersion.PHY_V1_1_REV_A: 1}),
        class_b=CLASS_B,
        has_tx_param_setup=has_dwell,
        default_uplink_dwell=has_dwell,
    )


def _data_rates(has_five_rates: bool, has_dwell: bool) -> tuple[DataRate | None, ...]:
    if has_five_rates:
        return data_rates(FIVE_RATES, FIVE_PAYLOADS, FIVE_PAYLOADS)
    return data_rates(
        SEVEN_RATES, SEVEN_PAYLOADS, SEVEN_PAYLOADS_DWELL if has_dwell else SEVEN_PAYLOADS
    )
