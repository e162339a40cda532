"""
EU863-870 as published: LoRaWAN 1.0.3 Regional Parameters rev A; RP002-1.0.4, EU863-870.

Sub-bands as LoRaMac-node and basicmac have them.
"""

from __future__ import annotations

import pytest

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.modulation import Fsk, Lora
from simulators.lorawan.regions import region
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import JoinChannel

EU868 = region("EU868")
RX2 = (869_525_000, 0)


def test_eight_data_rates_and_their_payloads() -> None:
    rows = [
        (row.modulation, row.max_payload, row.max_mac_payload) for row in EU868.data_rates if row
    ]

    assert rows == [
        (Lora(12, 125_000), 51, 59),
        (Lora(11, 125_000), 51, 59),
        (Lora(10, 125_000), 51, 59),
        (Lora(9, 125_000), 115, 123),
        (Lora(8, 125_000), 242, 250),
        (Lora(7, 125_000), 242, 250),
        (Lora(7, 250_000), 242, 250),
        (Fsk(50_000), 242, 250),
    ]


def test_three_default_channels_are_join_channels() -> None:
    assert EU868.uplink_channels == (
        (868_100_000, 0, 5),
        (868_300_000, 0, 5),
        (868_500_000, 0, 5),
    )
    assert EU868.join_channels == (
        (0, 868_100_000, 0, 5, 868_100_000, RX2),
        (1, 868_300_000, 0, 5, 868_300_000, RX2),
        (2, 868_500_000, 0, 5, 868_500_000, RX2),
    )
    assert isinstance(EU868.join_channels[0], JoinChannel)


def test_rx1_is_the_uplink_channel_and_the_offset_lowers_its_data_rate() -> None:
    assert EU868.rx1_frequency_hz(4, 867_300_000) == 867_300_000
    assert EU868.rx1_table == (
        (0, 0, 0, 0, 0, 0),
        (1, 0, 0, 0, 0, 0),
        (2, 1, 0, 0, 0, 0),
        (3, 2, 1, 0, 0, 0),
        (4, 3, 2, 1, 0, 0),
        (5, 4, 3, 2, 1, 0),
        (6, 5, 4, 3, 2, 1),
        (7, 6, 5, 4, 3, 2),
    )
    assert EU868.rx1_data_rate(5, 3) == 2
    assert EU868.max_rx1_offset == 5


def test_rx2() -> None:
    assert EU868.rx2 == RX2


@pytest.mark.parametrize(("index", "power"), [(0, 16), (1, 14), (5, 6), (7, 2)])
def test_power(index: int, power: float) -> None:
    assert EU868.tx_power_dbm(index) == power


def test_older_versions_know_fewer_powers() -> None:
    old = region("EU868", PhyVersion.PHY_V1_0_2_REV_A)

    assert old.tx_power_offsets_db == (0, -2, -4, -6, -8, -10)
    with pytest.raises(LoRaWanError, match="expected a TXPower of 0 to 5 in EU868; got 6"):
        old.tx_power_dbm(6)


def test_power_is_capped_by_the_maker_and_by_the_sub_band() -> None:
    assert EU868.tx_power_dbm(0, max_eirp_dbm=27.0, frequency_hz=868_100_000) == 16.15
    assert EU868.tx_power_dbm(0, max_eirp_dbm=27.0, frequency_hz=869_525_000) == 27.0
    assert EU868.tx_power_dbm(2, max_eirp_dbm=12.0, frequency_hz=868_100_000) == 8.0


@pytest.mark.parametrize(
    ("frequency_hz", "divisor"),
    [
        (863_100_000, 1000),
        (865_100_000, 100),
        (867_900_000, 100),
        (868_100_000, 100),
        (868_800_000, 1000),
        (869_525_000, 10),
        (869_800_000, 100),
    ],
)
def test_duty_cycle(frequency_hz: int, divisor: int) -> None:
    assert EU868.sub_band(frequency_hz).duty_cycle_divisor == divisor


def test_868_1_and_867_1_have_separate_budgets() -> None:
    assert EU868.sub_band(868_100_000) is EU868.sub_band(868_500_000)
    assert EU868.sub_band(868_100_000) is not EU868.sub_band(867_100_000)


@pytest.mark.parametrize("frequency_hz", [862_900_000, 868_650_000, 869_300_000, 870_000_000])
def test_gaps_are_refused(frequency_hz: int) -> None:
    assert not EU868.accepts_frequency(frequency_hz)
    with pytest.raises(LoRaWanError, match=f"expected a frequency of EU868; got {frequency_hz} Hz"):
        EU868.sub_band(frequency_hz)


def test_class_b() -> None:
    assert EU868.class_b.beacon == (3, (869_525_000,))
    assert EU868.beacon_layout.size == 17
    assert EU868.beacon_frequency_hz(1_234_567_936) == 869_525_000
    assert EU868.ping_slot_frequency_hz("52d4c302", 1_234_567_936) == 869_525_000


def test_cf_list_adds_channels_after_the_default_ones() -> None:
    assert EU868.cf_list_type == 0
    listed = [867_100_000, 867_300_000, 0, 915_000_000, 867_900_000]
    assert EU868.cf_list_channels(listed) == {
        3: (867_100_000, 0, 5),
        4: (867_300_000, 0, 5),
        7: (867_900_000, 0, 5),
    }


def test_the_channel_mask_chooses_among_16() -> None:
    defined = 0b1111
    assert EU868.all_channels == 0b0111
    assert EU868.ch_mask(0b0111, 0, 0b1001, defined) == 0b1001
    assert EU868.ch_mask(0b0111, 0, 0b1_0000, defined) is None
    assert EU868.ch_mask(0b0001, 6, 0, defined) == 0b1111
    assert [EU868.ch_mask(1, control, 1, defined) for control in (1, 2, 3, 4, 5, 7)] == [None] * 6


def test_no_dwell_time() -> None:
    assert not EU868.has_tx_param_setup
    assert not EU868.default_uplink_dwell
    assert EU868.max_uplink_us is None
    assert EU868.listen_before_talk is None
    assert EU868.max_adr_data_rate == 5
