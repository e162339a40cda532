"""Energy by state under named profiles."""

from __future__ import annotations

import pytest

from simulators.devices.lorawan.energy import PROFILES, Energy, transmit_current_ma


@pytest.mark.parametrize(
    ("profile", "power_dbm", "current_ma"),
    [
        ("sx1272", 14, 44),
        ("sx1272", -2, 22),
        ("sx1272", 20, 125),
        ("sx1272", -10, 22),
        ("sx1272", 30, 125),
        ("sx1272", 14.5, 63),
        ("sx1276", 10, 24.5),
        ("sx1262", 22, 118),
    ],
)
def test_a_transmitter_draws_what_its_power_costs(
    profile: str, power_dbm: float, current_ma: float
) -> None:
    assert transmit_current_ma(PROFILES[profile], power_dbm) == current_ma


def test_an_hour_is_accounted_by_state() -> None:
    energy = Energy(PROFILES["sx1272"], since_us=1_000_000)
    energy.transmitted(2_000_000, 14)
    energy.receive_us += 3_000_000
    energy.standby_us += 1_000_000

    report = energy.report(3_601_000_000)

    assert report[:4] == (3594, 1, 3, 2)
    mas = 2 * 44 + 3 * 11.2 + 1 * 1.4 + 3594 * 0.0015
    assert report.charge_mah == pytest.approx(mas / 3600)
    assert report.energy_j == pytest.approx(mas * 3.0 / 1000)


def test_an_open_window_counts_as_far_as_it_has_come() -> None:
    energy = Energy(PROFILES["sx1272"])
    energy.listening_from_us = 1_000_000
    before, during = energy.report(500_000), energy.report(3_000_000)
    energy.listened(4_000_000)

    after = energy.report(5_000_000)

    assert [each.receive_s for each in (before, during, after)] == [0, 2, 3]


def test_lorasim_counts_the_same_for_a_transmission() -> None:
    """LoRaSim: 1 318 912 µs (SF12, 20 bytes) at 14 dBm, 44 mA and 3 V are 0.174 J."""
    energy = Energy(PROFILES["sx1272"])

    energy.transmitted(1_318_912, 14)

    assert round(energy.report(1_318_912).energy_j, 6) == 0.174096
