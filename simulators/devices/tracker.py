"""
A tracker: moves around its home and tells where it is.

``$geo`` is a state that shows the last position; ``speed`` is a time line whose values carry the
position they were measured at, so that a batch of them draws the whole way.

Source: thethings.iO developer center, "Magic resources", "Thing write" (geo).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.devices.device import Place
from simulators.devices.outbox import Batches
from simulators.devices.periodic import Period, Periodic

KM_PER_DEGREE = 111.2
Position = tuple[float, float]


@dataclass(frozen=True)
class Journey:
    """Straight legs between random places within ``radius_km`` of home, at ``speed_kmh``."""

    radius_km: float = 5.0
    speed_kmh: float = 40.0


class Tracker(Periodic):
    """Writes ``$geo`` and ``speed`` once per period."""

    kind = "tracker"

    def __init__(
        self, name: str, place: Place, *, journey: Journey, period: Period, batches: Batches
    ) -> None:
        super().__init__(name, place, period=period, batches=batches)
        home = (place.identity.latitude, place.identity.longitude)
        self.position = travel(self.rng("journey"), home, journey)
        self.speed_kmh = journey.speed_kmh

    def items(self, due_us: int) -> list[dict[str, Any]]:
        """Where it is and how fast; offline, a state of the past is of no use to anybody."""
        latitude, longitude = self.position(due_us)
        speed = round(self.speed_kmh * self._rng.uniform(0.8, 1.2), 1)
        geo = {"lat": latitude, "long": longitude}
        point = {"type": "Point", "coordinates": [longitude, latitude]}
        timed = {"key": "speed", "value": speed, "geo": geo}
        return [timed] if self.outbox is not None else [{"key": "$geo", "value": point}, timed]


def travel(rng: random.Random, home: Position, journey: Journey) -> Callable[[int], Position]:
    """Latitude and longitude in degrees at a time in microseconds, which must not go back."""
    here, there = home, _somewhere(rng, home, journey.radius_km)
    left_us = 0

    def position(now_us: int) -> Position:
        nonlocal here, there, left_us
        while now_us >= left_us + (leg_us := _leg_us(here, there, journey.speed_kmh)):
            here, there, left_us = there, _somewhere(rng, home, journey.radius_km), left_us + leg_us
        share = (now_us - left_us) / leg_us
        return (
            round(here[0] + share * (there[0] - here[0]), 6),
            round(here[1] + share * (there[1] - here[1]), 6),
        )

    return position


def _somewhere(rng: random.Random, home: Position, radius_km: float) -> Position:
    distance = math.sqrt(rng.random()) * radius_km / KM_PER_DEGREE
    angle = rng.random() * 2 * math.pi
    latitude = min(90.0, max(-90.0, home[0] + distance * math.sin(angle)))
    longitude = home[1] + distance * math.cos(angle) / _shrink(home[0])
    return latitude, min(180.0, max(-180.0, longitude))


def _leg_us(here: Position, there: Position, speed_kmh: float) -> int:
    north = there[0] - here[0]
    east = (there[1] - here[1]) * _shrink(here[0])
    hours = math.hypot(north, east) * KM_PER_DEGREE / max(0.1, speed_kmh)
    return max(1_000_000, round(hours * 3.6e9))


def _shrink(latitude: float) -> float:
    """How much shorter a degree of longitude is at that latitude."""
    return max(0.01, math.cos(math.radians(latitude)))
