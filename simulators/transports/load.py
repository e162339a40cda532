"""
The raw driver: writes as fast as a platform answers, or at a given rate, without a clock.

It measures what the transport itself costs, and what a platform can bear. Each connection is a
device of its own with a sequence number in a fresh JSON body; every answer is parsed and checked.
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

    def __post_init__(self) -> None:
        self.record = self.latency_us.fresh.append  # one for all devices: it is not small

    @property
    def acknowledged(self) -> int:
        """Writes with a good answer."""
        return self.latency_us.count

    @property
    def cpu_us_per_request(self) -> float:
        """CPU of this process, system calls included, for each acknowledged write."""
        return self.cpu_s * 1e6 / self.measured if self.measured else float("nan")


class LoadDevice(Connection):
    """One connection that writes ``{"values": [{"key": …, "value": n}]}`` again and again."""

    def __init__(self, number: int, head: bytes, result: LoadResult) -> None:
        super().__init__()
        self.number = number
        self.sequence = 0
        self.is_running = True
        self.is_idle = True
        self.due_ns = 0
        self._record = result.record
        self._result = result
        self._head = head

    def write(self, due_ns: int) -> None:
        """Send the next value; it was due at ``due_ns`` of the monotonic clock."""
        self.due_ns = due_ns
        self.is_idle = False
        self.sequence += 1
        value = self.number + self.sequence / 8
        body = orjson.dumps({"values": [{"key": "load", "value": value}]})
        self.send(b"".join((self._head, CONTENT_LENGTH[len(body)], body)))

    def answered(self, status: int, body: bytes) -> None:
        """Check the answer, count it, go on."""
        now_ns = monotonic_ns()
        try:
            is_good = orjson.loads(body)["status"] != "error" and status in (200, 201)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            is_good = False
        if is_good:
            self._record((now_ns - self.due_ns) // 1000)
        else:
            self._result.refused[f"status {status}: {body[:60]!r}"] += 1
        self.is_idle = True
        self.next(now_ns)

    def next(self, now_ns: int) -> None:
        """Closed loop: the next write follows the answer."""
        if self.is_running and self.is_reusable:
            self.write(now_ns)

    def lost(self, reason: str) -> None:
        """A connection that ends under way loses its write."""
        self._result.lost += not self.is_idle


class PacedDevice(LoadDevice):
    """Open loop: writes are due at times of their own; those that wait go out after an answer."""

    def __init__(self, number: int, head: bytes, result: LoadResult) -> None:
        super().__init__(number, head, result)
        self.waiting: list[int] = []
        self._delayed = result.delay_us.fresh.append

    def due(self, due_ns: int) -> None:
        """A write falls due."""
        if self.is_idle and self.is_reusable:
            self._delayed((monotonic_ns() - due_ns) // 1000)
            self.write(due_ns)
        else:
            self.waiting.append(due_ns)

    def next(self, now_ns: int) -> None:
        """Send what fell due meanwhile."""
        if self.waiting and self.is_reusable:
            due_ns = self.waiting.pop(0)
            self._delayed((now_ns - due_ns) // 1000)
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
    result = LoadResult()
    devices = await _connect(LoadDevice, base_url, targets, connections, result)
    with _measured(result):
        for device in devices:
            device.write(monotonic_ns())
        await _wait(result, seconds)
    at_end()
    await _finish(devices)
    return result


async def _open(
    base_url: str, targets: Sequence[str], connections: int, rate: float, seconds: float
) -> LoadResult:
    result = LoadResult()
    devices = await _connect(PacedDevice, base_url, targets, connections, result)
    with _measured(result):
        await _pace(devices, round(1e9 / rate), round(seconds * rate), result)
    await _finish(devices)
    return result


async def _connect(
    kind: type[D], base_url: str, targets: Sequence[str], connections: int, result: LoadResult
) -> list[D]:
    endpoint = Endpoint.of(base_url)
    devices = []
    for number in range(connections):
        head = endpoint.head("POST", targets[number % len(targets)])
        head += b"Content-Type: application/json\r\nContent-Length: "
        device = kind(number, head, result)
        await endpoint.connect(lambda device=device: device)  # type: ignore[misc]  # mypy: lambda default
        devices.append(device)
    return devices


async def _wait(result: LoadResult, seconds: float) -> None:
    until_ns = monotonic_ns() + round(seconds * 1e9)
    while (left_ns := until_ns - monotonic_ns()) > 0:
        await pause(min(0.05, left_ns / 1e9))
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


async def _finish(devices: Sequence[LoadDevice]) -> None:
    """Wait a little for the answers under way, then close."""
    for device in devices:
        device.is_running = False
    for _ in range(200):
        if all(device.is_idle or not device.is_reusable for device in devices):
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
