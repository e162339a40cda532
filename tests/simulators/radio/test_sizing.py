"""Fleets without a MAC: what is drawn, and what a study of them comes to."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest

from simulators.radio import sizing
from simulators.radio.interference import INTERFERENCE_MODELS
from simulators.radio.sensitivity import SENSITIVITIES
from simulators.radio.sizing import Fleet, Outcome, drawn, kinds_of, play
from simulators.radio.vectorised import Resolved
from simulators.randomness import RandomStreams

HOUR_US = 3_600_000_000


def fleet(nodes: int, *, period_us: int = HOUR_US // 3, sigma_db: float = 0.0) -> Fleet:
    factors = np.arange(nodes) % 6 + 7
    levels_dbm = np.linspace(-120, -80, nodes)[np.newaxis, :]
    kinds = kinds_of(factors, 20, SENSITIVITIES["sx1301"])
    return Fleet(kinds, levels_dbm, period_us, channels=8, sigma_db=sigma_db)


def outcome(made: Fleet, periods: int = 24, seed: int = 1, model: str = "lorasim") -> Outcome:
    return play(
        made, periods=periods, model=INTERFERENCE_MODELS[model], streams=RandomStreams(seed)
    )


def test_kinds_hold_airtime_symbol_and_sensitivity_of_each_node() -> None:
    kinds = kinds_of(np.array([7, 12, 7]), 20, SENSITIVITIES["sx1301"])
    assert kinds.code.tolist() == [7, 12, 7]
    assert kinds.airtime_us.tolist() == [56_576, 1_318_912, 56_576]
    assert kinds.symbol_us.tolist() == [1024, 32_768, 1024]
    assert kinds.least_dbm.tolist() == [-130.0, -142.5, -130.0]


def test_a_node_sends_once_in_each_period_and_wholly_within_it() -> None:
    made = fleet(60)
    uplinks = drawn(made, np.random.default_rng(1), 5, 10)
    period = uplinks.start_us // made.period_us
    assert sorted(zip(period.tolist(), uplinks.sender.tolist(), strict=True)) == [
        (number, node) for number in range(5, 15) for node in range(60)
    ]
    ends = uplinks.start_us + made.kinds.airtime_us[uplinks.sender]
    assert np.array_equal((ends - 1) // made.period_us, period)
    assert set(uplinks.channel.tolist()) == set(range(8))


def test_fading_is_drawn_for_each_frame() -> None:
    uplinks = drawn(fleet(100, sigma_db=3.0), np.random.default_rng(1), 0, 50)
    deviations = uplinks.levels_dbm.reshape(50, 100) - np.linspace(-120, -80, 100)
    assert deviations.std() == pytest.approx(3.0, rel=0.05)


def test_the_same_seed_gives_the_same_outcome_and_another_seed_another() -> None:
    made = fleet(600)
    assert outcome(made) == outcome(made)
    assert outcome(made) != outcome(made, seed=2)


def test_an_outcome_names_its_interference_model() -> None:
    assert outcome(fleet(5), model="goursaud").interference == "goursaud"


def test_alike_nodes_without_capture_lose_what_theory_says() -> None:
    """1200 nodes at SF7 on one channel: each meets 1199 others by 2 r."""
    nodes, period_us = 1200, 600_000_000
    kinds = kinds_of(np.full(nodes, 7), 20, SENSITIVITIES["sx1301"])
    made = Fleet(kinds, np.full((1, nodes), -100.0), period_us, channels=1)
    found = outcome(made, periods=100, model="aloha")
    expected = math.exp(-2 * (nodes - 1) * 56_576 / period_us)
    sigma = math.sqrt(expected * (1 - expected) / found.sent)
    assert found.sent == 120_000
    assert found.der == pytest.approx(expected, abs=3 * 1.5 * sigma)


def test_a_second_gateway_and_more_demodulators_do_not_harm() -> None:
    made = fleet(3000)
    near_both = made._replace(levels_dbm=np.vstack([made.levels_dbm, made.levels_dbm[:, ::-1]]))

    def der(each: Fleet, demodulators: int | None) -> float:
        return play(
            each,
            periods=3,
            model=INTERFERENCE_MODELS["goursaud"],
            streams=RandomStreams(1),
            demodulators=demodulators,
        ).der

    assert der(made, 1) < der(made, 8) <= der(made, None) < der(near_both, None)


def test_windows_are_seen_by_whoever_asks() -> None:
    seen: list[Resolved] = []
    made = fleet(100)
    found = play(
        made,
        periods=400,
        model=INTERFERENCE_MODELS["lorasim"],
        streams=RandomStreams(1),
        on_window=seen.append,
    )
    assert len(seen) == math.ceil(400 / (sizing.WINDOW_UPLINKS // 100))
    assert sum(each.sent for each in seen) == found.sent == 40_000
    assert sum(each.delivered for each in seen) == found.delivered


def test_memory_stays_flat() -> None:
    """Ten times the time takes no more memory."""
    made = fleet(2000)
    most = []
    for periods in (16, 160):
        tracemalloc.start()
        outcome(made, periods=periods)
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < 1.2 * most[0]


def test_a_period_shorter_than_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a period above 1318912 µs; got 1000000"):
        outcome(fleet(6, period_us=1_000_000))
