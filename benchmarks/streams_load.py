"""One process that holds very many subscribers, checks every byte they get, prints what it took."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys

from benchmarks.processes import cpu_s
from simulators.platforms.serving import new_loop
from tests.simulators.platforms.crowd import Crowd, until

WRITES = 50
SIZE = 40  # bytes of a value
SAMPLED = 100  # readers whose times are noted


async def measure(crowd: Crowd, pid: int, readers: int, stalled: int) -> None:
    """Subscribe, write ten times a second, and wait until every reader has everything."""
    steady = await crowd.join(readers)
    sampled = steady[:: max(1, readers // SAMPLED)]
    for reader in await crowd.join(stalled, receive_bytes=4096) if stalled else []:
        reader.transport.pause_reading()
    for reader in sampled:
        reader.times = []
    before_s = cpu_s(pid)
    await crowd.write(0.1)
    await until(lambda: all(map(crowd.has_all, steady)))
    used_s = cpu_s(pid) - before_s
    delays_ms = [delay * 1000 for reader in sampled for delay in crowd.delays(reader)]
    await crowd.leave()
    percentiles = statistics.quantiles(delays_ms, n=100)
    print(
        json.dumps(
            {
                "deliveries": readers * WRITES,
                "cpu_s": used_s,
                "p50_ms": percentiles[49],
                "p99_ms": percentiles[98],
            }
        )
    )


if __name__ == "__main__":
    port, pid, readers, stalled = map(int, sys.argv[1:5])
    crowd = Crowd("127.0.0.1", port, sys.argv[5], WRITES, SIZE, *sys.argv[6:])
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(measure(crowd, pid, readers, stalled))
