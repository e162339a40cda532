"""
What goes wrong on purpose between devices and platform, on both clocks alike.

A fault has a kind, a time, and the devices it is for. It works on the devices' channels: neither
the devices nor the platform know that it was made.

* ``outage``: nothing can be reached, answers under way are lost, streams end.
* ``latency``: requests and stream documents are late by ``delay`` and up to ``spread`` more.
* ``loss``: a ``share`` of the requests, or of their answers, gets lost; told after ``timeout``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

import simpy

from simulators.clock import Clock
from simulators.randomness import RandomStreams
from simulators.transports.http import HttpChannel, HttpTransport, Subscription, TransportError

Kind = Literal["outage", "latency", "loss"]
EVERYTHING = "platform"


@dataclass(frozen=True)
class Fault:
    """One fault of a scenario; times in microseconds since the start."""

    kind: Kind
    at_us: int
    for_us: int
    on: str
    delay_us: int = 0
    spread_us: int = 0
    share: float = 0.0
    timeout_us: int = 10_000_000

    @property
    def end_us(self) -> int:
        """When it is over."""
        return self.at_us + self.for_us


class Faults:
    """The faults of a run, and which of them are active for whom."""

    def __init__(self, faults: Iterable[Fault], *, clock: Clock, streams: RandomStreams) -> None:
        self.all = list(faults)
        self.clock = clock
        self._streams = streams
        self._groups: dict[str, set[str]] = {}
        self._channels: list[FaultyChannel] = []

    def group(self, device: str, fleet: str) -> None:
        """Tell to which fleet a device belongs; a phone has its household's name besides."""
        self._groups.setdefault(device, set()).add(fleet)

    def concern(self, fault: Fault, device: str) -> bool:
        """Whether a fault is for that device: by its name, its fleet's, or everybody's."""
        return fault.on == EVERYTHING or self.belongs(device, fault.on)

    def belongs(self, device: str, name: str) -> bool:
        """Whether a name is a device's own or that of a group it belongs to."""
        return name == device or name in self._groups.get(device, ())

    def active(self, device: str, kind: Kind) -> Fault | None:
        """The fault of that kind which a device suffers from at present."""
        now_us = self.clock.now_us()
        for fault in self.all:
            is_now = fault.kind == kind and fault.at_us <= now_us < fault.end_us
            if is_now and self.concern(fault, device):
                return fault
        return None

    def over(self, transport: HttpTransport) -> HttpTransport:
        """The transport with these faults in it; the same one when there are none."""
        return FaultyTransport(transport, self) if self.all else transport

    def channel(self, inner: HttpChannel, device: str) -> FaultyChannel:
        """A channel that suffers from these faults."""
        channel = FaultyChannel(inner, device, self, self._streams.stream("faults", device))
        self._channels.append(channel)
        return channel

    def process(
        self, fault: Fault, tell: Callable[[Fault, str], None]
    ) -> Generator[simpy.Event, Any, None]:
        """Tell when a fault begins and ends, and cut the streams that an outage cuts."""
        yield self.clock.timeout(max(0, fault.at_us - self.clock.now_us()))
        tell(fault, "begins")
        if fault.kind == "outage":
            for channel in self._channels:
                if self.concern(fault, channel.device):
                    channel.cut()
        yield self.clock.timeout(max(0, fault.end_us - self.clock.now_us()))
        tell(fault, "ends")


