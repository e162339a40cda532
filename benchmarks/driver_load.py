"""One process that loads a server: the raw driver, or whole simulated sensors; prints its cost."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulators.clock import WallClock
from simulators.devices.fleet import Fleet, FleetSpec, build_fleet
from simulators.randomness import RandomStreams
from simulators.transports.event_loop import new_event_loop
from simulators.transports.load import closed_loop, open_loop
from simulators.transports.sockets import SocketTransport

WARM_UP_S = 0.5
PACE = 20_000.0


def raw(url: str, connections: int, seconds: float) -> dict[str, Any]:
    """The driver alone: state per connection, fresh body, checked answer, histogram."""
    targets = [f"/v2/things/token-{number}" for number in range(connections)]
    closed_loop(url, targets, connections=connections, seconds=WARM_UP_S)
    result = closed_loop(url, targets, connections=connections, seconds=seconds)
    if result.refused or result.lost:
        raise SystemExit(f"refused: {result.refused}, lost: {result.lost}")
    return {"requests": result.acknowledged, "cpu_s": result.cpu_s}


def paced(url: str, connections: int, seconds: float) -> dict[str, Any]:
    """The driver in open loop at ``PACE``: how late each write was sent, and what it cost."""
    targets = [f"/v2/things/token-{number}" for number in range(connections)]
    found = open_loop(url, targets, connections=connections, requests_per_s=PACE, seconds=seconds)
    if found.refused:  # what was still under way at the end counts as unanswered, not as wrong
        raise SystemExit(f"refused: {found.refused}")
    delay_ms = found.delay_us.percentile(0.99) / 1000
    rate = found.acknowledged / found.elapsed_s
    return {"p99_ms": delay_ms, "per_s": rate, "cores": found.cpu_s / found.elapsed_s}


def idle(url: str, connections: int, seconds: float) -> dict[str, Any]:
    """Resident memory with every connection open and used at least once."""
    targets = [f"/v2/things/token-{number}" for number in range(connections)]
    before = _resident_bytes()
    most = 0

    def look() -> None:
        nonlocal most
        most = max(most, _resident_bytes())

    found = closed_loop(url, targets, connections=connections, seconds=seconds, at_end=look)
    if found.acknowledged < connections or found.refused or found.lost:
        raise SystemExit(f"{found.acknowledged} answers, refused: {found.refused}")
    return {"bytes": most, "bytes_per_connection": (most - before) / connections}


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def sensors(url: str, connections: int, seconds: float) -> dict[str, Any]:
    """Sensors of the product that write back to back: processes, behaviours, accounts, clock."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_sensors(url, connections, seconds))


async def _sensors(url: str, count: int, seconds: float) -> dict[str, Any]:
    clock = WallClock()
    transport = SocketTransport(clock, url)
    fleet = build_fleet(
        [FleetSpec("sensor", count, "sensor", {"period_s": 0.0})],
        clock=clock,
        streams=RandomStreams(0),
        transport=transport,
        thing_tokens=(f"token-{number}" for number in range(count)),
    )
    fleet.start()
    marks: list[tuple[int, float]] = []
    for at_s in (WARM_UP_S, WARM_UP_S + seconds):
        mark = clock.timeout(round(at_s * 1e6))
        mark.callbacks.append(lambda _: marks.append((_acknowledged(fleet), _cpu_s())))
    await clock.play(WARM_UP_S + seconds)
    fleet.close()
    (begun, begun_s), (ended, ended_s) = marks
    problems = [problem for device in fleet.devices for problem in device.account.problems]
    if problems:
        raise SystemExit(f"{len(problems)} problems, the first: {problems[0]}")
    return {"requests": ended - begun, "cpu_s": ended_s - begun_s}


def _acknowledged(fleet: Fleet) -> int:
    return sum(device.account.totals().acknowledged for device in fleet.devices)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


MODES: dict[str, Callable[[str, int, float], dict[str, Any]]] = {
    "raw": raw,
    "sensors": sensors,
    "paced": paced,
    "idle": idle,
}

if __name__ == "__main__":
    mode, url, connections, seconds = sys.argv[1:]
    print(json.dumps(MODES[mode](url, int(connections), float(seconds))))
