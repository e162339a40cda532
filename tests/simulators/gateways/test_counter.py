"""A concentrator's counter: exact in both directions, for any drift and any length of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.gateways.counter import WRAP, Counter

DAY_US = 86_400_000_000


@pytest.mark.parametrize(
    ("drift_ppm", "count"),
    [(0.0, DAY_US), (10.0, 86_400_864_000), (-2.5, 86_399_784_000), (0.001, 86_400_000_086)],
)
def test_a_day_of_drift(drift_ppm: float, count: int) -> None:
    assert Counter(drift_ppm=drift_ppm).count(DAY_US) == count


@given(
    st.floats(-200, 200), st.integers(0, WRAP - 1), st.integers(0, 366 * DAY_US), st.integers(0, 10)
)
def test_a_moment_and_its_stamp_belong_together(
    drift_ppm: float, start: int, at_us: int, later: int
) -> None:
    counter = Counter(start=start, drift_ppm=drift_ppm)
    count = counter.count(at_us) + later
    found = counter.at_us(count)
    assert counter.count(found - 1) < count <= counter.count(found)
    if later == 0:
        assert found <= at_us


@pytest.mark.parametrize(
    ("tmst", "ahead_us"),
    [(0, 1), (1_000_000, 1_000_001), (WRAP - 1, 0), (WRAP - 1_000_000, -999_999)],
)
def test_a_stamp_means_the_nearest_moment(tmst: int, ahead_us: int) -> None:
    """Also where it has wrapped in between."""
    counter = Counter(start=5)
    at_us = 3 * WRAP - 6  # the counter shows 3 * 2^32 - 1
    assert counter.count_of(tmst, at_us) == counter.count(at_us) + ahead_us
