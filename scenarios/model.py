"""
A scenario as values: what a scenario file says, once it is known to be right.

Knows nothing of clocks and transports; ``engine.py`` plays what is described here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scenarios.durations import microseconds
from scenarios.faults import Fault
from scenarios.load import Load
from scenarios.lorawan.model import Parts, parts_of
from simulators.apps.actor import ActorHabits
from simulators.apps.household import HouseholdHabits
from simulators.clock import DEFAULT_START
from simulators.devices.fleet import FleetSpec

# Kinds of fleets that are no devices, and the option of their behaviour that names the fleets of
# devices which they have to do with.
PEOPLE = {"actor": "turns", "household": "things"}


@dataclass(frozen=True)
class ActorSpec:
    """``count`` people who turn the switches of one fleet."""

    name: str
    count: int
    turns: str
    habits: ActorHabits

    def names(self) -> list[str]:
        """The actors' names."""
        return [f"{self.name}-{number}" for number in range(1, self.count + 1)]


@dataclass(frozen=True)
class HouseholdSpec:
    """``count`` households, among whom the devices of some fleets are dealt out."""

    name: str
    count: int
    things: list[str]
    habits: HouseholdHabits

    def names(self) -> list[str]:
        """The households' names; their phones are called ``home-1-1``, ``home-1-2``."""
        return [f"{self.name}-{number}" for number in range(1, self.count + 1)]


@dataclass(frozen=True)
class Step:
    """Something done once, to a fleet or to one device."""

    at_us: int
    do: str
    on: str
    key: str = ""
    value: Any = None


@dataclass(frozen=True)
class Expectation:
    """What must hold: a kind and its options, spans in whole microseconds, shares as floats."""

    kind: str
    on: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    own_name: str | None = None

    @property
    def name(self) -> str:
        """Its own name, or the kind, and for whom when it is not for all."""
        if self.own_name:
            return self.own_name
        return f"{self.kind} on {self.on}" if self.on else self.kind


@dataclass(frozen=True)
class Scenario:
    """A scenario; times in microseconds."""

    name: str
    sentence: str
    platform: str
    seed: int
    duration_us: int
    latency_us: int
    start: datetime
    fleets: list[FleetSpec]
    actors: list[ActorSpec]
    households: list[HouseholdSpec]
    steps: list[Step]
    faults: list[Fault]
    expectations: list[Expectation]
    load: Load | None = None
    workers: int = 1
    lorawan: Parts | None = None

    @property
    def device_count(self) -> int:
        """How many things it takes."""
        return sum(fleet.count for fleet in self.fleets)


def from_document(document: Mapping[str, Any]) -> Scenario:
    """Read a document that satisfies the schema ``scenario``."""
    about = document["scenario"]
    tables = document["fleet"]
    return Scenario(
        name=about["name"],
        sentence=about.get("sentence", ""),
        platform=about["platform"],
        seed=about.get("seed", 1),
        duration_us=microseconds(about["duration"]),
        latency_us=microseconds(about.get("latency", "20ms")),
        start=_start(about.get("start")),
        fleets=[_fleet(table) for table in tables if table["kind"] not in PEOPLE],
        actors=[_actor(table) for table in tables if table["kind"] == "actor"],
        households=[_household(table) for table in tables if table["kind"] == "household"],
        steps=[_step(table) for table in document.get("step", ())],
        faults=[_fault(table) for table in document.get("fault", ())],
        expectations=[_expectation(table) for table in document.get("expect", ())],
        load=_load(document["load"]) if "load" in document else None,
        workers=about.get("workers", 1),
        lorawan=parts_of(document),
    )


def _start(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else DEFAULT_START


def _fleet(table: Mapping[str, Any]) -> FleetSpec:
    behaviour = dict(table.get("behaviour", {}))
    return FleetSpec(table["kind"], table.get("count", 1), table["name"], behaviour)


def _actor(table: Mapping[str, Any]) -> ActorSpec:
    habits = dict(table["behaviour"])
    turns = habits.pop("turns")
    return ActorSpec(table["name"], table.get("count", 1), turns, ActorHabits(**habits))


def _household(table: Mapping[str, Any]) -> HouseholdSpec:
    habits = dict(table["behaviour"])
    things = habits.pop("things")
    if "watch" in habits:
        habits["watch"] = tuple(habits["watch"])
    return HouseholdSpec(table["name"], table.get("count", 1), things, HouseholdHabits(**habits))


def _load(table: Mapping[str, Any]) -> Load:
    spans = {f"{name}_us": microseconds(table[name]) for name in ("every", "p99")}
    return Load(table["on"], tuple(table["steps"]), errors=table["errors"], **spans)


def _step(table: Mapping[str, Any]) -> Step:
    rest = {name: table[name] for name in ("key", "value") if name in table}
    return Step(microseconds(table["at"]), table["do"], table["on"], **rest)


def _fault(table: Mapping[str, Any]) -> Fault:
    spans = {
        f"{n}_us": microseconds(table[n]) for n in ("delay", "spread", "timeout") if n in table
    }
    return Fault(
        kind=table["kind"],
        at_us=microseconds(table["at"]),
        for_us=microseconds(table["for"]),
        on=table["on"],
        share=table.get("share", 0.0),
        **spans,
    )


def _expectation(table: Mapping[str, Any]) -> Expectation:
    options = {name: value for name, value in table.items() if name not in ("kind", "on", "name")}
    for name, value in options.items():
        options[name] = microseconds(value) if isinstance(value, str) else float(value)
    return Expectation(table["kind"], table.get("on"), options, table.get("name"))
