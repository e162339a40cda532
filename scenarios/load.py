"""
A load that grows step by step, and where a platform begins to give way under it.

Every latency counts from the moment at which a value was due, not from when it could be sent: what
a slow answer held back is late as well. Nothing here is sampled or estimated.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from scenarios.durations import written
from simulators.clock import MICROSECONDS
from simulators.devices.account import Sent
from simulators.devices.fleet import FleetSpec
from simulators.transports.histogram import bucket_of

JOINING = 5  # devices join within the first fifth of their step, evenly
SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}


@dataclass(frozen=True)
class Load:
    """
    ``steps[n]`` devices of the fleet ``on`` are at work from ``n * every_us`` on.

    A step gave way when more than one in a hundred values took longer than ``p99_us``, or a share
    of more than ``errors`` was not acknowledged.
    """

    on: str
    steps: tuple[int, ...]
    every_us: int
    p99_us: int
    errors: float

    def joins_us(self, number: int) -> int:
        """When the device of that number, counted from 1, starts."""
        step = next(n for n, devices in enumerate(self.steps) if number <= devices)
        before = self.steps[step - 1] if step else 0
        place = (number - before - 1) / (self.steps[step] - before)
        return step * self.every_us + round(place * self.every_us / JOINING)

    def step_at(self, at_us: int) -> int:
        """Which step is under way; the last one lasts to the end."""
        return min(at_us // self.every_us, len(self.steps) - 1)


@dataclass
class Measured:
    """What became of the values that fell due in one span of time."""

    devices: int
    from_us: int
    to_us: int
    latencies_us: Counter[int] = field(default_factory=Counter)
    refused: int = 0
    failed: int = 0
    unanswered: int = 0  # longer than a step's threshold
    open: int = 0  # too young at the end to say anything

    def add(self, entry: Sent, now_us: int, patience_us: int) -> None:
        """Count one value, as it stood at ``now_us``."""
        if entry.state == "pending" or entry.settled_us > now_us:
            if now_us - entry.due_us > patience_us:
                self.unanswered += 1
            else:
                self.open += 1
        elif entry.state == "acknowledged":
            self.latencies_us[entry.settled_us - entry.due_us] += 1
        elif entry.state == "refused":
            self.refused += 1
        else:
            self.failed += 1

    @property
    def acknowledged(self) -> int:
        """Values with a good answer."""
        return self.latencies_us.total()

    @property
    def errors(self) -> int:
        """Values without one, as far as can be told."""
        return self.refused + self.failed + self.unanswered

    @property
    def due(self) -> int:
        """All values that can be judged."""
        return self.acknowledged + self.errors

    @property
    def due_per_s(self) -> float:
        """The rate that was asked for."""
        return (self.due + self.open) / self._seconds

    @property
    def acknowledged_per_s(self) -> float:
        """The rate that came of it."""
        return self.acknowledged / self._seconds

    @property
    def _seconds(self) -> float:
        return max(self.to_us - self.from_us, 1) / MICROSECONDS

    def percentiles_us(self) -> dict[str, int]:
        """Exact values, of the acknowledged; empty without any."""
        return percentiles_us(self.latencies_us)

    def gave_way(self, load: Load) -> str | None:
        """Which threshold was broken, and by how much; None when none was."""
        if not self.due:
            return None
        share = self.errors / self.due
        if share > load.errors:
            return f"{share:.2%} errors, allowed are {load.errors:.2%}"
        p99_us = self.percentiles_us().get("p99", 0)
        if p99_us > load.p99_us:
            return f"p99 {written(p99_us)}, allowed is {written(load.p99_us)}"
        return None

    def document(self, load: Load) -> dict[str, Any]:
        """For ``run.json``; ``histogram`` holds pairs of microseconds and a count."""
        buckets: Counter[int] = Counter()
        for latency_us, times in self.latencies_us.items():
            buckets[bucket_of(latency_us)] += times
        return {
            "devices": self.devices,
            "from_s": self.from_us / MICROSECONDS,
            "to_s": self.to_us / MICROSECONDS,
            "due_per_s": round(self.due_per_s, 3),
            "acknowledged_per_s": round(self.acknowledged_per_s, 3),
            "acknowledged": self.acknowledged,
            "refused": self.refused,
            "failed": self.failed,
            "unanswered": self.unanswered,
            "open": self.open,
            "latency_ms": {name: us / 1000 for name, us in self.percentiles_us().items()},
            "histogram": sorted(buckets.items()),
            "gave_way": self.gave_way(load),
        }


class Tally:
    """The same, value by value while a run lasts; ``worst`` has errors and slowest per device."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.steps = [
            Measured(devices, number * load.every_us, (number + 1) * load.every_us)
            for number, devices in enumerate(load.steps)
        ]
        self.worst: dict[str, tuple[int, int]] = {}

    def add(self, device: str, entry: Sent, now_us: int) -> None:
        """One more value came to an end."""
        self.steps[self.load.step_at(entry.due_us)].add(entry, now_us, self.load.p99_us)
        errors, slowest_us = self.worst.get(device, (0, 0))
        latency_us = entry.settled_us - entry.due_us
        if entry.state == "acknowledged":
            self.worst[device] = errors, max(slowest_us, latency_us)
        elif entry.state != "pending":
            self.worst[device] = errors + 1, slowest_us

    def begun(self, now_us: int) -> list[Measured]:
        """The steps so far; the present one ends now."""
        found = self.steps[: self.load.step_at(now_us) + 1]
        found[-1].to_us = max(now_us, found[-1].from_us + 1)
        for earlier, later in itertools.pairwise(found):
            earlier.to_us = later.from_us
        return found

    def worst_devices(self, count: int) -> list[tuple[str, int, int]]:
        """Those with most errors, then the slowest: name, errors, microseconds."""
        ranked = sorted(self.worst.items(), key=lambda item: item[1], reverse=True)
        return [(name, *found) for name, found in ranked[:count]]


