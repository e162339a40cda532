"""The MAC of LoRaWAN end devices by itself: what an uplink costs, and what a device takes."""

from __future__ import annotations

from benchmarks.figures import Aim, Figure, Report, interleaved
from benchmarks.processes import result_of


def run(*, rounds: int, seconds: int) -> Report:
    """A day of 500 devices in a fresh process each round, whatever ``seconds`` says."""
    costs: list[float] = []
    sizes: list[float] = []
    load = "benchmarks.nodes_load"
    interleaved(
        rounds,
        lambda: costs.append(result_of(load, "time", "500", "24")["us"]),
        lambda: sizes.append(result_of(load, "memory", "2000", "0")["bytes"]),
    )
    cost = Figure("an uplink with its two windows", costs, "CPU µs")
    size = Figure("a device that has joined and sleeps", sizes, "bytes")
    return Report(
        "End devices without a medium",
        [cost, size],
        [Aim("uplink", cost, 60, False), Aim("memory", size, 3_072, False)],
        note="EU868, OTAA with a list of channels, ADR on, 10 bytes every 20 minutes; a radio that "
        "answers joins and nothing else. Memory: process, timer and keys included, cipher contexts "
        "given back.",
    )
