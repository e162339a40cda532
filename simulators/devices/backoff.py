"""How long a device waits before it tries again."""

from __future__ import annotations

import random
from collections.abc import Iterator


def delays_s(
    rng: random.Random, *, first_s: float = 1.0, factor: float = 2.0, longest_s: float = 60.0
) -> Iterator[float]:
    """
    Endless waits in seconds: doubling up to ``longest_s``, each shortened by up to a half.

    The random share keeps a fleet from coming back in one moment after an outage.
    """
    delay_s = first_s
    while True:
        yield delay_s * rng.uniform(0.5, 1.0)
        delay_s = min(longest_s, delay_s * factor)
