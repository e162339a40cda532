"""
The peer: a SimPy process for each node and lists of the frames on air, as LoRaSim works.

It applies LoRaSim's rule to the same draws: frames of one channel and spreading factor that
overlap, 6 dB of capture, three free preamble symbols. It is made fast where that is easy: each
channel and spreading factor has a list of its own (LoRaSim goes through everything that is on air),
and what was built beforehand is kept from the garbage collector.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import simpy

from benchmarks.radio_fleet import windows
from simulators.radio.sizing import Fleet
from simulators.radio.vectorised import Flags

CAPTURE_DB = 6.0
FREE_SYMBOLS = 3


class Frame:
    """A frame on air."""

    __slots__ = ("end_us", "is_lost", "level_dbm")

    def __init__(self, level_dbm: float, end_us: int) -> None:
        self.level_dbm = level_dbm
        self.end_us = end_us
        self.is_lost = False


def play_processes(made: Fleet, periods: int) -> Flags:
    """Let every node send; which frames arrived, by period and node."""
    env = simpy.Environment(initial_time=0)
    on_air: dict[tuple[int, int], list[Frame]] = {
        (channel, factor): [] for channel in range(made.channels) for factor in range(7, 13)
    }
    received = np.zeros((periods, made.nodes), np.bool_)
    kinds = made.kinds
    columns = zip(
        kinds.code.tolist(), kinds.airtime_us.tolist(), kinds.symbol_us.tolist(),
        kinds.least_dbm.tolist(), plans(made, periods), strict=True,
    )  # fmt: skip
    for number, (factor, airtime_us, symbol_us, least_dbm, plan) in enumerate(columns):
        free_us = FREE_SYMBOLS * symbol_us
        env.process(
            node(env, on_air, received[:, number], plan, factor, airtime_us, free_us, least_dbm)
        )
    gc.collect()
    gc.freeze()  # what stays is not to be looked through again and again; it helps a lot
    env.run()
    return received


def plans(made: Fleet, periods: int) -> Iterator[list[tuple[int, int, float]]]:
    """For each node its frames: start, channel, level."""
    drawn = windows(made, periods)
    starts, channels, levels = (
        np.concatenate([column.reshape(-1, made.nodes) for column in columns]).T.tolist()
        for columns in (
            [each.start_us for each in drawn],
            [each.channel for each in drawn],
            [each.levels_dbm[0] for each in drawn],
        )
    )
    for each in zip(starts, channels, levels, strict=True):
        yield list(zip(*each, strict=True))


def node(
    env: simpy.Environment,
    on_air: dict[tuple[int, int], list[Frame]],
    received: Flags,
    plan: list[tuple[int, int, float]],
    factor: int,
    airtime_us: int,
    free_us: int,
    least_dbm: float,
) -> Iterator[Any]:
    """One node's life."""
    for period, (start_us, channel, level_dbm) in enumerate(plan):
        yield env.timeout(start_us - env.now)
        is_heard = level_dbm >= least_dbm
        frame = Frame(level_dbm, start_us + airtime_us)
        if is_heard:
            others = on_air[channel, factor]
            if others:
                collide(frame, others, start_us + free_us)
            others.append(frame)
        yield env.timeout(airtime_us)
        if is_heard:
            others.remove(frame)
            received[period] = not frame.is_lost


def collide(frame: Frame, others: list[Frame], critical_us: int) -> None:
    """A frame starts: does it lose, do others?"""
    for other in others:
        if other.end_us > critical_us:
            ahead_db = frame.level_dbm - other.level_dbm
            if ahead_db < CAPTURE_DB:
                frame.is_lost = True
            if -ahead_db < CAPTURE_DB:
                other.is_lost = True
