"""The fleet driver, and whole sensors on top of it, against wrk; all on one static nginx."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Aim, Figure, Report, interleaved, over
from benchmarks.processes import result_of, wrk
from benchmarks.sink import sink

CONNECTIONS = 64
BODY = b'{"values":[{"key":"load","value":1.125}]}'


def run(*, rounds: int, seconds: int) -> Report:
    """wrk, driver and sensors in turn, each alone on the sink."""
    costs: dict[str, list[float]] = {"wrk": [], "raw": [], "sensors": []}
    with sink() as (url, folder):
        interleaved(rounds, *_measures(url, seconds, folder, costs))
    return _report(costs)


def _measures(
    url: str, seconds: int, folder: Path, costs: dict[str, list[float]]
) -> list[Callable[[], None]]:
    def by_wrk() -> None:
        path = f"{url}/v2/things/token"
        load = wrk(path, BODY, connections=CONNECTIONS, seconds=seconds, folder=folder)
        costs["wrk"].append(load.cpu_s / load.requests * 1e6)

    def by(mode: str) -> Callable[[], None]:
        def measure() -> None:
            found = result_of("benchmarks.driver_load", mode, url, str(CONNECTIONS), str(seconds))
            costs[mode].append(found["cpu_s"] / found["requests"] * 1e6)

        return measure

    return [by_wrk, by("raw"), by("sensors")]


def _report(costs: dict[str, list[float]]) -> Report:
    peer = Figure("wrk", costs["wrk"], "us CPU/request")
    driver = Figure("fleet driver", costs["raw"], "us CPU/request")
    whole = Figure("whole sensors", costs["sensors"], "us CPU/request")
    return Report(
        "Fleet against wrk",
        [peer, driver, whole],
        [
            Aim("fleet driver, CPU per request over wrk", over(driver, peer), 1.35, False),
            Aim("whole sensors, CPU per request over wrk", over(whole, peer), 2.0, False),
        ],
        note=f"nginx, one process, static answer; {CONNECTIONS} connections, closed loop.",
    )
