"""Steps happen when they are due, used-up codes are passed over, older values are left alone."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from scenarios.engine import Access, World
from scenarios.expectations import judge
from scenarios.files import load_schema, mistakes_in
from scenarios.model import Scenario, from_document
from scenarios.virtual import play_virtual
from simulators.clock import VirtualClock
from simulators.devices.kinds import BEHAVIOURS
from simulators.devices.options import FleetError, option_names
from simulators.devices.outbox import Batches
from simulators.devices.periodic import Period
from simulators.devices.switch import SwitchHabits
from simulators.devices.tracker import Journey
from simulators.platforms.memory import MemoryTransport
from simulators.platforms.provisioning import default_provisioning
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.store import open_database

PROVISIONING = default_provisioning(random.Random(5))
CODES = tuple(each.code for each in PROVISIONING.activation_codes)
TOKENS = tuple(each.thing_token for each in PROVISIONING.things)

ROOM = {
    "name": "room",
    "kind": "sensor",
    "count": 2,
    "behaviour": {"key": "temperature", "shape": "constant", "value": 7, "period_s": 5},
}
LIGHT = {"name": "light", "kind": "switch"}
EXPECT = [
    {"kind": "acknowledged-values-readable"},
    {"kind": "no-duplicates"},
    {"kind": "devices-active"},
]


def scenario(*fleets: dict[str, Any], **tables: Any) -> Scenario:
    about = {"name": "test", "duration": "1min", "platform": "thethings-io"}
    return from_document({"scenario": about, "fleet": list(fleets), "expect": EXPECT, **tables})


@pytest.fixture
def core() -> Iterator[Core]:
    with closing(open_database(None)) as database:
        yield Core(database, PROVISIONING, random.Random(6))


def play(core: Core, played: Scenario, access: Access, start_s: int = 0) -> World:
    clock = VirtualClock()
    clock.start_unix_us += start_s * 1_000_000
    transport = MemoryTransport(core, clock, latency_s=0.02)
    world = World(played, clock=clock, transport=transport, access=access)
    clock.run(until=clock.process(world.conduct()))
    return world


def verdicts(world: World) -> list[str]:
    return [judge(each, world.evidence).verdict for each in world.scenario.expectations]


def test_a_code_that_was_used_is_passed_over(core: Core) -> None:
    access = Access(activation_codes=CODES[:5])
    first = play(core, scenario(ROOM), access)
    second = play(core, scenario(ROOM), access, start_s=100)
    used = [device.credentials.activation_code for device in first.evidence.devices]
    assert used == list(CODES[:2])
    fresh = [device.credentials.activation_code for device in second.evidence.devices]
    assert sorted(map(str, fresh)) == sorted(CODES[2:4])
    assert verdicts(second) == ["pass", "pass", "pass"]


def test_codes_that_run_out_are_followed_by_tokens(core: Core) -> None:
    play(core, scenario(ROOM), Access(activation_codes=CODES[:2]))
    both = Access(activation_codes=CODES[:2], thing_tokens=TOKENS[:3])
    world = play(core, scenario(ROOM), both, start_s=100)
    assert [device.thing_token for device in world.evidence.devices] == list(TOKENS[:2])
    assert verdicts(world) == ["pass", "pass", "pass"]


def test_codes_that_run_out_leave_devices_inactive(core: Core) -> None:
    play(core, scenario(ROOM), Access(activation_codes=CODES[:2]))
    world = play(core, scenario(ROOM), Access(activation_codes=CODES[:2]), start_s=100)
    assert verdicts(world)[2] == "fail"


def test_values_of_an_earlier_run_are_no_duplicates(core: Core) -> None:
    access = Access(thing_tokens=TOKENS[:3])
    turn = [{"at": "30s", "do": "turn", "on": "light", "value": "on"}]
    first = play(core, scenario(ROOM, LIGHT, step=turn), access)
    assert verdicts(first) == ["pass", "pass", "pass"]
    second = play(core, scenario(ROOM, LIGHT, step=turn), access, start_s=100)
    assert verdicts(second) == ["pass", "pass", "pass"]
    rows = [len(stored.rows) for stored in second.evidence.stored.values()]
    assert rows == [12, 12, 2, 1]


def test_too_few_credentials_are_wrong_usage(core: Core) -> None:
    with pytest.raises(FleetError, match="2 devices need as many"):
        play(core, scenario(ROOM), Access(activation_codes=CODES[:1]))


def test_steps_start_turn_and_write() -> None:
    steps = [
        {"at": "20s", "do": "start", "on": "room"},
        {"at": "30s", "do": "turn", "on": "light", "value": "on"},
        {"at": "40s", "do": "write", "on": "room-2", "key": "note", "value": {"a": 1}},
    ]
    trace = io.BytesIO()
    run = play_virtual(scenario(ROOM, LIGHT, step=steps), trace=trace)
    events = [json.loads(line) for line in trace.getvalue().splitlines()]
    assert [(e["at"], e["device"], e["message"]) for e in events if e.get("channel") == "step"] == [
        (20_000_000, "room", {"do": "start", "key": None, "value": None}),
        (30_000_000, "light", {"do": "turn", "key": None, "value": "on"}),
        (40_000_000, "room-2", {"do": "write", "key": "note", "value": {"a": 1}}),
    ]
    assert [problem for event in events for problem in mistakes_in(event, "trace")] == []
    room, other, light = run.evidence.devices
    assert min(entry.sent_us for entry in room.account.sent) >= 20_000_000
    assert [(e.sent_us, e.value) for e in other.account.sent if e.key == "note"] == [
        (40_000_000, {"a": 1})
    ]
    assert [reaction.value for reaction in light.account.reactions] == ["on"]
    assert 30_000_000 < light.account.reactions[0].done_us < 31_000_000
    assert run.verdict == "pass"


@pytest.mark.parametrize(
    ("kind", "factories", "more"),
    [
        ("sensor", [Period, Batches, *BEHAVIOURS.values()], {"key", "shape"}),
        ("switch", [SwitchHabits], set()),
        ("tracker", [Period, Batches, Journey], set()),
    ],
)
def test_the_schema_knows_every_option_of_a_kind(
    kind: str, factories: list[Any], more: set[str]
) -> None:
    known = set(load_schema("scenario")["$defs"][kind]["properties"])
    assert known == more | {name for factory in factories for name in option_names(factory)}


def test_the_schema_knows_every_shape() -> None:
    shapes = load_schema("scenario")["$defs"]["sensor"]["properties"]["shape"]["enum"]
    assert sorted(shapes) == sorted(BEHAVIOURS)
