"""The fleet of the radio benchmark, and what its peers share: the same draws, the same rule."""

from __future__ import annotations

import numpy as np

from simulators.radio.sensitivity import SENSITIVITIES
from simulators.radio.sizing import WINDOW_UPLINKS, Fleet, drawn, kinds_of
from simulators.radio.vectorised import Uplinks
from simulators.randomness import RandomStreams

PERIOD_US = 1_200_000_000  # 20 minutes
CHANNELS = 8
SEED = 1


def fleet(nodes: int) -> Fleet:
    """One gateway, 20 bytes every 20 minutes at SF7 to SF12; levels spread by 8 dB, fading 3.57."""
    rng = np.random.default_rng(SEED)
    kinds = kinds_of(rng.integers(7, 13, nodes), 20, SENSITIVITIES["sx1301"])
    levels_dbm = -100.0 - 8.0 * rng.standard_normal((1, nodes))
    return Fleet(kinds, levels_dbm, PERIOD_US, CHANNELS, sigma_db=3.57)


def windows(made: Fleet, periods: int) -> list[Uplinks]:
    """Everything that ``sizing.play`` would draw, in the same windows."""
    streams = RandomStreams(SEED)
    rng = np.random.Generator(np.random.SFC64(streams.integer("radio", "sizing")))
    at_once = max(1, WINDOW_UPLINKS // made.nodes)
    return [
        drawn(made, rng, first, min(at_once, periods - first))
        for first in range(0, periods, at_once)
    ]
