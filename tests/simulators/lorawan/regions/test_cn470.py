"""
CN470-510: the 96 channels of LoRaWAN 1.0.3 Regional Parameters, and the four plans of RP002.

The plans as RP002-1.0.1 and LoRaMac-node have them; DR3's limit by version as ChirpStack has it.
"""

from __future__ import annotations

import pytest

from simulators.lorawan.modulation import Fsk, Lora
from simulators.lorawan.regions import region
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import Region

CN470 = region("CN470")
A20, B20 = region("CN470-20A"), region("CN470-20B")
A26, B26 = region("CN470-26A"), region("CN470-26B")
PLANS = (A20, B20, A26, B26)


def test_96_channels_answered_in_48() -> None:
    channels = CN470.uplink_channels
    assert len(channels) == 96
    assert channels[0] == (470_300_000, 0, 5)
    assert channels[95] == (489_300_000, 0, 5)
    assert CN470.rx1_frequency_hz(0, 470_300_000) == 500_300_000
    assert CN470.rx1_frequency_hz(47, 479_700_000) == 509_700_000
    assert CN470.rx1_frequency_hz(48, 479_900_000) == 500_300_000
    assert CN470.join_channels[50] == (50, 480_300_000, 0, 5, 500_700_000, (505_300_000, 0))
    assert CN470.rx2 == (505_300_000, 0)


def test_96_channels_data_rates() -> None:
    rows = [row and (row.modulation, row.max_payload) for row in CN470.data_rates]
    assert rows == [
        (Lora(12, 125_000), 51),
        (Lora(11, 125_000), 51),
        (Lora(10, 125_000), 51),
        (Lora(9, 125_000), 115),
        (Lora(8, 125_000), 242),
        (Lora(7, 125_000), 242),
    ]
    assert CN470.rx1_table[5] == (5, 4, 3, 2, 1, 0)


@pytest.mark.parametrize(
    ("control", "ch_mask", "then"),
    [
        (0, 0x0003, 0b11),
        (5, 0x8000, 1 << 95),
        (6, 0x0000, (1 << 96) - 1),
        (7, 0x0001, None),
    ],
)
def test_96_channels_masks(control: int, ch_mask: int, then: int | None) -> None:
    assert CN470.ch_mask(0, control, ch_mask, CN470.all_channels) == then


def test_96_channels_power_and_cf_list_by_version() -> None:
    old = region("CN470", PhyVersion.PHY_V1_0_2_REV_A)
    powers = [old.tx_power_dbm(index) for index in range(8)]
    assert powers == [17, 16, 14, 12, 10, 7, 5, 2]
    assert CN470.tx_power_dbm(7) == pytest.approx(5.15)
    assert region("CN470", PhyVersion.PHY_V1_0_2_REV_B).cf_list_type is None
    assert region("CN470", PhyVersion.PHY_V1_1_REV_A).cf_list_type == 1


def test_96_channels_class_b() -> None:
    assert CN470.beacon_layout == (3, 1)
    assert CN470.beacon_layout.size == 19
    assert CN470.beacon_frequency_hz(0) == 508_300_000
    assert CN470.beacon_frequency_hz(128 * 15) == 509_700_000


# The 20 common join channels: plan, frequency, RX1, RX2.
JOINS = [
    (A20, 470_900_000, 484_500_000, 485_300_000),
    (A20, 472_500_000, 486_100_000, 486_900_000),
    (A20, 474_100_000, 487_700_000, 488_500_000),
    (A20, 475_700_000, 489_300_000, 490_100_000),
    (A20, 504_100_000, 490_900_000, 491_700_000),
    (A20, 505_700_000, 492_500_000, 493_300_000),
    (A20, 507_300_000, 494_100_000, 494_900_000),
    (A20, 508_900_000, 495_700_000, 496_500_000),
    (B20, 479_900_000, 479_900_000, 478_300_000),
    (B20, 499_900_000, 499_900_000, 498_300_000),
    (A26, 470_300_000, 492_500_000, 492_500_000),
    (A26, 472_300_000, 492_500_000, 492_500_000),
    (A26, 474_300_000, 492_500_000, 492_500_000),
    (A26, 476_300_000, 492_500_000, 492_500_000),
    (A26, 478_300_000, 492_500_000, 492_500_000),
    (B26, 480_300_000, 502_500_000, 502_500_000),
    (B26, 482_300_000, 502_500_000, 502_500_000),
    (B26, 484_300_000, 502_500_000, 502_500_000),
    (B26, 486_300_000, 502_500_000, 502_500_000),
    (B26, 488_300_000, 502_500_000, 502_500_000),
]


def test_20_common_join_channels() -> None:
    joins = [
        (plan, each.frequency_hz, each.rx1_frequency_hz, each.rx2.frequency_hz)
        for plan in PLANS
        for each in plan.join_channels
    ]
    assert joins == JOINS
    assert {each.min_data_rate for plan in PLANS for each in plan.join_channels} == {1}


