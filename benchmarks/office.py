"""The library's office scenario on the virtual clock: simulated seconds per second of CPU."""

from __future__ import annotations

from benchmarks.figures import Figure, Report, interleaved
from benchmarks.processes import result_of


def run(*, rounds: int, seconds: int) -> Report:
    """The whole hour each time, whatever ``seconds`` says; with a trace and without."""
    speeds: dict[str, list[float]] = {"trace": [], "no-trace": []}

    def measure(mode: str) -> None:
        found = result_of("benchmarks.office_load", mode)
        speeds[mode].append(found["simulated_s"] / found["cpu_s"])

    interleaved(rounds, lambda: measure("no-trace"), lambda: measure("trace"))
    return Report(
        "Office on the virtual clock",
        [
            Figure("trace off", speeds["no-trace"], "simulated s/CPU s"),
            Figure("trace on", speeds["trace"], "simulated s/CPU s"),
        ],
        note="100 sensors, 20 switches, one hour; server, fleet and expectations in one process.",
    )
