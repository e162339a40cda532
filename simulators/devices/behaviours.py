"""
How a measured quantity moves: functions from time to a value, each with a state of its own.

A factory takes the device's random generator and its options as keywords; what it returns is
called once per sample with the time in microseconds since 1970 (UTC). ``kinds.py`` lists them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

Behaviour = Callable[[int], Any]
Factory = Callable[..., Behaviour]

DAY_US = 86_400_000_000
HOUR_US = DAY_US // 24


def constant(rng: random.Random, *, value: Any = 0) -> Behaviour:
    """Always ``value``, of any JSON type."""
    return lambda unix_us: value


def diurnal(
    rng: random.Random,
    *,
    mean: float = 20.0,
    amplitude: float = 5.0,
    peak_hour: float = 15.0,
    noise: float = 0.0,
    digits: int = 2,
) -> Behaviour:
    """
    A sine over the day (UTC) with its top at ``peak_hour``.

    ``noise`` is the standard deviation of what is added to it, evenly spread on both sides.
    """
    peak_us = peak_hour * HOUR_US
    per_us = 2 * math.pi / DAY_US
    spread = noise * math.sqrt(12)
    cos, floor, chance = math.cos, math.floor, rng.random
    scale = 10.0**digits

    def sample(unix_us: int) -> float:
        level = mean + amplitude * cos((unix_us % DAY_US - peak_us) * per_us)
        # As round(…, digits) but for ties, at a quarter of its cost.
        return floor((level + (chance() - 0.5) * spread) * scale + 0.5) / scale

    return sample


def random_walk(
    rng: random.Random,
    *,
    start: float = 50.0,
    step: float = 1.0,
    low: float = 0.0,
    high: float = 100.0,
    digits: int = 2,
) -> Behaviour:
    """Up or down by at most ``step`` per sample, kept between ``low`` and ``high``."""
    value = start

    def sample(unix_us: int) -> float:
        nonlocal value
        value = min(high, max(low, value + rng.uniform(-step, step)))
        return round(value, digits)

    return sample


def steps(
    rng: random.Random,
    *,
    levels: list[Any] | None = None,
    hold_s: float = 600.0,
) -> Behaviour:
    """One of ``levels`` for an exponentially distributed time around ``hold_s``, then another."""
    choices = [0, 1] if levels is None else levels
    level = rng.choice(choices)
    until_us: float | None = None

    def sample(unix_us: int) -> Any:
        nonlocal level, until_us
        while until_us is None or unix_us >= until_us:
            level = rng.choice(choices)
            until_us = (unix_us if until_us is None else until_us) + max(
                1.0, rng.expovariate(1.0) * hold_s * 1e6
            )
        return level

    return sample


def counter(rng: random.Random, *, start: int = 0, most: int = 20) -> Behaviour:
    """A count that grows by 0 to ``most`` per sample, as a pedometer's does."""
    count = start

    def sample(unix_us: int) -> int:
        nonlocal count
        count += rng.randint(0, most)
        return count

    return sample
