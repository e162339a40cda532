"""The shell without sockets: the same answers and streams in virtual time."""

from __future__ import annotations

import random

import pytest

from simulators.clock import VirtualClock
from simulators.platforms.memory import MemoryTransport
from simulators.transports.http import HttpAnswer, TransportError


class World:
    """A clock, a transport, one device, and everything that happened to it with its time in ms."""

    def __init__(self, bench, **options):
        self.clock = VirtualClock()
        self.transport = MemoryTransport(bench.core, self.clock, **options)
        self.channel = self.transport.channel("sensor-1")
        self.path = f"/v2/things/{bench.thing_token}"
        self.log = []

    def note(self, what):
        self.log.append((self.clock.now_us() // 1000, what))

    def subscribe(self, query=""):
        return self.channel.subscribe(self.path + query, self.note, self.note)

    def write(self, value, query=""):
        document = {"values": [{"key": "t", "value": value}]}
        return self.channel.request("POST", self.path + query, document)

    def play(self, *steps, until_s=10):
        """Run processes, each a generator."""
        for step in steps:
            self.clock.process(step)
        self.clock.play(until_s)
        return self.log


def ask(world, event):
    try:
        world.note((yield event))
    except TransportError as error:
        world.note(str(error))


def test_answer_takes_the_latency_and_carries_values(bench):
    world = World(bench, latency_s=0.2)
    world.play(ask(world, world.write(1)))
    reading = world.channel.request("GET", f"{world.path}/resources/t?limit=5")
    log = world.play(ask(world, reading), until_s=20)
    row = {"key": "t", "value": 1, "datetime": "2024-01-01T00:00:00.100Z"}
    assert log == [
        (200, HttpAnswer(201, {"status": "created"})),
        (10_200, HttpAnswer(200, [row])),
    ]


def test_stream_with_keep_alive(bench):
    world = World(bench)
    subscription = world.subscribe("?keepAlive=2000")

    def life():
        yield world.clock.sleep(3)
        yield world.write(1)
        yield world.clock.sleep(2.5)
        subscription.close()
        yield world.write(2)

    assert world.play(life()) == [
        (0, {"status": "success", "message": "subscribed"}),
        (2000, {}),
        (3000, [{"key": "t", "value": 1}]),
        (5000, {}),
    ]
    assert bench.core.streams.by_id == {}


def test_refused_subscription_ends_with_its_reason(bench):
    world = World(bench)
    world.subscribe("?keepAlive=1")
    assert world.play() == [(0, "refused with status 400")]


def test_documents_of_a_stream_do_not_overtake_each_other(bench):
    world = World(bench, latency_s=0.1, jitter_s=2, rng=random.Random(3))
    world.subscribe()

    def life():
        yield world.clock.sleep(3)
        for value in range(30):
            world.write(value)
            yield world.clock.sleep(3)

    documents = [what for _, what in world.play(life(), until_s=200)]
    values = [what[0]["value"] for what in documents[1:] if what]
    assert values == list(range(30))


def test_fault_on_the_way_there_and_back(bench):
    world = World(bench, latency_s=1.0)
    down = []
    world.transport.fault = lambda device: "outage" if down and device == "sensor-1" else None

    def life():
        down.append(True)
        world.clock.process(ask(world, world.write(1)))
        yield world.clock.sleep(0.7)
        down.clear()
        world.clock.process(ask(world, world.write(2)))
        yield world.clock.sleep(0.7)
        down.append(True)

    world.play(life())
    assert [what for _, what in world.log] == [
        "no way to the platform: outage",
        "no way back from the platform: outage",
    ]
    assert bench.values("t", "?limit=5") == [2]


def test_outage_ends_the_streams_of_its_devices(bench):
    world = World(bench)
    world.subscribe()
    other = world.transport.channel("sensor-2")
    other.subscribe(world.path, lambda _: None, lambda _: pytest.fail("not its outage"))

    def outage():
        yield world.clock.sleep(1)
        world.transport.end_streams("outage", devices=lambda name: name == "sensor-1")

    assert world.play(outage())[1:] == [(1000, "outage")]
    assert len(bench.core.streams.by_id) == 1


def test_jitter_needs_a_generator(bench):
    with pytest.raises(ValueError, match="expected a generator"):
        MemoryTransport(bench.core, VirtualClock(), jitter_s=1)
