"""
AU915-928 as published: LoRaWAN 1.0.2 and 1.0.3 Regional Parameters; RP002-1.0.4, AU915-928.

Limits of the first two versions as ChirpStack has them; the rest agrees with LoRaMac-node too.
"""

from __future__ import annotations

import pytest

from simulators.lorawan.modulation import Lora
from simulators.lorawan.regions import region
from simulators.lorawan.regions.phy_version import PhyVersion

AU915 = region("AU915")
RX2 = (923_300_000, 8)


def test_data_rates() -> None:
    rows = [
        row and (row.modulation, row.max_payload, row.max_payload_dwell) for row in AU915.data_rates
    ]

    assert rows == [
        (Lora(12, 125_000), 51, None),
        (Lora(11, 125_000), 51, None),
        (Lora(10, 125_000), 51, 11),
        (Lora(9, 125_000), 115, 53),
        (Lora(8, 125_000), 242, 125),
        (Lora(7, 125_000), 242, 242),
        (Lora(8, 500_000), 242, 242),
        None,
        (Lora(12, 500_000), 53, 53),
        (Lora(11, 500_000), 129, 129),
        (Lora(10, 500_000), 242, 242),
        (Lora(9, 500_000), 242, 242),
        (Lora(8, 500_000), 242, 242),
        (Lora(7, 500_000), 242, 242),
    ]
    assert AU915.uplink_data_rates() == (0, 1, 2, 3, 4, 5, 6)


def test_dwell_time_is_limited_until_the_network_lifts_it() -> None:
    assert AU915.has_tx_param_setup
    assert AU915.default_uplink_dwell
    assert not AU915.default_downlink_dwell
    assert AU915.uplink_data_rates(dwell=True) == (2, 3, 4, 5, 6)
    assert [AU915.max_payload(rate, dwell=True) for rate in range(4)] == [0, 0, 11, 53]


def test_channels() -> None:
    channels = AU915.uplink_channels
    assert len(channels) == 72
    assert channels[0] == (915_200_000, 0, 5)
    assert channels[8] == (916_800_000, 0, 5)
    assert channels[63:66] == ((927_800_000, 0, 5), (915_900_000, 6, 6), (917_500_000, 6, 6))
    assert channels[71] == (927_100_000, 6, 6)


@pytest.mark.parametrize(
    ("version", "narrow", "wide"),
    [
        (PhyVersion.PHY_V1_0_1, 0, 4),
        (PhyVersion.PHY_V1_0_2_REV_B, 0, 6),
        (PhyVersion.PHY_V1_0_3_REV_A, 2, 6),
        (PhyVersion.RP002_V1_0_4, 2, 6),
    ],
)
def test_join_data_rates(version: PhyVersion, narrow: int, wide: int) -> None:
    joins = region("AU915", version).join_channels
    assert joins[8] == (8, 916_800_000, narrow, narrow, 923_300_000, RX2)
    assert joins[65] == (65, 917_500_000, wide, wide, 923_900_000, RX2)


def test_rx1_data_rates() -> None:
    assert AU915.rx1_table == (
        (8, 8, 8, 8, 8, 8),
        (9, 8, 8, 8, 8, 8),
        (10, 9, 8, 8, 8, 8),
        (11, 10, 9, 8, 8, 8),
        (12, 11, 10, 9, 8, 8),
        (13, 12, 11, 10, 9, 8),
        (13, 13, 12, 11, 10, 9),
    )
    assert AU915.rx1_frequency_hz(10, 917_200_000) == 924_500_000
    assert AU915.rx2 == RX2


def test_the_first_versions_had_the_data_rates_of_us915() -> None:
    old = region("AU915", PhyVersion.PHY_V1_0_2_REV_A)

    rows = [row and (row.modulation, row.max_mac_payload) for row in old.data_rates[:6]]
    assert rows == [
        (Lora(10, 125_000), 19),
        (Lora(9, 125_000), 61),
        (Lora(8, 125_000), 134),
        (Lora(7, 125_000), 250),
        (Lora(8, 500_000), 250),
        None,
    ]
    assert old.rx1_table == region("US915").rx1_table
    assert old.uplink_channels[64] == (915_900_000, 4, 4)
    assert old.max_adr_data_rate == 3
    assert not old.has_tx_param_setup


@pytest.mark.parametrize(
    ("version", "last", "cf_list_type"),
    [
        (PhyVersion.PHY_V1_0_2_REV_B, 10, None),
        (PhyVersion.PHY_V1_1_REV_A, 10, 1),
        (PhyVersion.PHY_V1_1_REV_B, 14, 1),
        (PhyVersion.RP002_V1_0_4, 14, 1),
    ],
)
def test_what_versions_changed(version: PhyVersion, last: int, cf_list_type: int | None) -> None:
    found = region("AU915", version)
    assert found.tx_power_offsets_db == tuple(range(0, -2 * last - 1, -2))
    assert found.cf_list_type == cf_list_type


def test_class_b_and_limits() -> None:
    assert AU915.beacon_layout.size == 23
    assert AU915.beacon_frequency_hz(128 * 7) == 927_500_000
    assert AU915.max_eirp_dbm == 30.0
    assert AU915.max_adr_data_rate == 5
    assert AU915.sub_band(916_800_000).duty_cycle_divisor == 1
    assert AU915.min_hopping_channels == 1
    assert AU915.ch_mask(0, 7, 0x0002, AU915.all_channels) == 1 << 65
