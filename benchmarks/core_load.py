"""One process that writes through the in-memory transport on the virtual clock; prints its cost."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Generator
from typing import Any

from simulators.clock import VirtualClock
from simulators.platforms.memory import MemoryTransport
from simulators.platforms.provisioning import default_provisioning
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.store import open_database
from simulators.transports.http import HttpChannel

DEVICES = 20
BATCH = 500


def device(channel: HttpChannel, thing_token: str) -> Generator[Any, Any, None]:
    """A device that writes a fresh value as soon as the last one was answered."""
    target = f"/v2/things/{thing_token}"
    for number in range(BATCH):
        document = {"values": [{"key": "temperature", "value": number / 10}]}
        answer = yield channel.request("POST", target, document)
        if answer.status not in (200, 201):
            raise SystemExit(f"a write was answered with {answer.status}")


def main(seconds: float) -> None:
    """Whole batches until the time is over; start-up and the first batch are not counted."""
    clock = VirtualClock()
    provisioning = default_provisioning(random.Random(0))
    core = Core(open_database(None), provisioning, random.Random(0))
    transport = MemoryTransport(core, clock)
    tokens = [thing.thing_token for thing in provisioning.things[:DEVICES]]

    def batch() -> None:
        for token in tokens:
            clock.process(device(transport.channel(token), token))
        clock.play(clock.now / 1e6 + 1)

    batch()
    requests, begin = 0, time.process_time()
    while time.process_time() - begin < seconds:
        batch()
        requests += DEVICES * BATCH
    cpu_s = time.process_time() - begin
    rows = core.store.one("SELECT count(*) FROM value")
    if rows != (requests + DEVICES * BATCH,):
        raise SystemExit(f"{requests} writes were answered, stored rows: {rows}")
    print(json.dumps({"requests": requests, "cpu_s": cpu_s}))


if __name__ == "__main__":
    main(float(sys.argv[1]))
