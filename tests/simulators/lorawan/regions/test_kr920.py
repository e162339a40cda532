"""KR920-923 as published: LoRaWAN 1.0.2 and 1.0.3 Regional Parameters; listening: LoRaMac-node."""

from __future__ import annotations

import pytest

from simulators.lorawan.modulation import Lora
from simulators.lorawan.regions import region
from simulators.lorawan.regions.phy_version import PhyVersion

KR920 = region("KR920")


def test_data_rates() -> None:
    rows = [row and (row.modulation, row.max_payload) for row in KR920.data_rates]

    assert rows == [
        (Lora(12, 125_000), 51),
        (Lora(11, 125_000), 51),
        (Lora(10, 125_000), 51),
        (Lora(9, 125_000), 115),
        (Lora(8, 125_000), 242),
        (Lora(7, 125_000), 242),
    ]


def test_channels_and_windows() -> None:
    assert [each.frequency_hz for each in KR920.uplink_channels] == [
        922_100_000,
        922_300_000,
        922_500_000,
    ]
    assert KR920.rx2 == (921_900_000, 0)
    assert KR920.rx1_table[5] == (5, 4, 3, 2, 1, 0)
    assert KR920.join_channels[2] == (2, 922_500_000, 0, 5, 922_500_000, (921_900_000, 0))


@pytest.mark.parametrize(
    ("index", "frequency_hz", "power"),
    [(0, 922_100_000, 14), (7, 922_100_000, 0), (0, 921_900_000, 10), (1, 921_500_000, 10),
     (3, 921_500_000, 8)],
)  # fmt: skip
def test_power_is_10_dbm_at_most_below_922_mhz(index: int, frequency_hz: int, power: float) -> None:
    assert KR920.tx_power_dbm(index, frequency_hz=frequency_hz) == power


def test_older_versions_had_another_list_of_powers() -> None:
    old = region("KR920", PhyVersion.PHY_V1_0_2_REV_A)
    powers = [old.tx_power_dbm(index) for index in range(7)]
    assert powers == [20, 14, 10, 8, 5, 2, 0]


def test_a_channel_has_to_be_free() -> None:
    assert KR920.listen_before_talk == (-65, 6_000)
    assert KR920.sub_band(922_100_000).duty_cycle_divisor == 1


def test_class_b() -> None:
    assert KR920.class_b.beacon == (3, (923_100_000,))
    assert KR920.class_b.ping_slots == (3, (923_100_000,))
