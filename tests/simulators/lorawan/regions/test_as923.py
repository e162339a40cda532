"""AS923 as published: LoRaWAN 1.0.2 and 1.0.3 Regional Parameters; RP002-1.0.4, AS923."""

from __future__ import annotations

import pytest

from simulators.lorawan.modulation import Fsk, Lora
from simulators.lorawan.regions import region
from simulators.lorawan.regions.phy_version import PhyVersion

AS923 = region("AS923-1")


@pytest.mark.parametrize(
    ("name", "first_hz", "second_hz"),
    [
        ("AS923-1", 923_200_000, 923_400_000),
        ("AS923-2", 921_400_000, 921_600_000),
        ("AS923-3", 916_600_000, 916_800_000),
        ("AS923-4", 917_300_000, 917_500_000),
    ],
)
def test_frequencies(name: str, first_hz: int, second_hz: int) -> None:
    found = region(name)
    assert found.uplink_channels == ((first_hz, 0, 5), (second_hz, 0, 5))
    assert found.rx2 == (first_hz, 2)
    assert found.class_b.beacon == (3, (second_hz,))
    assert found.class_b.ping_slots == (3, (second_hz,))
    assert found.join_channels == (
        (0, first_hz, 2, 5, first_hz, (first_hz, 2)),
        (1, second_hz, 2, 5, second_hz, (first_hz, 2)),
    )


@pytest.mark.parametrize(
    ("name", "inside_hz", "outside_hz"),
    [
        ("AS923-1", 915_100_000, 928_000_000),
        ("AS923-2", 920_200_000, 923_000_000),
        ("AS923-3", 920_900_000, 921_100_000),
        ("AS923-4", 919_900_000, 916_900_000),
        ("AS923-1-JP", 920_600_000, 920_500_000),
    ],
)
def test_bands(name: str, inside_hz: int, outside_hz: int) -> None:
    assert region(name).accepts_frequency(inside_hz)
    assert not region(name).accepts_frequency(outside_hz)
    assert region(name).sub_band(inside_hz).duty_cycle_divisor == 100


def test_data_rates() -> None:
    rows = [
        row and (row.modulation, row.max_payload, row.max_payload_dwell) for row in AS923.data_rates
    ]

    assert rows == [
        (Lora(12, 125_000), 51, None),
        (Lora(11, 125_000), 51, None),
        (Lora(10, 125_000), 115, 11),
        (Lora(9, 125_000), 115, 53),
        (Lora(8, 125_000), 242, 125),
        (Lora(7, 125_000), 242, 242),
        (Lora(7, 250_000), 242, 242),
        (Fsk(50_000), 242, 242),
    ]


def test_dr2_carries_more_since_rp002_1_0_1() -> None:
    assert region("AS923", PhyVersion.RP002_V1_0_0).max_payload(2) == 51
    assert region("AS923", PhyVersion.RP002_V1_0_1).max_payload(2) == 115


def test_rx1_without_dwell_time() -> None:
    assert AS923.rx1_table == (
        (0, 0, 0, 0, 0, 0, 1, 2),
        (1, 0, 0, 0, 0, 0, 2, 3),
        (2, 1, 0, 0, 0, 0, 3, 4),
        (3, 2, 1, 0, 0, 0, 4, 5),
        (4, 3, 2, 1, 0, 0, 5, 6),
        (5, 4, 3, 2, 1, 0, 6, 7),
        (6, 5, 4, 3, 2, 1, 7, 7),
        (7, 6, 5, 4, 3, 2, 7, 7),
    )


def test_rx1_with_dwell_time_never_falls_below_dr2() -> None:
    assert AS923.rx1_dwell_table == (
        (2, 2, 2, 2, 2, 2, 2, 2),
        (2, 2, 2, 2, 2, 2, 2, 3),
        (2, 2, 2, 2, 2, 2, 3, 4),
        (3, 2, 2, 2, 2, 2, 4, 5),
        (4, 3, 2, 2, 2, 2, 5, 6),
        (5, 4, 3, 2, 2, 2, 6, 7),
        (6, 5, 4, 3, 2, 2, 7, 7),
        (7, 6, 5, 4, 3, 2, 7, 7),
    )
    assert AS923.rx1_data_rate(2, 1) == 1
    assert AS923.rx1_data_rate(2, 1, downlink_dwell=True) == 2


def test_before_rp002_rx1_never_rose_above_dr5() -> None:
    old = region("AS923", PhyVersion.PHY_V1_0_3_REV_A)
    assert old.rx1_table[4:] == (
        (4, 3, 2, 1, 0, 0, 5, 5),
        (5, 4, 3, 2, 1, 0, 5, 5),
        (5, 5, 4, 3, 2, 1, 5, 5),
        (5, 5, 5, 4, 3, 2, 5, 5),
    )


@pytest.mark.parametrize(
    ("version", "max_eirp_dbm", "last", "downlink_dwell"),
    [
        (PhyVersion.PHY_V1_0_2_REV_A, 14.0, 5, False),
        (PhyVersion.PHY_V1_0_2_REV_B, 16.0, 7, True),
        (PhyVersion.PHY_V1_0_3_REV_A, 16.0, 7, False),
        (PhyVersion.RP002_V1_0_4, 16.0, 7, False),
    ],
)
def test_what_versions_changed(
    version: PhyVersion, max_eirp_dbm: float, last: int, downlink_dwell: bool
) -> None:
    found = region("AS923", version)
    assert found.max_eirp_dbm == max_eirp_dbm
    assert found.tx_power_offsets_db == tuple(range(0, -2 * last - 1, -2))
    assert found.default_uplink_dwell
    assert found.default_downlink_dwell is downlink_dwell


def test_the_network_may_set_power_and_dwell_time() -> None:
    assert AS923.has_tx_param_setup
    assert AS923.tx_power_dbm(3, max_eirp_dbm=13.0) == 7.0
    assert AS923.uplink_data_rates(dwell=True) == (2, 3, 4, 5, 6, 7)


def test_japan_listens_before_it_talks() -> None:
    assert region("AS923-1-JP").listen_before_talk == (-80, 5_000)
    assert AS923.listen_before_talk is None


def test_cf_list_follows_the_two_default_channels() -> None:
    assert AS923.cf_list_type == 0
    assert AS923.cf_list_channels([922_000_000, 922_200_000]) == {
        2: (922_000_000, 0, 5),
        3: (922_200_000, 0, 5),
    }
