"""LoRaWAN with everything in it: nodes, medium, gateways and the scripted network, for a day."""

from __future__ import annotations

from benchmarks.figures import Aim, Figure, Report, interleaved
from benchmarks.processes import result_of

NODES, HOURS = "10000", "24"
SMALL_NODES, SMALL_HOURS = "1000", "6"
SIZED_NODES = "2000"
LONG_S = 60  # from so many seconds of each measurement on, the whole day is played


def run(*, rounds: int, seconds: int) -> Report:
    """1 000 nodes for 6 hours; with ``--seconds 60`` or more, 10 000 for a day."""
    nodes, hours = (NODES, HOURS) if seconds >= LONG_S else (SMALL_NODES, SMALL_HOURS)
    costs: list[dict[str, float]] = []
    sizes: list[float] = []
    load = "benchmarks.lorawan_day_load"
    interleaved(
        rounds,
        lambda: costs.append(result_of(load, "time", nodes, hours)),
        lambda: sizes.append(result_of(load, "memory", SIZED_NODES, "0")["bytes"]),
    )
    whole = Figure(f"{nodes} nodes for {hours} hours", [each["s"] for each in costs], "CPU s")
    each_uplink = Figure("an uplink, all in all", [each["us"] for each in costs], "CPU µs")
    server = Figure(
        "of it the scripted network, datagrams in", [e["server_us"] for e in costs], "CPU µs"
    )
    size = Figure("a node", sizes, "bytes")
    aims = [Aim("memory of a node", size, 3_072, False)]
    if seconds >= LONG_S:
        aims.append(Aim("a day of 10 000 nodes", whole, 120, False))
    return Report(
        "A day of LoRaWAN",
        [whole, each_uplink, server, size],
        aims,
        note="EU868, OTAA, ADR on, 10 bytes every 20 minutes, a tenth confirmed; switched on "
        "within the first eighth of the time; four packet forwarders in 3 km; no trace. "
        "Memory: everything there is, by the number of nodes, cipher contexts given back.",
    )
