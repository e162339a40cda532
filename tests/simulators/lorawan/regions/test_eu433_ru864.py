"""EU433 and RU864-870 as published: LoRaWAN 1.0.3 Regional Parameters; RP002-1.0.4."""

from __future__ import annotations

import pytest

from simulators.lorawan.modulation import Fsk, Lora
from simulators.lorawan.regions import region
from simulators.lorawan.regions.region import Region

EU433 = region("EU433")
RU864 = region("RU864")


@pytest.mark.parametrize("found", [EU433, RU864], ids=lambda found: found.name)
def test_both_have_the_data_rates_of_eu868(found: Region) -> None:
    rows = [row and (row.modulation, row.max_payload) for row in found.data_rates]

    assert rows == [
        (Lora(12, 125_000), 51),
        (Lora(11, 125_000), 51),
        (Lora(10, 125_000), 51),
        (Lora(9, 125_000), 115),
        (Lora(8, 125_000), 242),
        (Lora(7, 125_000), 242),
        (Lora(7, 250_000), 242),
        (Fsk(50_000), 242),
    ]
    assert found.rx1_table[7] == (7, 6, 5, 4, 3, 2)


def test_eu433() -> None:
    assert EU433.uplink_channels == (
        (433_175_000, 0, 5),
        (433_375_000, 0, 5),
        (433_575_000, 0, 5),
    )
    assert EU433.rx2 == (434_665_000, 0)
    powers = [EU433.tx_power_dbm(index) for index in range(6)]
    assert powers == pytest.approx([12.15, 10.15, 8.15, 6.15, 4.15, 2.15])
    assert len(EU433.tx_power_offsets_db) == 6
    assert EU433.class_b.beacon == (3, (434_665_000,))
    assert EU433.class_b.ping_slots == (3, (434_665_000,))
    assert EU433.sub_band(433_175_000).duty_cycle_divisor == 100
    assert not EU433.accepts_frequency(434_800_000)


def test_ru864() -> None:
    assert RU864.uplink_channels == ((868_900_000, 0, 5), (869_100_000, 0, 5))
    assert RU864.rx2 == (869_100_000, 0)
    assert [RU864.tx_power_dbm(index) for index in (0, 7)] == [16, 2]
    assert RU864.class_b.beacon == (3, (869_100_000,))
    assert RU864.class_b.ping_slots == (3, (868_900_000,))
    assert RU864.sub_band(868_900_000).duty_cycle_divisor == 100
    assert RU864.cf_list_channels([866_100_000, 0, 864_100_000]) == {
        2: (866_100_000, 0, 5),
        4: (864_100_000, 0, 5),
    }
