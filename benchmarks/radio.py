"""Uplinks resolved over arrays against a SimPy process for each node: same draws, rule, results."""

from __future__ import annotations

from typing import Any

from benchmarks.figures import Aim, Figure, Report, interleaved, over
from benchmarks.processes import BenchmarkError, result_of

# Nodes, periods of 20 minutes for arrays and for processes (a second or a few each), least ratio.
SIZES = ((1_000, 7_200, 288, 30.0), (100_000, 36, 9, 20.0))
COMPARED = ((1_000, 72), (100_000, 1))  # a day, and one frame of each


def run(*, rounds: int, seconds: int) -> Report:
    """Over fixed numbers of uplinks, whatever ``seconds`` says."""
    for nodes, periods in COMPARED:
        _compare(nodes, periods)
    figures, aims = [], []
    for nodes, array_periods, process_periods, bound in SIZES:
        arrays, processes = _rates(rounds, nodes, array_periods, process_periods)
        figures += [arrays, processes]
        aims.append(Aim(f"arrays, {nodes:,} nodes", over(arrays, processes), bound, True))
    return Report(
        "Radio without a MAC, over arrays",
        figures,
        aims,
        note="One gateway, 8 channels, SF7 to SF12, 20 bytes every 20 minutes; interference model "
        "lorasim. Both sides count the drawing of times, channels and fading. A day of 1 000 nodes "
        "and 20 minutes of 100 000 were compared frame by frame: the same ones arrive.",
    )


def _rates(
    rounds: int, nodes: int, array_periods: int, process_periods: int
) -> tuple[Figure, Figure]:
    arrays: list[float] = []
    processes: list[float] = []
    interleaved(
        rounds,
        lambda: arrays.append(_rate("arrays", nodes, array_periods)),
        lambda: processes.append(_rate("processes", nodes, process_periods)),
    )
    unit = "uplinks/CPU s"
    return (
        Figure(f"arrays, {nodes:,} nodes", arrays, unit),
        Figure(f"processes, {nodes:,} nodes", processes, unit),
    )


def _rate(way: str, nodes: int, periods: int) -> float:
    found = _load(way, nodes, periods)
    return float(found["uplinks"] / found["cpu_s"])


def _compare(nodes: int, periods: int) -> None:
    """
    The same frames must arrive.

    Raises:
        BenchmarkError: they do not.
    """
    if (
        _load("arrays", nodes, periods)["received"]
        != _load("processes", nodes, periods)["received"]
    ):
        raise BenchmarkError(f"arrays and processes differ at {nodes:,} nodes")


def _load(way: str, nodes: int, periods: int) -> dict[str, Any]:
    return result_of("benchmarks.radio_load", way, str(nodes), str(periods))
