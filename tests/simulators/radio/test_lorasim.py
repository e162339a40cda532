"""LoRaSim's experiments against what LoRaSim comes to; the whole grid is in docs/radio.md."""

from __future__ import annotations

import math
from statistics import fmean

import pytest

from simulators.lorawan.modulation import Lora
from simulators.radio.lorasim import Row, run
from simulators.radio.lorasim_reference import measured, theory
from simulators.radio.lorasim_setting import (
    EXPERIMENTS,
    Field,
    airtime_us,
    current_ma,
)
from simulators.randomness import RandomStreams

TEN_TO_THE_8_MS = 100_000_000


def rows(
    experiment: int, nodes: int, model: str, *, seeds: tuple[int, ...] = (1, 2, 3)
) -> list[Row]:
    return [
        run(experiment, nodes, model=model, gateways=1, duration_ms=TEN_TO_THE_8_MS, seed=seed)
        for seed in seeds
    ]


@pytest.mark.parametrize(
    ("experiment", "nodes", "der", "within"),
    [
        (0, 50, 0.874, 0.03),
        (0, 200, 0.585, 0.015),
        (0, 400, 0.351, 0.015),
        (4, 100, 0.812, 0.03),
        (4, 200, 0.665, 0.015),
        (4, 400, 0.444, 0.015),
        (1, 120, 0.896, 0.015),
    ],
)
def test_with_capture_as_much_arrives_as_in_lorasim(
    experiment: int, nodes: int, der: float, within: float
) -> None:
    assert fmean(row.der for row in rows(experiment, nodes, "full")) == pytest.approx(
        der, abs=within
    )


@pytest.mark.parametrize(
    ("experiment", "nodes", "expected"),
    [(0, 100, 0.7129), (0, 400, 0.2557), (4, 50, 0.8789), (4, 400, 0.3496)],
)
def test_without_capture_it_is_pure_aloha(experiment: int, nodes: int, expected: float) -> None:
    """Within three sigma, times 1.5 as losses come in pairs."""
    found = rows(experiment, nodes, "simple")
    sent = sum(row.sent for row in found)
    delivered = sum(row.der * row.sent for row in found)
    sigma = math.sqrt(expected * (1 - expected) / sent)
    assert delivered / sent == pytest.approx(expected, abs=3 * 1.5 * sigma)
    assert theory(experiment, "simple", 1, nodes) == pytest.approx(expected, abs=0.0001)


def test_rates_that_fit_the_distance_carry_many_more_nodes() -> None:
    """Experiment 3 at 1600 nodes, where experiment 4 delivers 8 %."""
    (row,) = rows(3, 1600, "full", seeds=(1,))
    assert row.der == pytest.approx(measured(3, "full", 1)[1600], abs=0.005)


def test_less_power_costs_less_energy() -> None:
    (loud,) = rows(3, 100, "full", seeds=(1,))
    (quiet,) = rows(5, 100, "full", seeds=(1,))
    assert quiet.sent == pytest.approx(loud.sent, rel=0.001)
    assert quiet.energy_j < 0.9 * loud.energy_j


def test_energy_is_airtime_times_44_ma_times_3_v() -> None:
    (row,) = rows(4, 50, "full", seeds=(1,))
    assert row.energy_j == pytest.approx(row.sent * 1.318912 * 0.044 * 3.0)


def test_more_gateways_deliver_more() -> None:
    ders = [
        run(0, 200, model="full", gateways=many, duration_ms=10_000_000, seed=1).der
        for many in (2, 4, 24)
    ]
    assert ders == sorted(ders)
    assert ders[-1] - ders[0] > 0.1


def test_the_same_seed_gives_the_same_row_and_another_seed_another() -> None:
    one, again, other = (
        run(4, 50, model="full", gateways=1, duration_ms=10_000_000, seed=seed)
        for seed in (1, 1, 2)
    )
    assert one == again
    assert one.sent != other.sent


def test_nobody_sends_in_no_time() -> None:
    assert run(4, 5, model="full", gateways=1, duration_ms=1, seed=1) == Row(5, 1, 0, 0.0, 0.0)


def test_a_layout_that_lorasim_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="among 1, 2, 3, 4, 6, 8, 24; got 5"):
        Field(EXPERIMENTS[0], 5)


@pytest.mark.parametrize(
    ("experiment", "metres"), [(0, 99.0), (1, 99.0), (2, 37.4), (3, 110.3), (4, 99.0), (5, 110.3)]
)
def test_radius_is_lorasims(experiment: int, metres: float) -> None:
    assert EXPERIMENTS[experiment].radius_m == pytest.approx(metres, abs=0.05)


@pytest.mark.parametrize(
    ("modulation", "microseconds"),
    [
        (Lora(12, 125_000, "4/8"), 1_712_128),
        (Lora(12, 125_000), 1_318_912),
        (Lora(12, 250_000), 659_456),
        (Lora(6, 500_000), 7_072),
    ],
)
def test_frames_last_as_long_as_lorasims(modulation: Lora, microseconds: int) -> None:
    assert airtime_us(modulation) == microseconds


@pytest.mark.parametrize(("dbm", "milliamperes"), [(-2, 22), (2, 24), (14, 44), (20, 125)])
def test_current_is_lorasims(dbm: int, milliamperes: int) -> None:
    assert current_ma(dbm) == milliamperes


def test_nodes_of_one_seed_stand_on_the_disc_and_stay_when_more_come() -> None:
    def placed(nodes: int) -> list[tuple[float, ...]]:
        field, rng = Field(EXPERIMENTS[4], 1), RandomStreams(1).stream("places")
        return [field.place(rng).levels_dbm for _ in range(nodes)]

    few, many = placed(50), placed(400)
    assert many[:50] == few
    edge_dbm = 14 - 127.41 - 20.8 * math.log10(99.0 / 40)
    assert min(level for (level,) in many) > edge_dbm
    # Uniform on a disc: half of the nodes within 1 / sqrt(2) of the radius.
    middle_dbm = 14 - 127.41 - 20.8 * math.log10(99.0 / math.sqrt(2) / 40)
    assert sum(level > middle_dbm for (level,) in many) == pytest.approx(200, abs=40)
