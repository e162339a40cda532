"""The fleet driver as a load generator, against its peers; all on one static nginx."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Aim, Figure, Report, interleaved, over
from benchmarks.processes import hey, result_of, wrk
from benchmarks.sink import sink

BODY = b'{"values":[{"key":"load","value":1.125}]}'
FEW, MANY, MOST = 64, 1000, 10_000

Costs = dict[str, list[float]]
NAMES = (
    "wrk, 64", "driver, 64", "wrk, 1000", "driver, 1000",
    "wrk, 1000, answers that differ", "driver, 1000, answers that differ",
    "hey, 64", "aiohttp on uvloop, 64", "Locust FastHttpUser, 64",
)  # fmt: skip


def run(*, rounds: int, seconds: int) -> Report:
    """Everybody in turn, each alone on the sink."""
    costs: Costs = {name: [] for name in (*NAMES, "delay", "rate", "cores", "kb", "mb")}
    with sink() as (url, folder):
        interleaved(rounds, *_peers(url, seconds, folder, costs), *_own(url, seconds, costs))
    return _report(costs)


def _peers(url: str, seconds: int, folder: Path, costs: Costs) -> list[Callable[[], None]]:
    path = "/v2/things/token"

    def by_wrk(name: str, connections: int, at: str) -> Callable[[], None]:
        def measure() -> None:
            load = wrk(at + path, BODY, connections=connections, seconds=seconds, folder=folder)
            costs[name].append(load.cpu_s / load.requests * 1e6)

        return measure

    def by(
        name: str, connections: int, module: str, *mode: str, at: str = url
    ) -> Callable[[], None]:
        def measure() -> None:
            found = result_of(f"benchmarks.{module}", *mode, at, str(connections), str(seconds))
            costs[name].append(found["cpu_s"] / found["requests"] * 1e6)

        return measure

    def by_hey() -> None:
        requests, cpu_s = hey(url + path, BODY, connections=FEW, seconds=seconds)
        costs["hey, 64"].append(cpu_s / requests * 1e6)

    differing = f"{url}/differing"
    return [
        by_wrk("wrk, 64", FEW, url),
        by("driver, 64", FEW, "driver_load", "raw"),
        by_wrk("wrk, 1000", MANY, url),
        by("driver, 1000", MANY, "driver_load", "raw"),
        by_wrk("wrk, 1000, answers that differ", MANY, differing),
        by("driver, 1000, answers that differ", MANY, "driver_load", "raw", at=differing),
        by_hey,
        by("aiohttp on uvloop, 64", FEW, "aiohttp_load"),
        by("Locust FastHttpUser, 64", FEW, "locust_load"),
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

    def ratio(these: str, those: str) -> Figure:
        return over(figures[these], figures[those])

    return Report(
        "Load generator against its peers",
        [
            *figures.values(),
            ratio("driver, 1000, answers that differ", "wrk, 1000, answers that differ"),
            delay, rate, cores, kb, mb,
        ],
        [
            Aim("driver over wrk, 64 connections", ratio("driver, 64", "wrk, 64"), 1.35, False),
            Aim(
                "driver over wrk, 1 000 connections",
                ratio("driver, 1000", "wrk, 1000"), 1.25, False,
            ),
            Aim(
                "Locust FastHttpUser over driver",
                ratio("Locust FastHttpUser, 64", "driver, 64"), 10, True,
            ),
            Aim(
                "aiohttp on uvloop over driver",
                ratio("aiohttp on uvloop, 64", "driver, 64"), 6, True,
            ),
            Aim("hey over driver", ratio("hey, 64", "driver, 64"), 2, True),
            Aim("start delay p99 at 20 000/s", delay, 2, False),
            Aim("answers in open loop", rate, 19_800, True),
            Aim("memory per connection", kb, 3, False),
            Aim("memory at 10 000 connections", mb, 80, False),
        ],
        note="nginx, one process, static answer; closed loop unless it says open loop.",
    )  # fmt: skip
