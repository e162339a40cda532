"""Uplinks through The Things Stack's embedded network: datagrams in, application messages out."""

from __future__ import annotations

from benchmarks.figures import Aim, Figure, Report, interleaved, over
from benchmarks.processes import result_of

FEW, MANY = "1000", "1000000"
# One in a hundred; and four times as many as stay in memory, anywhere among all, each in its turn.
ACTIVE, EVERYBODY = "10000", "200000"
LONG_S = 60  # from so many seconds of each measurement on, a million devices are registered
MANY_S = "10"


def run(*, rounds: int, seconds: int) -> Report:
    """A thousand devices; with ``--seconds 60`` or more, a million as well."""
    rates: dict[str, list[float]] = {"quiet": [], "heard": []}
    load, each_s = "benchmarks.things_stack_load", str(min(seconds, 10))

    def measure(mode: str) -> None:
        (found,) = result_of(load, FEW, FEW, each_s, mode)["results"]
        rates[mode].append(found["uplinks"] / found["cpu_s"])

    interleaved(rounds, *[lambda mode=mode: measure(mode) for mode in rates])
    quiet = Figure("nobody listens", rates["quiet"], "uplinks/CPU s")
    heard = Figure("an application listens to its events", rates["heard"], "uplinks/CPU s")
    figures = [quiet, heard]
    aims = [Aim("uplinks per CPU second", quiet, 5_000, True)]
    if seconds >= LONG_S:
        more, wanted = _million(quiet)
        figures += more
        aims += wanted
    return Report(
        "The Things Stack's network",
        figures,
        aims,
        note="One process, one gateway over Semtech UDP, datagrams handed to the core; devices of "
        "EU868 that need no answer, ten bytes of payload without formatter; the database is a "
        "file, committed every 50 datagrams.",
    )


def _million(quiet: Figure) -> tuple[list[Figure], list[Aim]]:
    """A million registered devices: once, since to register them takes minutes."""
    found = result_of(
        "benchmarks.things_stack_load", MANY, f"{ACTIVE},{EVERYBODY}", MANY_S, timeout_s=1800
    )
    one, all_of_them = (each["uplinks"] / each["cpu_s"] for each in found["results"])
    few = Figure("a thousand", [quiet.median], "uplinks/CPU s")
    some = Figure("a million, one in a hundred talks", [one], "uplinks/CPU s")
    everybody = Figure("a million, 200,000 in turn", [all_of_them], "uplinks/CPU s")
    memory = Figure("memory with a million", [found["resident"] / 2**30], "GB")
    return [some, everybody, memory], [
        Aim("one in a hundred, of the rate of a thousand", over(some, few), 0.8, True),
        Aim("200,000 in turn, of the rate of a thousand", over(everybody, few), 0.6, True),
        Aim("memory with a million", memory, 2, False),
    ]
