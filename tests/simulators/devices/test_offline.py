"""Offline batches and trackers against the reference server in memory."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from simulators.clock import VirtualClock
from simulators.devices.fleet import Fleet, FleetSpec, build_fleet
from simulators.devices.outbox import digits, iso
from simulators.devices.tracker import Journey, Tracker, travel
from simulators.platforms.memory import MemoryTransport
from simulators.platforms.provisioning import default_provisioning
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.store import open_database
from simulators.randomness import RandomStreams


class World:
    """The reference server in memory and a fleet on it."""

    def __init__(self, database: sqlite3.Connection, *specs: FleetSpec) -> None:
        self.clock = VirtualClock()
        provisioning = default_provisioning(random.Random(1))
        core = Core(database, provisioning, random.Random(1))
        self.transport = MemoryTransport(core, self.clock, latency_s=0.02)
        self.fleet: Fleet = build_fleet(
            specs,
            clock=self.clock,
            streams=RandomStreams(1),
            transport=self.transport,
            activation_codes=iter([code.code for code in provisioning.activation_codes]),
        )
        self.fleet.start()

    def read(self, key: str) -> list[Any]:
        """The rows of the first device's resource, newest first."""
        channel = self.transport.channel("reader")
        path = f"{self.fleet.devices[0].path}/resources/{key}?limit=1000"
        answer = self.clock.run(until=channel.request("GET", path))
        assert answer.status == 200
        return list(answer.document)


@pytest.fixture
def world_of() -> Iterator[Any]:
    with closing(open_database(None)) as database:
        yield partial(World, database)


@pytest.mark.parametrize("form", ["iso", "digits"])
def test_a_batch_carries_the_times_of_its_samples(world_of: Any, form: str) -> None:
    behaviour = {"key": "temperature", "period_s": 10, "batch_s": 100, "datetime": form}
    world = world_of(FleetSpec("sensor", 1, "logger", behaviour))

    world.clock.play(500)

    sent = [e for e in world.fleet.devices[0].account.sent if e.state == "acknowledged"]
    rows = world.read("temperature")
    assert len(rows) == len(sent) >= 39
    start_us = world.clock.start_unix_us
    whole_us = 1_000_000 if form == "digits" else 1000
    expected = [(start_us + e.due_us) // whole_us * whole_us for e in reversed(sent)]
    assert [(row["value"], row["datetime"]) for row in rows] == [
        (entry.value, iso(unix_us)) for entry, unix_us in zip(reversed(sent), expected, strict=True)
    ]


def test_a_batch_without_answer_is_sent_again(world_of: Any) -> None:
    behaviour = {"key": "temperature", "period_s": 10, "batch_s": 100}
    world = world_of(FleetSpec("sensor", 1, "logger", behaviour))
    world.transport.fault = lambda device: (
        "outage" if 150 < world.clock.now_us() / 1e6 < 250 else None
    )

    world.clock.play(350)

    account = world.fleet.devices[0].account
    attempts = [entry.attempts for entry in account.sent if entry.state == "acknowledged"]
    assert attempts.count(2) == 10
    assert account.totals().failed == 0
    assert len(world.read("temperature")) == len(attempts) >= 29


def test_a_big_batch_is_sent_in_groups_of_a_hundred(world_of: Any) -> None:
    behaviour = {"key": "temperature", "period_s": 1, "batch_s": 250}
    world = world_of(FleetSpec("sensor", 1, "logger", behaviour))

    world.clock.play(260)

    sent = world.fleet.devices[0].account.sent
    groups = Counter(entry.settled_us for entry in sent if entry.state == "acknowledged")
    assert list(groups.values()) == [100, 100, 51]
    assert len(world.read("temperature")) == 251


def test_a_tracker_moves_and_the_platform_knows_where_it_is(world_of: Any) -> None:
    world = world_of(FleetSpec("tracker", 1, "van", {"period_s": 60, "radius_km": 5}))

    world.clock.play(3600)

    van = world.fleet.devices[0]
    last = [entry.value for entry in van.account.sent if entry.key == "$geo"][-1]
    assert world.read("$geo") == [{"key": "$geo", "value": last}]
    assert van.account.totals() == (120, 120, 0, 0, 0)
    points = {tuple(e.value["coordinates"]) for e in van.account.sent if e.key == "$geo"}
    assert len(points) == 60
    for longitude, latitude in points:
        assert abs(latitude - van.identity.latitude) < 0.1
        assert -180 <= longitude <= 180


def test_an_offline_tracker_leaves_its_way_behind(world_of: Any) -> None:
    world = world_of(FleetSpec("tracker", 1, "van", {"period_s": 60, "batch_s": 600}))

    world.clock.play(3600)

    rows = world.read("speed")
    assert len(rows) >= 49
    assert isinstance(world.fleet.devices[0], Tracker)
    assert len({(row["geo"]["lat"], row["geo"]["long"]) for row in rows}) == len(rows)


def test_a_journey_is_as_fast_as_it_says() -> None:
    position = travel(random.Random(1), (0.0, 0.0), Journey(radius_km=100, speed_kmh=36))
    ways = [position(second * 1_000_000) for second in range(0, 3600, 10)]

    km = [
        111.2 * ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5
        for a, b in itertools.pairwise(ways)
    ]

    assert max(km) == pytest.approx(0.1, abs=0.001)
    assert sum(km) == pytest.approx(35.9, abs=1)


def test_dates_as_the_platform_takes_them() -> None:
    unix_us = 1_706_702_400_123_456

    assert iso(unix_us) == "2024-01-31T12:00:00.123Z"
    assert digits(unix_us) == "20240131120000"
