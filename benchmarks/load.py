"""The fleet driver as a load generator, against its peers; all on one static nginx."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Aim, Figure, Report, interleaved
from benchmarks.processes import hey, result_of, wrk
from benchmarks.sink import sink

BODY = b'{"values":[{"key":"load","value":1.125}]}'
FEW, MANY, MOST = 64, 1000, 10_000

Costs = dict[str, list[float]]
NAMES = (
    "wrk, 64", "driver, 64", "wrk, 1000", "driver, 1000", "hey, 64",
    "aiohttp on uvloop, 64", "Locust FastHttpUser, 64",
)  # fmt: skip


def run(*, rounds: int, seconds: int) -> Report:
    """Everybody in turn, each alone on the sink."""
    costs: Costs = {name: [] for name in (*NAMES, "delay", "rate", "cores", "kb", "mb")}
    with sink() as (url, folder):
        interleaved(rounds, *_peers(url, seconds, folder, costs), *_own(url, seconds, costs))
    return _report(costs)


def _peers(url: str, seconds: int, folder: Path, costs: Costs) -> list[Callable[[], None]]:
    path = f"{url}/v2/things/token"

    def by_wrk(connections: int) -> None:
        load = wrk(path, BODY, connections=connections, seconds=seconds, folder=folder)
        costs[f"wrk, {connections}"].append(load.cpu_s / load.requests * 1e6)

    def by_hey() -> None:
        requests, cpu_s = hey(path, BODY, connections=FEW, seconds=seconds)
        costs["hey, 64"].append(cpu_s / requests * 1e6)

    def by(name: str, connections: int, module: str, *mode: str) -> None:
        found = result_of(f"benchmarks.{module}", *mode, url, str(connections), str(seconds))
        costs[name].append(found["cpu_s"] / found["requests"] * 1e6)

    return [
        lambda: by_wrk(FEW),
        lambda: by("driver, 64", FEW, "driver_load", "raw"),
        lambda: by_wrk(MANY),
        lambda: by("driver, 1000", MANY, "driver_load", "raw"),
        by_hey,
        lambda: by("aiohttp on uvloop, 64", FEW, "aiohttp_load"),
        lambda: by("Locust FastHttpUser, 64", FEW, "locust_load"),
    ]


def _own(url: str, seconds: int, costs: Costs) -> list[Callable[[], None]]:
    def pace() -> None:
        found = result_of("benchmarks.driver_load", "paced", url, str(MANY), str(seconds))
        costs["delay"].append(found["p99_ms"])
        costs["rate"].append(found["per_s"])
        costs["cores"].append(found["cores"])

    def memory() -> None:
        found = result_of("benchmarks.driver_load", "idle", url, str(MOST), "1")
        costs["kb"].append(found["bytes_per_connection"] / 1024)
        costs["mb"].append(found["bytes"] / 1e6)

    return [pace, memory]


def _report(costs: Costs) -> Report:
    figures = {name: Figure(name, costs[name], "us CPU/request") for name in NAMES}
    delay = Figure("open loop at 20 000/s, start delay p99", costs["delay"], "ms")
    rate = Figure("open loop, answers", costs["rate"], "/s")
    cores = Figure("open loop, what the process used", costs["cores"], "cores")
    kb = Figure("memory per connection, 10 000 connections", costs["kb"], "KB")
    mb = Figure("memory of the process, 10 000 connections", costs["mb"], "MB")
    few = figures["driver, 64"].median

    def times(name: str, mine: float = few) -> float:
        return figures[name].median / mine

    return Report(
        "Load generator against its peers",
        [*figures.values(), delay, rate, cores, kb, mb],
        [
            Aim("driver over wrk, 64 connections", 1 / times("wrk, 64"), 1.35, False),
            Aim(
                "driver over wrk, 1 000 connections",
                1 / times("wrk, 1000", figures["driver, 1000"].median),
                1.25,
                False,
            ),
            Aim("Locust FastHttpUser over driver", times("Locust FastHttpUser, 64"), 10, True),
            Aim("aiohttp on uvloop over driver", times("aiohttp on uvloop, 64"), 6, True),
            Aim("hey over driver", times("hey, 64"), 2, True),
            Aim("start delay p99 at 20 000/s", delay.median, 2, False, "ms"),
            Aim("answers in open loop", rate.median, 19_800, True, "/s"),
            Aim("memory per connection", kb.median, 3, False, "KB"),
            Aim("memory at 10 000 connections", mb.median, 80, False, "MB"),
        ],
        note="nginx, one process, static answer; closed loop unless it says open loop.",
    )
