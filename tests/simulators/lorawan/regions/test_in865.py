"""IN865-867 as published: LoRaWAN 1.0.3 Regional Parameters; RP002-1.0.1, as in LoRaMac-node."""

from __future__ import annotations

import pytest

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.modulation import Fsk, Lora
from simulators.lorawan.regions import region
from simulators.lorawan.regions.phy_version import PhyVersion

IN865 = region("IN865")
RX2 = (866_550_000, 2)


def test_data_rates_step_over_dr6() -> None:
    rows = [row and (row.modulation, row.max_payload) for row in IN865.data_rates]

    assert rows == [
        (Lora(12, 125_000), 51),
        (Lora(11, 125_000), 51),
        (Lora(10, 125_000), 51),
        (Lora(9, 125_000), 115),
        (Lora(8, 125_000), 242),
        (Lora(7, 125_000), 242),
        None,
        (Fsk(50_000), 242),
    ]
    with pytest.raises(LoRaWanError, match="expected a data rate of IN865; got DR6"):
        IN865.data_rate(6)


def test_channels() -> None:
    assert IN865.uplink_channels == (
        (865_062_500, 0, 5),
        (865_402_500, 0, 5),
        (865_985_000, 0, 5),
    )
    assert IN865.join_channels[0] == (0, 865_062_500, 0, 5, 865_062_500, RX2)
    assert IN865.rx2 == RX2


def test_rx1() -> None:
    assert IN865.rx1_table == (
        (0, 0, 0, 0, 0, 0, 1, 2),
        (1, 0, 0, 0, 0, 0, 2, 3),
        (2, 1, 0, 0, 0, 0, 3, 4),
        (3, 2, 1, 0, 0, 0, 4, 5),
        (4, 3, 2, 1, 0, 0, 5, 5),
        (5, 4, 3, 2, 1, 0, 5, 7),
        (),
        (7, 5, 5, 4, 3, 2, 7, 7),
    )
    assert IN865.max_rx1_offset == 7


def test_rx1_before_rp002_ends_at_dr5() -> None:
    old = region("IN865", PhyVersion.PHY_V1_0_3_REV_A)
    assert old.rx1_table[4:] == (
        (4, 3, 2, 1, 0, 0, 5, 5),
        (5, 4, 3, 2, 1, 0, 5, 5),
        (),
        (5, 5, 5, 4, 3, 2, 5, 5),
    )


@pytest.mark.parametrize(("uplink", "offset"), [(6, 0), (5, 8), (8, 0), (-1, 0), (0, -1)])
def test_what_the_table_lacks_is_refused(uplink: int, offset: int) -> None:
    with pytest.raises(LoRaWanError, match=f"RX1DROffset of IN865; got DR{uplink} and {offset}$"):
        IN865.rx1_data_rate(uplink, offset)


def test_power_class_b_and_limits() -> None:
    assert [IN865.tx_power_dbm(index) for index in (0, 10)] == [30, 10]
    assert IN865.class_b.beacon == (4, (866_550_000,))
    assert IN865.beacon_layout == (1, 3)
    assert IN865.beacon_layout.size == 19
    assert IN865.ping_slot_frequency_hz("0314cf36", 1_203_778_364) == 866_550_000
    assert IN865.sub_band(865_062_500).duty_cycle_divisor == 1
