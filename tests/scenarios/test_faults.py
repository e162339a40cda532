"""What a fault does to a device's messages, and that it does nothing to others."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from scenarios.faults import Fault, Faults
from simulators.clock import VirtualClock
from simulators.randomness import RandomStreams
from simulators.transports.http import HttpAnswer, HttpChannel, Subscription, TransportError

SECOND = 1_000_000


class Echo:
    """A platform that answers after 10 ms with what it was asked; its streams are in our hands."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.arrived: list[tuple[int, str]] = []
        self.listeners: list[Callable[[Any], None]] = []
        self.closed = 0

    def channel(self, device: str) -> HttpChannel:
        return self

    def request(self, method: str, target: str, document: Any = None) -> simpy.Event:
        self.arrived.append((self.clock.now_us(), target))
        return self.clock.timeout(10_000, HttpAnswer(200, target))

    def subscribe(
        self,
        target: str,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
        document: Any = None,
    ) -> Subscription:
        self.listeners.append(on_document)
        return _Open(self)

    def close(self) -> None:
        pass


class _Open:
    def __init__(self, echo: Echo) -> None:
        self._echo = echo

    def close(self) -> None:
        self._echo.closed += 1


class Bench:
    """One device on a platform with faults; ``heard`` is what the device got, and when."""

    def __init__(self, *faults: Fault, device: str = "room-1", seed: int = 1) -> None:
        self.clock = VirtualClock()
        self.echo = Echo(self.clock)
        self.faults = Faults(faults, clock=self.clock, streams=RandomStreams(seed))
        self.faults.group("room-1", "room")
        self.channel = self.faults.over(self.echo).channel(device)
        self.heard: list[tuple[int, Any]] = []
        self.told: list[tuple[int, str]] = []
        for fault in faults:
            self.clock.process(self.faults.process(fault, self._tell))

    def ask(self, at_s: float, target: str = "/a") -> None:
        def process() -> Generator[simpy.Event, Any, None]:
            yield self.clock.sleep(at_s)
            try:
                answer = yield self.channel.request("GET", target)
                self.hear(answer.document)
            except TransportError as problem:
                self.hear(str(problem))

        self.clock.process(process())

    def hear(self, what: Any) -> None:
        self.heard.append((self.clock.now_us(), what))

    def _tell(self, fault: Fault, state: str) -> None:
        self.told.append((self.clock.now_us(), state))


def outage(on: str) -> Fault:
    return Fault("outage", SECOND, SECOND, on)


def test_an_outage_fails_requests_from_its_begin_to_its_end() -> None:
    bench = Bench(outage("room"))
    for at_s in (0.5, 0.995, 1.5, 2.0):
        bench.ask(at_s)
    bench.clock.play(3)
    assert bench.heard == [
        (510_000, "/a"),
        (1_005_000, "the connection broke before the answer"),
        (1_501_000, "the platform is out of reach"),
        (2_010_000, "/a"),
    ]
    assert [at for at, _ in bench.echo.arrived] == [500_000, 995_000, 2_000_000]
    assert bench.told == [(SECOND, "begins"), (2 * SECOND, "ends")]


def test_an_outage_of_others_changes_nothing() -> None:
    for on in ("hall", "room-2"):
        bench = Bench(outage(on))
        bench.ask(1.5)
        bench.clock.play(3)
        assert bench.heard == [(1_510_000, "/a")]


def test_an_outage_can_be_for_a_device_or_for_everybody() -> None:
    for on in ("room-1", "room", "platform"):
        bench = Bench(outage(on))
        bench.ask(1.5)
        bench.clock.play(3)
        assert bench.heard == [(1_501_000, "the platform is out of reach")]


def test_an_outage_ends_streams_and_refuses_new_ones() -> None:
    bench = Bench(outage("room"))
    bench.channel.subscribe("/s", bench.hear, lambda reason: bench.hear(f"end: {reason}"))
    bench.clock.play(0.5)
    bench.echo.listeners[0]({"n": 1})
    bench.clock.play(1.5)
    bench.echo.listeners[0]({"n": 2})
    bench.channel.subscribe("/s", bench.hear, lambda reason: bench.hear(f"end: {reason}"))
    bench.clock.play(3)
    assert bench.heard == [
        (500_000, {"n": 1}),
        (SECOND, "end: the platform is out of reach"),
        (1_501_000, "end: the platform is out of reach"),
    ]
    assert (len(bench.echo.listeners), bench.echo.closed) == (1, 1)


def test_latency_delays_requests_and_keeps_documents_in_order() -> None:
    bench = Bench(Fault("latency", 0, 10 * SECOND, "room", delay_us=300_000, spread_us=200_000))
    bench.ask(1)
    bench.channel.subscribe("/s", bench.hear, bench.hear)
    bench.clock.play(2)
    for number in range(20):
        bench.echo.listeners[0](number)
    bench.clock.play(4)
    (answered, _), *documents = bench.heard
    assert 1_310_000 <= answered <= 1_510_000
    assert [each for _, each in documents] == list(range(20))
    assert all(2_300_000 <= at <= 2_500_000 for at, _ in documents)


def test_loss_takes_its_share_of_requests_and_answers() -> None:
    bench = Bench(Fault("loss", 0, 1000 * SECOND, "room", share=0.3, timeout_us=2 * SECOND))
    for number in range(500):
        bench.ask(number, f"/{number}")
    bench.clock.play(600)
    lost = [at for at, what in bench.heard if what == "no answer in time"]
    assert len(bench.heard) == 500
    assert 110 <= len(lost) <= 190
    assert all(at % SECOND == 0 for at in lost)  # two seconds after the request
    arrived_unanswered = len(bench.echo.arrived) - (500 - len(lost))
    assert 0.3 <= arrived_unanswered / len(lost) <= 0.7


def test_no_faults_leave_the_transport_as_it_is() -> None:
    clock = VirtualClock()
    echo = Echo(clock)
    assert Faults([], clock=clock, streams=RandomStreams(1)).over(echo) is echo