class FaultyTransport:
    """An HttpTransport whose channels suffer."""

    def __init__(self, inner: HttpTransport, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    def channel(self, device: str) -> HttpChannel:
        """A channel for the device of that name."""
        return self._faults.channel(self._inner.channel(device), device)

    def close(self) -> None:
        """Close the transport below."""
        self._inner.close()


class FaultyChannel:
    """One device's way to its platform, with the faults that concern it."""

    def __init__(self, inner: HttpChannel, device: str, faults: Faults, rng: Random) -> None:
        self.device = device
        self._inner = inner
        self._faults = faults
        self._clock = faults.clock
        self._rng = rng
        self._streams: list[FaultyStream] = []

    def request(self, method: str, target: str, document: Any = None) -> simpy.Event:
        """Send a request, unless a fault keeps it from arriving or its answer from coming back."""
        answered = self._clock.event()
        if self._faults.active(self.device, "outage"):
            self._later(REFUSED_AFTER_US, lambda: _fail(answered, "the platform is out of reach"))
            return answered
        loss = self._faults.active(self.device, "loss")
        if loss and self._rng.random() < loss.share:
            self._later(loss.timeout_us, lambda: _fail(answered, "no answer in time"))
            if self._rng.random() < 0.5:  # the request arrives, its answer does not
                _defuse(self._inner.request(method, target, document))
            return answered

        def send() -> None:
            event = self._inner.request(method, target, document)
            assert event.callbacks is not None
            event.callbacks.append(lambda event: self._pass_on(event, answered))

        self._later(self.delay_us(), send)
        return answered

    def authorize(self, token: str | None) -> None:
        """What is sent with requests to come is no matter of faults."""
        self._inner.authorize(token)

    def subscribe(
        self,
        target: str,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
        document: Any = None,
    ) -> Subscription:
        """Open a stream that an outage ends."""
        stream = FaultyStream(self._clock, self.delay_us, on_document, on_end)
        self._streams = [*(each for each in self._streams if each.is_open), stream]
        if self._faults.active(self.device, "outage"):
            self._later(REFUSED_AFTER_US, stream.cut)
        else:
            stream.inner = self._inner.subscribe(target, stream.document, stream.end, document)
        return stream

    def close(self) -> None:
        """Close the channel below."""
        self._inner.close()

    def cut(self) -> None:
        """End every open stream, as an outage does."""
        for stream in self._streams:
            stream.cut()

    def delay_us(self) -> int:
        """How late the next message is."""
        fault = self._faults.active(self.device, "latency")
        return fault.delay_us + round(self._rng.random() * fault.spread_us) if fault else 0

    def _pass_on(self, event: simpy.Event, answered: simpy.Event) -> None:
        if not event.ok:
            event.defused = True
            _fail(answered, str(event.value))
        elif self._faults.active(self.device, "outage"):
            _fail(answered, "the connection broke before the answer")
        else:
            answered.succeed(event.value)

    def _later(self, delay_us: int, action: Callable[[], None]) -> None:
        if delay_us:
            timeout = self._clock.timeout(delay_us)
            timeout.callbacks.append(lambda _: action())
        else:
            action()


class FaultyStream:
    """A subscription whose documents may be late, in order, and which an outage ends."""

    def __init__(
        self,
        clock: Clock,
        delay_us: Callable[[], int],
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
    ) -> None:
        self.inner: Subscription | None = None
        self.is_open = True
        self._clock = clock
        self._delay_us = delay_us
        self._on_document = on_document
        self._on_end = on_end
        self._due_us = 0

    def document(self, document: Any) -> None:
        """Pass a document on, never before the one that came earlier."""
        self._in_turn(lambda: self._on_document(document))

    def end(self, reason: str) -> None:
        """Pass the end on, after the documents that came before it."""
        self._in_turn(lambda: self._finish(reason))

    def cut(self) -> None:
        """End now; documents still under way are lost."""
        if self.inner is not None:
            self.inner.close()
        if self.is_open:
            self._finish("the platform is out of reach")

    def close(self) -> None:
        """Stop listening."""
        self.is_open = False
        if self.inner is not None:
            self.inner.close()

    def _in_turn(self, action: Callable[[], None]) -> None:
        now_us = self._clock.now_us()
        self._due_us = max(self._due_us, now_us + self._delay_us())
        if self._due_us == now_us:
            self._act(action)
        else:
            timeout = self._clock.timeout(self._due_us - now_us)
            timeout.callbacks.append(lambda _: self._act(action))

    def _act(self, action: Callable[[], None]) -> None:
        if self.is_open:
            action()

    def _finish(self, reason: str) -> None:
        self.is_open = False
        self._on_end(reason)


REFUSED_AFTER_US = 1_000


def _fail(event: simpy.Event, reason: str) -> None:
    event.fail(TransportError(reason))


def _defuse(event: simpy.Event) -> None:
    """Nobody waits for this event; its failure is nobody's either."""
    assert event.callbacks is not None
    event.callbacks.append(lambda event: setattr(event, "defused", True))
