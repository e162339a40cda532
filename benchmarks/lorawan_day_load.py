"""One process: a day of LoRaWAN with everything in it; prints what it cost, and where."""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from scenarios.lorawan.playing import play_virtual
from scenarios.model import Scenario, from_document
from scenarios.run import Run
from simulators.lorawan.contexts import CONTEXTS
from simulators.platforms.scripted_network.semtech_front import SemtechFront

PLACES = ((1500, 1500), (-1500, 1500), (1500, -1500), (-1500, -1500))
SHORT_H = 1.0


def scenario(nodes: int, hours: float) -> Scenario:
    """Nodes in a circle of 3 km, four gateways within; every 20 minutes, a tenth confirmed."""
    gateways = [
        {"name": f"gateway-{number}", "kind": "packet-forwarder", "position": [east, north, 15]}
        for number, (east, north) in enumerate(PLACES, start=1)
    ]
    # Were thousands switched on within minutes, their join requests would drown one another.
    spread_s = hours * 3600 / 8
    behaviour = {"period_s": 1200, "confirmed": 0.1, "payload": "00" * 10, "spread_s": spread_s}
    fleet = {"name": "node", "count": nodes, "position": [0, 0], "radius_m": 3000}
    about = {"name": "day", "platform": "things-stack", "duration": f"{hours}h"}
    return from_document(
        {
            "scenario": about,
            "radio": {"path_loss": "oulu"},
            "gateway": gateways,
            "fleet": [{**fleet, "kind": "node", "behaviour": behaviour}],
        }
    )


class Stopwatch:
    """CPU time within the server's side: what came from gateways, until it is gathered."""

    def __init__(self) -> None:
        self.ns = 0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            begin = time.process_time_ns()
            try:
                return call(*arguments)
            finally:
                self.ns += time.process_time_ns() - begin

        return timed


def cost(nodes: int, hours: float) -> dict[str, float]:
    """CPU seconds in all, of which the scripted network's, and what was played."""
    server = Stopwatch()
    SemtechFront.received = server.around(SemtechFront.received)  # type: ignore[method-assign]  # measured apart
    begin = time.process_time()
    run = play_virtual(scenario(nodes, hours), is_watched=False)
    spent_s = time.process_time() - begin
    uplinks = _checked(run, nodes, hours)
    return {
        "s": spent_s,
        "us": spent_s / uplinks * 1e6,
        "server_us": server.ns / uplinks / 1000,
        "uplinks": uplinks,
    }


def _checked(run: Run, nodes: int, hours: float) -> int:
    """Uplinks sent; a run in which little happened measures nothing."""
    every = run.evidence.nodes
    uplinks = sum(node.tally.uplinks for node in every)
    confirmed = sum(node.tally.confirmed for node in every)
    acknowledged = sum(node.tally.acknowledged for node in every)
    if sum(node.is_joined for node in every) < 0.99 * nodes:
        raise SystemExit("more than one node in a hundred has not joined")
    if uplinks < 3 * 0.9 * hours * nodes or acknowledged < 0.9 * confirmed:
        raise SystemExit(f"{uplinks} uplinks, {acknowledged} of {confirmed} acknowledged")
    return uplinks


def size(nodes: int) -> dict[str, float]:
    """Bytes for each node, its share of medium, gateways and network included."""
    play_virtual(scenario(10, SHORT_H), is_watched=False)
    gc.collect()
    tracemalloc.start()
    run = play_virtual(scenario(nodes, SHORT_H), is_watched=False)
    while CONTEXTS._holders:
        CONTEXTS._holders.popleft().forget_contexts()
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    return {"bytes": used / len(run.evidence.nodes)}


if __name__ == "__main__":
    how, count, duration_h = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(cost(count, duration_h) if how == "time" else size(count)))
