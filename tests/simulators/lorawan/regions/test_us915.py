"""
US902-928 as published: LoRaWAN 1.0.3 Regional Parameters rev A; RP002-1.0.4, US902-928.

DR2's limit in the first two versions as ChirpStack has it.
"""

from __future__ import annotations

import pytest

from simulators.lorawan.modulation import Lora
from simulators.lorawan.regions import region
from simulators.lorawan.regions.phy_version import PhyVersion

US915 = region("US915")
RX2 = (923_300_000, 8)


def test_data_rates() -> None:
    rows = [
        row
        and (row.modulation, row.max_payload, row.max_mac_payload, row.is_uplink, row.is_downlink)
        for row in US915.data_rates
    ]

    assert rows == [
        (Lora(10, 125_000), 11, 19, True, False),
        (Lora(9, 125_000), 53, 61, True, False),
        (Lora(8, 125_000), 125, 133, True, False),
        (Lora(7, 125_000), 242, 250, True, False),
        (Lora(8, 500_000), 242, 250, True, False),
        None,
        None,
        None,
        (Lora(12, 500_000), 53, 61, False, True),
        (Lora(11, 500_000), 129, 137, False, True),
        (Lora(10, 500_000), 242, 250, False, True),
        (Lora(9, 500_000), 242, 250, False, True),
        (Lora(8, 500_000), 242, 250, False, True),
        (Lora(7, 500_000), 242, 250, False, True),
    ]


def test_the_same_modulation_has_one_index_up_and_another_down() -> None:
    assert US915.find_data_rate(Lora(8, 500_000), is_downlink=False) == 4
    assert US915.find_data_rate(Lora(8, 500_000), is_downlink=True) == 12
    assert US915.find_data_rate(Lora(12, 125_000), is_downlink=False) is None
    assert US915.uplink_data_rates() == (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("version", "payload"),
    [
        (PhyVersion.PHY_V1_0, 129),
        (PhyVersion.PHY_V1_0_1, 126),
        (PhyVersion.PHY_V1_0_2_REV_A, 125),
        (PhyVersion.RP002_V1_0_4, 125),
    ],
)
def test_dr2_carries_less_since_1_0_2(version: PhyVersion, payload: int) -> None:
    assert region("US915", version).max_payload(2) == payload


def test_72_channels() -> None:
    channels = US915.uplink_channels
    assert len(channels) == 72
    assert channels[:2] == ((902_300_000, 0, 3), (902_500_000, 0, 3))
    assert channels[63:66] == ((914_900_000, 0, 3), (903_000_000, 4, 4), (904_600_000, 4, 4))
    assert channels[71] == (914_200_000, 4, 4)
    assert US915.is_fixed_plan


def test_joins_alternate_between_dr0_and_dr4() -> None:
    joins = US915.join_channels
    assert len(joins) == 72
    assert joins[9] == (9, 904_100_000, 0, 0, 923_900_000, RX2)
    assert joins[70] == (70, 912_600_000, 4, 4, 926_900_000, RX2)


@pytest.mark.parametrize(
    ("channel", "frequency_hz"),
    [(0, 923_300_000), (7, 927_500_000), (8, 923_300_000), (63, 927_500_000), (65, 923_900_000)],
)
def test_rx1_frequency_follows_the_channel_modulo_8(channel: int, frequency_hz: int) -> None:
    uplink_hz = US915.uplink_channels[channel].frequency_hz
    assert US915.rx1_frequency_hz(channel, uplink_hz) == frequency_hz


def test_rx1_data_rates() -> None:
    table = ((10, 9, 8, 8), (11, 10, 9, 8), (12, 11, 10, 9), (13, 12, 11, 10), (13, 13, 12, 11))
    assert US915.rx1_table == table
    assert US915.rx2 == RX2


def test_power_falls_to_2_dbm_since_1_1() -> None:
    assert [US915.tx_power_dbm(index) for index in (0, 1, 10, 14)] == [30, 28, 10, 2]
    assert len(region("US915", PhyVersion.PHY_V1_0_2_REV_B).tx_power_offsets_db) == 11
    assert len(region("US915", PhyVersion.PHY_V1_0_3_REV_A).tx_power_offsets_db) == 15


def test_limits() -> None:
    assert US915.max_uplink_us == 400_000
    assert US915.min_hopping_channels == 2
    assert US915.max_adr_data_rate == 3
    assert US915.sub_band(902_300_000).duty_cycle_divisor == 1
    assert not US915.has_tx_param_setup


def test_cf_list_of_masks_since_1_1() -> None:
    assert US915.cf_list_type == 1
    assert region("US915", PhyVersion.PHY_V1_0_2_REV_B).cf_list_type is None


NARROW = (1 << 64) - 1
ALL = (1 << 72) - 1


@pytest.mark.parametrize(
    ("enabled", "control", "ch_mask", "then"),
    [
        pytest.param(ALL, 0, 0xFF00, ALL & ~0xFF, id="0: channels 0 to 15"),
        pytest.param(0, 3, 0x8001, 1 << 63 | 1 << 48, id="3: channels 48 to 63"),
        pytest.param(ALL, 4, 0x0002, NARROW | 1 << 65, id="4: channels 64 to 71"),
        pytest.param(0, 4, 0xFF01, 1 << 64, id="4: the upper bits are reserved"),
        pytest.param(ALL, 5, 0x0002, 0xFF00 | 1 << 65, id="5: a bank with its wide channel"),
        pytest.param(ALL, 5, 0x0081, 0xFF | 0xFF << 56 | 1 << 64 | 1 << 71, id="5: two banks"),
        pytest.param(0, 6, 0x0001, NARROW | 1 << 64, id="6: all narrow, these wide"),
        pytest.param(ALL, 7, 0x0002, 1 << 65, id="7: no narrow, these wide"),
        pytest.param(ALL, 8, 0x0001, None, id="8: never defined"),
    ],
)
def test_channel_masks(enabled: int, control: int, ch_mask: int, then: int | None) -> None:
    assert US915.ch_mask(enabled, control, ch_mask, US915.all_channels) == then


def test_the_second_sub_band_of_a_network_is_two_requests() -> None:
    """What The Things Stack sends for FSB 2: all narrow ones off, then eight of them on."""
    first = US915.ch_mask(ALL, 7, 0x0002, ALL)
    assert first is not None
    assert US915.ch_mask(first, 0, 0xFF00, ALL) == 0xFF00 | 1 << 65


def test_class_b_hops_over_8_frequencies() -> None:
    assert US915.class_b.beacon.data_rate == 8
    assert US915.beacon_layout == (5, 3)
    assert US915.beacon_layout.size == 23
    assert US915.beacon_frequency_hz(0) == 923_300_000
    assert US915.beacon_frequency_hz(128 * 9 + 127) == 923_900_000
    # A vector of ChirpStack's own tests.
    assert US915.ping_slot_frequency_hz("0314cf36", 1_203_778_364) == 925_700_000


def test_only_its_downlink_frequencies_may_be_set() -> None:
    assert US915.accepts_frequency(925_700_000)
    assert not US915.accepts_frequency(925_800_000)
    assert not US915.accepts_frequency(902_300_000)
