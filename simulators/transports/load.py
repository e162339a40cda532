"""
The raw driver: writes as fast as a platform answers, or at a given rate, without a clock.

It measures what the transport itself costs, and what a platform can bear. Each connection is a
device of its own with a growing value in a fresh JSON body; every answer is checked.
In open loop the latency counts from the moment a write was due, so that a slow answer is not
hidden by the writes that it held back.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from simulators.clock import monotonic_ns, pause, process_cpu_ns
from simulators.transports.connection import CONTENT_LENGTH, Connection
from simulators.transports.endpoint import Endpoint
from simulators.transports.event_loop import new_event_loop
from simulators.transports.histogram import Histogram

SORT_S = 0.01  # latencies are counted before they fill the processor's caches


@dataclass
class LoadResult:
    """What came of a run; latencies in microseconds."""

    latency_us: Histogram = field(default_factory=Histogram)
    delay_us: Histogram = field(default_factory=Histogram)  # open loop: from due until sent
    refused: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    elapsed_s: float = 0.0
    cpu_s: float = 0.0
    measured: int = 0  # acknowledged within ``elapsed_s``; the last answers come later

    @property
    def acknowledged(self) -> int:
        """Writes with a good answer."""
        return self.latency_us.count

    @property
    def cpu_us_per_request(self) -> float:
        """CPU of this process, system calls included, for each acknowledged write."""
        return self.cpu_s * 1e6 / self.measured if self.measured else float("nan")


class Work:
    """
    What all connections of a run share.

    One answer after another asks the same of it, so whatever stands here rather than in each of a
    thousand connections stays in the processor's caches.
    """

    __slots__ = ("delayed", "good", "is_over", "item", "record", "result", "values")

    def __init__(self) -> None:
        self.result = LoadResult()
        self.record = self.result.latency_us.fresh.append
        self.delayed = self.result.delay_us.fresh.append
        self.is_over = False
        self.good = b""  # the last body that was found to be good
        self.item = {"key": "load", "value": 0.0}
        self.values = {"values": [self.item]}

    def is_good(self, body: bytes) -> bool:
        """Whether a body acknowledges a write; equal ones need not be parsed again."""
        try:
            is_good = bool(orjson.loads(body)["status"] != "error")
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return False
        if is_good:
            self.good = body
        return is_good


class LoadDevice(Connection):
    """One connection that writes ``{"values": [{"key": …, "value": n}]}`` again and again."""

    __slots__ = ("_head", "due_ns", "value", "work")

    def __init__(self, number: int, head: bytes, work: Work) -> None:
        super().__init__()
        self.work = work
        self.value = float(number)  # a little more with each write
        self.due_ns = 0  # of the write under way; 0 when there is none
        self._head = head

    def write(self, due_ns: int) -> None:
        """Send the next value; it was due at ``due_ns`` of the monotonic clock."""
        work = self.work
        self.due_ns = due_ns
        work.item["value"] = self.value = self.value + 0.125
        body = orjson.dumps(work.values)
        self.send(b"".join((self._head, CONTENT_LENGTH[len(body)], body)))

    def answered(self, status: int, body: bytes) -> None:
        """Check the answer, count it, go on."""
        now_ns = monotonic_ns()
        work = self.work
        if status in (200, 201) and (body == work.good or work.is_good(body)):
            work.record((now_ns - self.due_ns) // 1000)
        else:
            work.result.refused[f"status {status}: {body[:60]!r}"] += 1
        self.due_ns = 0
        self.next(now_ns)

    def next(self, now_ns: int) -> None:
        """Closed loop: the next write follows the answer."""
        if self.is_reusable and not self.work.is_over:
            self.write(now_ns)

    def lost(self, reason: str) -> None:
        """A connection that ends under way loses its write."""
        self.work.result.lost += self.due_ns != 0


class PacedDevice(LoadDevice):
    """Open loop: writes are due at times of their own; those that wait go out after an answer."""

    __slots__ = ("waiting",)

    def __init__(self, number: int, head: bytes, work: Work) -> None:
        super().__init__(number, head, work)
        self.waiting: list[int] = []

    def due(self, due_ns: int) -> None:
        """A write falls due."""
        if not self.due_ns and self.is_reusable:
            self.work.delayed((monotonic_ns() - due_ns) // 1000)
            self.write(due_ns)
        else:
            self.waiting.append(due_ns)

    def next(self, now_ns: int) -> None:
        """Send what fell due meanwhile."""
        if self.waiting and self.is_reusable:
            due_ns = self.waiting.pop(0)
            self.work.delayed((now_ns - due_ns) // 1000)
            self.write(due_ns)


D = TypeVar("D", bound=LoadDevice)


def closed_loop(
    base_url: str,
    targets: Sequence[str],
    *,
    connections: int,
    seconds: float,
    at_end: Callable[[], None] = lambda: None,
) -> LoadResult:
    """
    Write without pause on every connection; connection n uses ``targets[n % len(targets)]``.

    ``at_end`` is called when the time is over, before the connections are closed.

    Raises:
        TransportError: the target could not be reached.
    """
    return _run(_closed(base_url, targets, connections, seconds, at_end))


def open_loop(
    base_url: str,
    targets: Sequence[str],
    *,
    connections: int,
    requests_per_s: float,
    seconds: float,
) -> LoadResult:
    """
    Write at a rate, spread evenly over time and connections, whatever the answers take.

    Raises:
        TransportError: the target could not be reached.
    """
    return _run(_open(base_url, targets, connections, requests_per_s, seconds))


def _run(work: Any) -> LoadResult:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        result: LoadResult = runner.run(work)
        return result


async def _closed(
    base_url: str,
    targets: Sequence[str],
    connections: int,
    seconds: float,
    at_end: Callable[[], None],
) -> LoadResult:
    work = Work()
    result = work.result
    devices = await _connect(LoadDevice, base_url, targets, connections, work)
    with _measured(result):
        for device in devices:
            device.write(monotonic_ns())
        await _wait(result, seconds)
    at_end()
    await _finish(devices, work)
    return result


async def _open(
    base_url: str, targets: Sequence[str], connections: int, rate: float, seconds: float
) -> LoadResult:
    work = Work()
    result = work.result
    devices = await _connect(PacedDevice, base_url, targets, connections, work)
    with _measured(result):
        await _pace(devices, round(1e9 / rate), round(seconds * rate), result)
    await _finish(devices, work)
    return result


async def _connect(
    kind: type[D], base_url: str, targets: Sequence[str], connections: int, work: Work
) -> list[D]:
    endpoint = Endpoint.of(base_url)
    devices = []
    for number in range(connections):
        head = endpoint.head("POST", targets[number % len(targets)])
        head += b"Content-Type: application/json\r\nContent-Length: "
        device = kind(number, head, work)
        await endpoint.connect(lambda device=device: device)  # type: ignore[misc]  # mypy: lambda default
        devices.append(device)
    return devices


async def _wait(result: LoadResult, seconds: float) -> None:
    until_ns = monotonic_ns() + round(seconds * 1e9)
    while (left_ns := until_ns - monotonic_ns()) > 0:
        await pause(min(SORT_S, left_ns / 1e9))
        result.latency_us.sort_in()


async def _pace(
    devices: Sequence[PacedDevice], gap_ns: int, writes: int, result: LoadResult
) -> None:
    start_ns = monotonic_ns()
    sent = 0
    while sent < writes:
        # Whatever is due goes out at once; timers finer than a millisecond do not exist here.
        due = min(writes, (monotonic_ns() - start_ns) // gap_ns + 1)
        for turn in range(sent, due):
            devices[turn % len(devices)].due(start_ns + turn * gap_ns)
        sent = due
        result.latency_us.sort_in()
        result.delay_us.sort_in()
        await pause(0.001)


async def _finish(devices: Sequence[LoadDevice], work: Work) -> None:
    """Wait a little for the answers under way, then close."""
    work.is_over = True
    for _ in range(200):
        if all(not device.due_ns or not device.is_reusable for device in devices):
            break
        await pause(0.01)
    for device in devices:
        device.abort("the run is over")
    await pause(0)


@contextmanager
def _measured(result: LoadResult) -> Iterator[None]:
    """Time and CPU of what happens within, without connecting and closing."""
    began_ns, began_cpu_ns = monotonic_ns(), process_cpu_ns()
    yield
    result.elapsed_s = (monotonic_ns() - began_ns) / 1e9
    result.cpu_s = (process_cpu_ns() - began_cpu_ns) / 1e9
    result.measured = result.latency_us.count
