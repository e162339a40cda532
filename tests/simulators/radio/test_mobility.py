"""Positions as functions of time."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from simulators.radio.mobility import RandomWaypoint, Route, Still
from simulators.randomness import RandomStreams


def walk() -> RandomWaypoint:
    rng = RandomStreams(1).stream("walk")
    return RandomWaypoint(rng, width_m=500, height_m=200, speed_m_per_s=(1.0, 2.0), up_m=3.0)


def test_who_stands_still_is_always_there() -> None:
    assert Still((1.0, 2.0, 3.0)).position(10**12) == (1.0, 2.0, 3.0)


def test_a_route_is_straight_between_stops_and_stays_at_its_ends() -> None:
    route = Route([(1000, (0.0, 0.0, 0.0)), (3000, (10.0, 20.0, 0.0)), (4000, (10.0, 0.0, 0.0))])
    places = [route.position(at_us) for at_us in (0, 1000, 1500, 3000, 3500, 9000)]
    assert places == [
        (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (2.5, 5.0, 0.0), (10.0, 20.0, 0.0), (10.0, 10.0, 0.0),
        (10.0, 0.0, 0.0),
    ]  # fmt: skip


@pytest.mark.parametrize("times", [[], [2, 1], [1, 1]])
def test_stops_out_of_order_are_refused(times: list[int]) -> None:
    with pytest.raises(ValueError, match="ascending order of time"):
        Route([(at_us, (0.0, 0.0, 0.0)) for at_us in times])


def test_a_random_walk_is_the_same_in_whatever_order_it_is_asked() -> None:
    times = [7_200_000_000, 0, 60_000_000, 3_600_000_000]
    one, other = walk(), walk()
    assert {at: one.position(at) for at in times} == {
        at: other.position(at) for at in sorted(times)
    }


def test_a_random_walk_keeps_to_its_rectangle_and_speed() -> None:
    places = [walk_.position(second * 1_000_000) for walk_ in [walk()] for second in range(3600)]
    assert all(0 <= x <= 500 and 0 <= y <= 200 and z == 3.0 for x, y, z in places)
    steps = [math.dist(one, other) for one, other in pairwise(places)]
    assert max(steps) <= 2.0 + 1e-9
    assert 0.9 < sum(steps) / len(steps) < 2.0