def test_after_a_join_its_channel_decides_rx2() -> None:
    for plan in PLANS:
        for each in plan.join_channels:
            assert plan.joined(each.channel).rx2 == each.rx2
            assert plan.joined(each.channel).name == plan.name


def test_a_device_without_join_has_an_rx2_too() -> None:
    rx2 = [plan.rx2 for plan in PLANS]
    assert rx2 == [(486_900_000, 1), (498_300_000, 1), (492_500_000, 1), (502_500_000, 1)]


@pytest.mark.parametrize(
    ("plan", "channel", "uplink_hz", "rx1_hz"),
    [
        (A20, 0, 470_300_000, 483_900_000),
        (A20, 31, 476_500_000, 490_100_000),
        (A20, 32, 503_500_000, 490_300_000),
        (A20, 63, 509_700_000, 496_500_000),
        (B20, 0, 476_900_000, 476_900_000),
        (B20, 32, 496_900_000, 496_900_000),
        (B20, 63, 503_100_000, 503_100_000),
        (A26, 0, 470_300_000, 490_100_000),
        (A26, 24, 475_100_000, 490_100_000),
        (A26, 47, 479_700_000, 494_700_000),
        (B26, 0, 480_300_000, 500_100_000),
        (B26, 47, 489_700_000, 504_700_000),
    ],
)
def test_plan_channels(plan: Region, channel: int, uplink_hz: int, rx1_hz: int) -> None:
    assert plan.uplink_channels[channel].frequency_hz == uplink_hz
    assert plan.rx1_frequency_hz(channel, uplink_hz) == rx1_hz


def test_plan_sizes() -> None:
    assert [len(plan.uplink_channels) for plan in PLANS] == [64, 64, 48, 48]
    assert [len(plan.downlink_hz) for plan in PLANS] == [64, 64, 24, 24]


@pytest.mark.parametrize(
    ("version", "limit"),
    [
        (PhyVersion.RP002_V1_0_1, 164),
        (PhyVersion.RP002_V1_0_2, 184),
        (PhyVersion.RP002_V1_0_4, 184),
    ],
)
def test_plan_data_rates(version: PhyVersion, limit: int) -> None:
    rows = [
        row and (row.modulation, row.max_payload) for row in region("CN470-20A", version).data_rates
    ]
    assert rows == [
        None,
        (Lora(11, 125_000), 23),
        (Lora(10, 125_000), 86),
        (Lora(9, 125_000), limit),
        (Lora(8, 125_000), 242),
        (Lora(7, 125_000), 242),
        (Lora(7, 500_000), 242),
        (Fsk(50_000), 242),
    ]


def test_plan_rx1_never_falls_below_dr1() -> None:
    assert A20.rx1_table == (
        (),
        (1, 1, 1, 1, 1, 1),
        (2, 1, 1, 1, 1, 1),
        (3, 2, 1, 1, 1, 1),
        (4, 3, 2, 1, 1, 1),
        (5, 4, 3, 2, 1, 1),
        (6, 5, 4, 3, 2, 1),
        (7, 6, 5, 4, 3, 2),
    )


def test_rp002_1_0_0_still_had_dr0() -> None:
    first = region("CN470-26B", PhyVersion.RP002_V1_0_0)
    assert first.rx2 == (502_500_000, 0)
    assert first.max_payload(0) == 51
    assert first.rx1_data_rate(1, 1) == 0


@pytest.mark.parametrize(
    ("name", "control", "ch_mask", "then"),
    [
        ("CN470-20A", 3, 0x8001, 1 << 63 | 1 << 48),
        ("CN470-20A", 4, 0x0001, None),
        ("CN470-20B", 6, 0, (1 << 64) - 1),
        ("CN470-20B", 7, 0xFFFF, 0),
        ("CN470-26A", 2, 0x8000, 1 << 47),
        ("CN470-26A", 3, 0, (1 << 48) - 1),
        ("CN470-26B", 4, 0xFFFF, 0),
        ("CN470-26B", 6, 0xFFFF, None),
    ],
)
def test_plan_masks(name: str, control: int, ch_mask: int, then: int | None) -> None:
    plan = region(name)
    assert plan.ch_mask(0, control, ch_mask, plan.all_channels) == then


def test_plan_class_b_follows_the_join_channel() -> None:
    seventh = A20.joined(51)
    assert seventh.beacon_frequency_hz(128 * 2) == 493_900_000
    assert seventh.ping_slot_frequency_hz("00000001", 0) == 493_700_000
    assert B20.joined(15).beacon_frequency_hz(128 * 5) == 481_500_000
    assert B20.joined(47).beacon_frequency_hz(128 * 5) == 501_500_000
    assert B20.joined(47).ping_slot_frequency_hz("0000001f", 0) == 503_100_000
    assert A26.beacon_frequency_hz(0) == A26.ping_slot_frequency_hz("00000001", 0) == 494_900_000
    assert B26.beacon_frequency_hz(0) == 504_900_000