def planned_rate_per_s(fleets: Iterable[FleetSpec]) -> float:
    """Values per second once every device that measures is at work; batches count as values."""
    options = (
        (fleet.count, fleet.behaviour.get("period_s", 60.0))
        for fleet in fleets
        if fleet.kind != "switch"
    )
    return sum(count / period_s if period_s else math.inf for count, period_s in options)


def measured(load: Load, entries: Iterable[Sent], now_us: int) -> list[Measured]:
    """One account for each step that had begun by ``now_us``."""
    last = load.step_at(now_us)
    found = [
        Measured(devices, number * load.every_us, (number + 1) * load.every_us)
        for number, devices in enumerate(load.steps[: last + 1])
    ]
    found[-1].to_us = now_us
    for entry in entries:
        if entry.due_us < now_us:
            found[load.step_at(entry.due_us)].add(entry, now_us, load.p99_us)
    return found


def percentiles_us(latencies_us: Counter[int]) -> dict[str, int]:
    """The exact value that each share of all does not exceed."""
    found: dict[str, int] = {}
    total, seen = latencies_us.total(), 0
    wanted = list(SHARES.items())
    for value in sorted(latencies_us):
        seen += latencies_us[value]
        while wanted and seen >= wanted[0][1] * total:
            found[wanted.pop(0)[0]] = value
    return found


def breaking_point(load: Load, steps: Iterable[Measured]) -> str:
    """Where the platform began to give way, in one sentence."""
    carried: Measured | None = None
    for step in steps:
        if reason := step.gave_way(load):
            held = f"; it carried {_asked(carried)}" if carried else "; no step before it"
            return f"gave way at {_asked(step)}: {reason}{held}"
        if step.due:
            carried = step
    return f"did not give way up to {_asked(carried)}" if carried else "no value came to an end"


def _asked(step: Measured) -> str:
    return f"{step.devices} devices ({step.due_per_s:.1f} values/s)"
