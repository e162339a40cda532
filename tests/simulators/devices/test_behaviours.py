"""How quantities move: exact values where there is no chance, bounds and seeds where there is."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.devices import behaviours
from simulators.devices.behaviours import Behaviour
from simulators.devices.options import FleetError
from simulators.devices.replay import replay

HOUR_US = 3_600_000_000
seeds = st.integers(min_value=0, max_value=2**32)


def samples(behaviour: Behaviour, count: int, gap_us: int = HOUR_US) -> list[Any]:
    return [behaviour(number * gap_us) for number in range(count)]


def rng(seed: int = 1) -> random.Random:
    return random.Random(seed)


def test_constant_is_of_any_type() -> None:
    assert samples(behaviours.constant(rng(), value={"a": [1]}), 2) == [{"a": [1]}] * 2


def test_diurnal_has_its_top_and_bottom_twelve_hours_apart() -> None:
    day = samples(behaviours.diurnal(rng(), mean=20, amplitude=4, peak_hour=15), 24)

    assert (day[15], day[3], day[9], day[21]) == (24.0, 16.0, 20.0, 20.0)
    assert max(day) == 24.0
    assert min(day) == 16.0


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_a_random_walk_stays_within_its_step_and_bounds(seed: int) -> None:
    walk = samples(behaviours.random_walk(rng(seed), start=5, step=2, low=0, high=10), 200)

    assert all(0 <= value <= 10 for value in walk)
    assert all(abs(b - a) <= 2.011 for a, b in itertools.pairwise(walk))
    assert len(set(walk)) > 50


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_steps_hold_a_level_for_a_while(seed: int) -> None:
    values = samples(behaviours.steps(rng(seed), levels=[4, 60, 900], hold_s=600), 2000, 10_000_000)

    changes = sum(a != b for a, b in itertools.pairwise(values))
    assert set(values) == {4, 60, 900}
    assert 5 <= changes <= 60  # about two thirds of 20000 s / 600 s


def test_a_counter_never_falls() -> None:
    counts = samples(behaviours.counter(rng(), start=7, most=5), 100)

    assert counts == sorted(counts)
    assert 7 <= counts[0] <= 12
    assert counts[-1] > 100


def table(folder: Path, text: str) -> str:
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_replay_takes_row_after_row(tmp_path: Path) -> None:
    file = table(tmp_path, "value\n20\n20.5\nwarm\n")

    assert samples(replay(rng(), file=file), 5) == [20, 20.5, "warm", 20, 20.5]
    assert samples(replay(rng(), file=file, repeat=False), 5) == [20, 20.5, "warm", "warm", "warm"]


def test_replay_in_time_holds_a_row_until_the_next(tmp_path: Path) -> None:
    file = table(tmp_path, "t,temperature\n0,1\n10,2\n30,3\n")
    options = {"file": file, "column": "temperature", "time_column": "t"}

    values = samples(replay(rng(), **options), 11, 5_000_000)
    once = samples(replay(rng(), **options, repeat=False), 12, 5_000_000)

    # Rows at 0, 10 and 30 s; the last one lasts a mean gap of 15 s, then it begins again.
    assert values == [1, 1, 2, 2, 2, 2, 3, 3, 3, 1, 1]
    assert once == [1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("valeu\n1\n", {}, "column must be one of valeu; got 'value'; did you mean 'valeu'"),
        ("value\n", {}, "rows.csv:2: expected rows; got none"),
        ("value,t\n1,0\n2,x\n", {"time_column": "t"}, "rows.csv:3: expected ascending seconds"),
        ("value,t\n1,5\n2,4\n", {"time_column": "t"}, "rows.csv:3: expected ascending seconds"),
        ("value,t\n1,0\n2\n", {"time_column": "t"}, "rows.csv:3: expected ascending seconds"),
    ],
)
def test_a_bad_file_is_told(
    tmp_path: Path, text: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(FleetError, match=message):
        replay(rng(), file=table(tmp_path, text), **options)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="No such file"):
        replay(rng(), file=str(tmp_path / "none.csv"))
