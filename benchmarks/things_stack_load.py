"""
One process: uplinks through the whole embedded network, datagrams in, application messages out.

``python -m benchmarks.things_stack_load DEVICES ACTIVE[,ACTIVE…] SECONDS [quiet|heard]``: so many
registered devices, so many of them, anywhere among all, talking in turn; one measurement for each
number. Each of them talks twice before it counts, as long as it takes: what a device costs when the
server has not heard it since its start is not measured. Prints the costs as JSON. The database is
a file; every 50 datagrams are committed together, as the shell does under load.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from simulators.lorawan.crypto import Session
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.modulation import Lora
from simulators.platforms.effects import Answer, Datagram, Request, StreamDocument
from simulators.platforms.things_stack.bulk import BulkDevice, Kind, load
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.database import open_database
from simulators.platforms.things_stack.provisioning import DEMO_USER, default_provisioning
from simulators.platforms.things_stack.stock import provision
from simulators.platforms.things_stack.tables_of_servers import TABLES
from simulators.wire.semtech_udp import PullData, PushData, RxPk, encode

START_US = 1_706_702_400_000_000
GATEWAY = "00000000000000aa"
ADDRESS = ("192.0.2.1", 40_000)
TOGETHER = 50  # datagrams of one commit
BATCH = 5_000
BEFORE = 2  # uplinks of each device before it counts
SPACING_US = 1_000  # between datagrams, on the virtual clock
ROUND_US = 30_000_000  # from one batch to the next: what was awaited is over then
FAR = 5_000  # counters from one measurement to the next: a device may talk in both
FREQUENCIES = (868_100_000, 868_300_000, 868_500_000)
SF7 = Lora(7, 125_000)
# Devices that the network leaves alone: nothing is desired that they do not have, no status asked.
SETTLED: dict[str, Any] = {
    "rx1_delay": 5,
    "factory_preset_frequencies": [
        "868100000", "868300000", "868500000", "867100000", "867300000", "867500000",
        "867700000", "867900000",
    ],
    "status_time_periodicity": "0s",
    "status_count_periodicity": 0,
}  # fmt: skip


class Network:
    """The network on a virtual clock that the load moves."""

    def __init__(self, path: Path, devices: int, *, now_us: int = START_US) -> None:
        self.connection = open_database(path, TABLES)
        self.core = Core(self.connection, random.Random(0))
        self.now_us = now_us
        self.messages = self.sent = self.told = 0
        self._due_us: int | None = None
        self._key = self._provisioned()
        self._ask(f"/users/{DEMO_USER}/applications", "application", {"application_id": "load"})
        self.add_gateway("gtw1", GATEWAY)
        kind = Kind(mac_settings=SETTLED)
        for first in range(0, devices, BATCH):
            numbers = range(first, min(devices, first + BATCH))
            load(self.core.stack, "load", map(device, numbers), kind, now_us=now_us)
            self.connection.commit()
        self.core.stack.application.outputs.others.append(self._count)
        self.datagram(encode(PullData(1, GATEWAY)))

    def _provisioned(self) -> str:
        provisioning = default_provisioning(random.Random(0))
        provision(self.core.stack, provisioning, tenant="", now_us=self.now_us)
        return next(key.key for key in provisioning.api_keys if key.owner_id == DEMO_USER)

    def add_gateway(self, gateway_id: str, eui: str) -> None:
        """Register a gateway."""
        ids = {"gateway_id": gateway_id, "eui": eui}
        self._ask(f"/users/{DEMO_USER}/gateways", "gateway", ids)

    def _ask(self, path: str, kind: str, ids: dict[str, str]) -> None:
        body = {kind: {"ids": ids}}
        if kind == "gateway":
            body[kind]["frequency_plan_ids"] = ["EU_863_870"]  # type: ignore[assignment]
        self._call(f"/api/v3{path}", body)

    def _call(self, path: str, body: Any) -> None:
        headers = [(b"Authorization", f"Bearer {self._key}".encode())]
        request = Request("POST", path, "", headers, orjson.dumps(body))
        effects = self.core.handle(request, self.now_us)
        answer = effects[0]
        if isinstance(answer, Answer) and answer.status != 200:
            raise SystemExit(f"{path} was answered with {answer.document}")

    def listen(self) -> None:
        """Open a stream of the application's events."""
        body = {"identifiers": [{"application_ids": {"application_id": "load"}}]}
        self._call("/api/v3/events", body)

    def _count(self, *_: Any) -> None:
        self.messages += 1

    def datagram(self, data: bytes) -> None:
        """One datagram, after what was due before it."""
        self.play(self.now_us)
        for effect in self.core.datagram(data, ADDRESS, self.now_us):
            self._note(effect)

    def play(self, until_us: int) -> None:
        """What is due until then."""
        while (due_us := self.core.stack.agenda.next_us) is not None and due_us <= until_us:
            for effect in self.core.timer(0, max(due_us, self.now_us)):
                self._note(effect)

    def _note(self, effect: Any) -> None:
        self.sent += type(effect) is Datagram
        self.told += type(effect) is StreamDocument


