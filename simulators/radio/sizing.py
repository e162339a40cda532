"""
How many nodes a network bears: a fleet without a MAC, drawn and resolved in windows.

Memory stays flat, however long the time: a window holds so many uplinks and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from simulators.lorawan.airtime import symbol_us, time_on_air_us
from simulators.lorawan.modulation import Lora
from simulators.radio.interference import InterferenceModel
from simulators.radio.sensitivity import Sensitivity
from simulators.radio.vectorised import Decibels, Integers, Kinds, Resolved, Stream, Uplinks
from simulators.randomness import RandomStreams

WINDOW_UPLINKS = 1 << 14  # fits a processor's cache; larger ones are slower


class Fleet(NamedTuple):
    """
    Nodes that each send once in every period, at a random moment on a random channel.

    ``levels_dbm`` has a row for each gateway: how strong a node arrives there. Fading of
    ``sigma_db`` is drawn anew for each frame, alike for all gateways: the node's own surroundings.
    """

    kinds: Kinds
    levels_dbm: Decibels
    period_us: int
    channels: int
    sigma_db: float = 0.0

    @property
    def nodes(self) -> int:
        """How many."""
        return len(self.kinds.code)


class Outcome(NamedTuple):
    """What a study comes to."""

    interference: str
    sent: int
    delivered: int

    @property
    def der(self) -> float:
        """Share of the frames that a gateway received."""
        return self.delivered / self.sent if self.sent else 0.0


def kinds_of(
    spreading_factors: Integers,
    phy_bytes: int,
    sensitivity: Sensitivity,
    bandwidth_hz: int = 125_000,
) -> Kinds:
    """The columns of nodes that send frames of one size."""
    factors = np.asarray(spreading_factors, np.int64)
    known = {int(each): Lora(int(each), bandwidth_hz) for each in np.unique(factors)}

    def column(value: Callable[[Lora], float]) -> dict[int, float]:
        return {factor: value(modulation) for factor, modulation in known.items()}

    airtime = column(lambda each: time_on_air_us(each, phy_bytes))
    symbol, least = column(symbol_us), column(sensitivity.dbm)
    places = factors.tolist()
    return Kinds(
        factors,
        np.array([airtime[each] for each in places], np.int64),
        np.array([symbol[each] for each in places], np.int64),
        np.array([least[each] for each in places], np.float64),
    )


def play(
    fleet: Fleet,
    *,
    periods: int,
    model: InterferenceModel,
    streams: RandomStreams,
    demodulators: int | None = None,
    on_window: Callable[[Resolved], None] | None = None,
) -> Outcome:
    """
    Let every node send ``periods`` frames.

    Args:
        on_window: sees each window's frames and which of them were received where.
    Raises:
        ValueError: a frame lasts longer than the period.
    """
    if int(fleet.kinds.airtime_us.max()) >= fleet.period_us:
        longest_us = int(fleet.kinds.airtime_us.max())
        raise ValueError(f"expected a period above {longest_us} µs; got {fleet.period_us}")
    rng = np.random.Generator(np.random.SFC64(streams.integer("radio", "sizing")))
    stream = Stream(fleet.kinds, model, demodulators=demodulators)
    at_once = max(1, WINDOW_UPLINKS // fleet.nodes)
    sent = delivered = 0
    for first in range(0, periods, at_once):
        many = min(at_once, periods - first)
        is_last = first + many == periods
        until_us = None if is_last else (first + many) * fleet.period_us
        resolved = stream.resolve(drawn(fleet, rng, first, many), until_us)
        sent += resolved.sent
        delivered += resolved.delivered
        if on_window is not None:
            on_window(resolved)
    return Outcome(model.name, sent, delivered)


def drawn(fleet: Fleet, rng: np.random.Generator, first: int, periods: int) -> Uplinks:
    """
    All uplinks of some periods.

    A node's frame lies within its period as a whole, so that it never meets its own next one.
    """
    shape = (periods, fleet.nodes)
    moments = rng.random(shape)
    moments *= fleet.period_us - fleet.kinds.airtime_us
    start_us = moments.astype(np.int64)
    start_us += (np.arange(first, first + periods) * fleet.period_us)[:, np.newaxis]
    channel = rng.integers(0, fleet.channels, shape, dtype=np.uint8)
    if fleet.sigma_db:
        fading_db = rng.standard_normal(shape)
        fading_db *= fleet.sigma_db
        levels_dbm = fleet.levels_dbm[:, np.newaxis, :] + fading_db
    else:
        levels_dbm = np.repeat(fleet.levels_dbm[:, np.newaxis, :], periods, axis=1)
    return Uplinks(
        start_us.ravel(),
        channel.ravel(),
        np.tile(np.arange(fleet.nodes), periods),
        levels_dbm.reshape(len(fleet.levels_dbm), -1),
    )
