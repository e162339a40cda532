"""On the wall clock a scenario comes to the same verdicts as on the virtual one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from scenarios import wall
from scenarios.engine import Access
from scenarios.model import Scenario, from_document
from scenarios.run import Run
from scenarios.virtual import play_virtual
from simulators.platforms.embedded import Embedded, embedded_server
from simulators.transports.event_loop import new_event_loop


@pytest.fixture(scope="module")
def server() -> Iterator[Embedded]:
    with embedded_server("thethings-io", seed=11) as server:
        yield server


def target(server: Embedded) -> wall.Target:
    credentials = server.target["credentials"]
    return wall.Target(server.url, Access(tuple(credentials["activation_codes"])))


def play_wall(scenario: Scenario, server: Embedded) -> Run:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(wall.play_wall(scenario, target(server)))


def verdicts(run: Run) -> dict[str, str]:
    return {expectation.name: judgement.verdict for expectation, judgement in run.judgements}


def scenario(**tables: Any) -> Scenario:
    about = {"name": "both", "duration": "6s", "platform": "thethings-io", "seed": 4}
    fleets = [
        {
            "name": "room",
            "kind": "sensor",
            "count": 5,
            "behaviour": {"key": "temperature", "period_s": 0.5},
        },
        {
            "name": "van",
            "kind": "tracker",
            "count": 2,
            "behaviour": {"period_s": 0.5, "batch_s": 2},
        },
        {"name": "light", "kind": "switch", "count": 3, "behaviour": {"reaction_s": 0.01}},
        {
            "name": "person",
            "kind": "actor",
            "behaviour": {"turns": "light", "period_s": 0.3, "first_after_s": 0.5},
        },
    ]
    return from_document({"scenario": about, "fleet": fleets, **tables})


def test_without_faults(server: Embedded) -> None:
    expect: list[dict[str, Any]] = [
        {"kind": "switches-follow", "within": "1s"},
        {"kind": "acknowledged-values-readable"},
        {"kind": "no-duplicates"},
        {"kind": "devices-active", "by": "2s"},
        {"kind": "loss", "at_most": 0},
        {"kind": "latency", "at_most": "1s"},
        {"kind": "resubscribed", "within": "1s"},
    ]
    played = scenario(expect=expect)
    on_wall = play_wall(played, server)
    assert verdicts(on_wall) == verdicts(play_virtual(played))
    assert verdicts(on_wall) == {
        **dict.fromkeys((each["kind"] for each in expect), "pass"),
        "resubscribed": "inconclusive",
    }


def test_with_an_outage(server: Embedded) -> None:
    expect: list[dict[str, Any]] = [
        {"kind": "switches-follow", "within": "300ms"},
        {"kind": "acknowledged-values-readable"},
        {"kind": "loss", "on": "room", "at_most": 0.01},
        {"kind": "resubscribed", "within": "2500ms"},
    ]
    fault = [{"at": "1s", "for": "1500ms", "kind": "outage", "on": "platform"}]
    played = scenario(expect=expect, fault=fault)
    on_wall = play_wall(played, server)
    assert verdicts(on_wall) == verdicts(play_virtual(played))
    assert verdicts(on_wall) == {
        "switches-follow": "fail",
        "acknowledged-values-readable": "pass",
        "loss on room": "fail",
        "resubscribed": "pass",
    }


def test_a_server_that_is_not_there() -> None:
    nowhere = wall.Target("http://127.0.0.1:1", Access(("code",) * 20))
    with (
        pytest.raises(wall.UnreachableError, match=r"http://127\.0\.0\.1:1 gave no answer"),
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        runner.run(wall.play_wall(scenario(), nowhere))