def device(number: int) -> BulkDevice:
    """A device of the load; its keys follow from its number."""
    nwk_s_key = number.to_bytes(16, "big")
    dev_addr = f"{0x26000000 + number:08X}"
    return BulkDevice(f"dev-{number}", f"{number:016X}", dev_addr, nwk_s_key, nwk_s_key[::-1])


def session(number: int) -> Session:
    """What protects a device's frames: set up for one, since a million would be memory."""
    one = device(number)
    return Session(one.dev_addr, SessionKeys.legacy(one.nwk_s_key, one.app_s_key))


class Talkers:
    """The devices that talk, each with its counter; making their frames is not measured."""

    def __init__(self, devices: int, active: int, *, first_f_cnt: int) -> None:
        self._numbers = random.Random(active).sample(range(devices), active)
        self._first = first_f_cnt
        self._counters: dict[int, int] = {}
        self._next = 0
        self._token = 0

    def datagrams(self, count: int) -> list[bytes]:
        return [self._datagram() for _ in range(count)]

    def _datagram(self) -> bytes:
        number = self._numbers[self._next]
        self._next = (self._next + 1) % len(self._numbers)
        f_cnt = self._counters[number] = self._counters.get(number, self._first) + 1
        phy = session(number).protect_uplink(f_cnt, 1, b"0123456789")
        self._token = self._token + 1 & 0xFFFF
        where = FREQUENCIES[f_cnt % len(FREQUENCIES)]
        packet = RxPk(self._token * 1000, where, SF7, phy, -60, 9.5, f_cnt % 3)
        return encode(PushData(self._token, GATEWAY, (packet,)))


def measured(network: Network, talkers: Talkers, seconds: float) -> dict[str, Any]:
    """Batches until the time is over; their datagrams are made beforehand, one batch at a time."""
    count, cpu_s = 0, 0.0
    while cpu_s < seconds:
        batch = talkers.datagrams(BATCH)
        before = network.messages
        begin = time.process_time()
        for number, data in enumerate(batch, 1):
            network.now_us += SPACING_US
            network.datagram(data)
            if number % TOGETHER == 0:
                network.connection.commit()
        network.now_us += ROUND_US
        network.play(network.now_us)
        network.connection.commit()
        cpu_s += time.process_time() - begin
        count += BATCH
        if network.messages - before != BATCH:
            raise SystemExit(f"{BATCH} frames became {network.messages - before} messages")
    if network.sent < count:
        raise SystemExit(f"{network.sent} acknowledgements for {count} datagrams")
    return {"uplinks": count, "cpu_s": cpu_s}


def main(devices: int, actives: list[int], seconds: float, listening: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        network = Network(Path(folder) / "state.sqlite", devices)
        if listening == "heard":
            network.listen()
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000)  # as the server's process does
        first = 0
        results = []
        for active in actives:
            talkers = Talkers(devices, active, first_f_cnt=first)
            first += FAR
            for _ in range(BEFORE * -(-active // BATCH)):
                measured(network, talkers, 0.001)
            results.append(measured(network, talkers, seconds))
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"results": results, "resident": resident, "events": network.told}))


if __name__ == "__main__":
    counts = [int(number) for number in sys.argv[2].split(",")]
    main(int(sys.argv[1]), counts, float(sys.argv[3]), (*sys.argv, "quiet")[4])
