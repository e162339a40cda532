"""Where a node is: position as a function of time, for those that move and those that do not."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

from simulators.radio.transmission import Position


class Mobility(Protocol):
    """A place for every moment; asked in any order, it answers the same."""

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same place at all times."""

    def position(self, at_us: int) -> Position:
        """Metres east, north and up."""


class Still:
    """Stays where it is."""

    __slots__ = ("_position",)
    is_fixed = True

    def __init__(self, position: Position) -> None:
        self._position = position

    def position(self, at_us: int) -> Position:
        """The one place."""
        return self._position


class Route:
    """Straight on from place to place, each with its time; stays at the last one."""

    __slots__ = ("_places", "_times_us")
    is_fixed = False

    def __init__(self, stops: Sequence[tuple[int, Position]]) -> None:
        """
        Args:
            stops: times in µs, ascending, and places.
        Raises:
            ValueError: no stop, or times that do not ascend.
        """
        self._times_us = [at_us for at_us, _ in stops]
        self._places = [place for _, place in stops]
        if not stops or any(
            b <= a for a, b in zip(self._times_us, self._times_us[1:], strict=False)
        ):
            raise ValueError("expected stops in ascending order of time, one at least")

    def position(self, at_us: int) -> Position:
        """Between two stops, the share of the way that the share of the time makes."""
        after = bisect_right(self._times_us, at_us)
        if after == 0:
            return self._places[0]
        if after == len(self._places):
            return self._places[-1]
        begun_us, ends_us = self._times_us[after - 1 : after + 1]
        share = (at_us - begun_us) / (ends_us - begun_us)
        return _between(self._places[after - 1], self._places[after], share)


class RandomWaypoint:
    """
    Walks to a random place within a rectangle, at once to the next one, and so on.

    Args:
        rng: a random stream of its own.
        width_m, height_m: the rectangle, from (0, 0) on.
        speed_m_per_s: bounds of the speed; drawn anew for each leg.
        up_m: height above ground.
    """

    __slots__ = ("_places", "_rng", "_size_m", "_speed", "_times_us", "_up_m")
    is_fixed = False

    def __init__(
        self,
        rng: random.Random,
        *,
        width_m: float,
        height_m: float,
        speed_m_per_s: tuple[float, float],
        up_m: float = 0.0,
    ) -> None:
        if not 0 < speed_m_per_s[0] <= speed_m_per_s[1]:
            raise ValueError(f"expected two speeds above 0, ascending; got {speed_m_per_s}")
        self._rng = rng
        self._size_m = (width_m, height_m)
        self._speed = speed_m_per_s
        self._up_m = up_m
        self._times_us = [0]
        self._places = [self._drawn()]

    def position(self, at_us: int) -> Position:
        """Legs are drawn as far as somebody asks, always in the same order."""
        while self._times_us[-1] <= at_us:
            self._walk_on()
        after = bisect_right(self._times_us, at_us)
        begun_us, ends_us = self._times_us[after - 1 : after + 1]
        share = (at_us - begun_us) / (ends_us - begun_us)
        return _between(self._places[after - 1], self._places[after], share)

    def _walk_on(self) -> None:
        place = self._drawn()
        speed = self._rng.uniform(*self._speed)
        lasts_us = round(math.dist(self._places[-1], place) / speed * 1e6)
        self._times_us.append(self._times_us[-1] + max(1, lasts_us))
        self._places.append(place)

    def _drawn(self) -> Position:
        width_m, height_m = self._size_m
        return (self._rng.uniform(0, width_m), self._rng.uniform(0, height_m), self._up_m)


def _between(one: Position, other: Position, share: float) -> Position:
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
        one[2] + (other[2] - one[2]) * share,
    )
