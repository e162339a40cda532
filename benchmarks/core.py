"""Requests through the server's core with the database in memory: values in, values out."""

from __future__ import annotations

from benchmarks.figures import Aim, Figure, Report, interleaved
from benchmarks.processes import result_of


def run(*, rounds: int, seconds: int) -> Report:
    """A fresh process each round."""
    per_second: list[float] = []

    def measure() -> None:
        found = result_of("benchmarks.core_load", str(seconds))
        per_second.append(found["requests"] / found["cpu_s"])

    interleaved(rounds, measure)
    figure = Figure("in-memory transport, core, SQLite", per_second, "requests/CPU s")
    return Report(
        "Server core in virtual time",
        [figure],
        [Aim("requests per CPU second", figure, 40_000, True)],
        note="One process, 20 devices, one value per write, trace off; every write is a row.",
    )
