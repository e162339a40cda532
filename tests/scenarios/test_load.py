"""What becomes of a load's values, step by step; numbers by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scenarios.crew import merge
from scenarios.files import FileError
from scenarios.load import Load, breaking_point, measured, percentiles_us, planned_rate_per_s
from scenarios.model import Scenario, from_document
from scenarios.reading import Setting, read_scenario
from scenarios.virtual import play_virtual
from simulators.clock import MICROSECONDS as S
from simulators.devices.account import Sent
from simulators.devices.fleet import FleetSpec

LOAD = Load("sensor", (2, 4, 9), 10 * S, p99_us=200_000, errors=0.1)


def sent(due_us: int, took_us: int | None = 1000, state: Any = "acknowledged") -> Sent:
    entry = Sent(0, "k", 1, due_us, due_us, None)
    if took_us is not None:
        entry.settle(due_us + took_us, state)
    return entry


def test_devices_join_in_the_first_fifth_of_their_step() -> None:
    assert [LOAD.joins_us(number) / S for number in range(1, 10)] == [
        *(0, 1),
        *(10, 11),
        *(20, 20.4, 20.8, 21.2, 21.6),
    ]


def test_percentiles_are_values_that_were_measured() -> None:
    found = percentiles_us(Counter(dict.fromkeys(range(1, 1001), 1)))
    assert found == {"p50": 500, "p90": 900, "p99": 990, "p999": 999, "max": 1000}
    assert percentiles_us(Counter()) == {}
    assert percentiles_us(Counter([7])) == dict.fromkeys(("p50", "p90", "p99", "p999", "max"), 7)


def test_values_belong_to_the_step_in_which_they_fell_due() -> None:
    entries = [sent(0), sent(10 * S - 1, 5 * S), sent(10 * S), sent(29 * S), sent(44 * S)]
    steps = measured(LOAD, entries, 45 * S)
    assert [step.acknowledged for step in steps] == [2, 1, 2]
    assert [step.to_us / S for step in steps] == [10, 20, 45]
    assert [step.due_per_s for step in steps] == [0.2, 0.1, 0.08]
    assert len(measured(LOAD, entries, 15 * S)) == 2


def test_a_value_without_an_answer_is_an_error_once_it_is_late() -> None:
    young, old = sent(10 * S - 100_000, None), sent(10 * S - 300_000, None)
    later = sent(9 * S, 2 * S)  # answered after the time that is looked at
    (step,) = measured(LOAD, [young, old, later], 10 * S - 1)
    assert (step.open, step.unanswered, step.due, step.acknowledged) == (1, 2, 2, 0)


def test_a_step_gives_way_by_latency_or_by_errors() -> None:
    (slow,) = measured(LOAD, [sent(0, 201_000), *(sent(1) for _ in range(50))], 5 * S)
    assert slow.gave_way(LOAD) == "p99 201ms, allowed is 200ms"
    refused = [sent(0, 10, "refused"), sent(0, 10, "failed"), *(sent(0) for _ in range(14))]
    (poor,) = measured(LOAD, refused, 5 * S)
    assert poor.gave_way(LOAD) == "12.50% errors, allowed are 10.00%"
    (good,) = measured(LOAD, [sent(0, 201_000), *(sent(1) for _ in range(99))], 5 * S)
    assert good.gave_way(LOAD) is None


def test_the_breaking_point_is_the_first_step_that_gave_way() -> None:
    entries = [sent(0), sent(10 * S, 300_000), sent(20 * S)]
    assert breaking_point(LOAD, measured(LOAD, entries, 30 * S)) == (
        "gave way at 4 devices (0.1 values/s): p99 300ms, allowed is 200ms; "
        "it carried 2 devices (0.1 values/s)"
    )
    assert breaking_point(LOAD, measured(LOAD, [], S)) == "no value came to an end"


def test_the_planned_rate_is_that_of_everything_that_measures() -> None:
    fleets = [
        FleetSpec("sensor", 10, "a", {"period_s": 0.5}),
        FleetSpec("tracker", 6, "b"),
        FleetSpec("switch", 5, "c"),
    ]
    assert planned_rate_per_s(fleets) == pytest.approx(20.1)
    assert planned_rate_per_s([FleetSpec("sensor", 1, "a", {"period_s": 0})]) == float("inf")


def slow_platform(*, open_loop: bool) -> Scenario:
    """Answers take a second for a while; a sensor is due five times a second."""
    behaviour = {"key": "k", "period_s": 0.2, "open_loop": open_loop}
    return from_document(
        {
            "scenario": {"name": "slow", "duration": "10s", "platform": "thethings-io"},
            "load": {"on": "s", "steps": [1, 2], "every": "3s", "p99": "500ms", "errors": 0.0},
            "fleet": [{"name": "s", "kind": "sensor", "count": 2, "behaviour": behaviour}],
            "fault": [
                {"kind": "latency", "at": "5s", "for": "2s", "on": "platform", "delay": "1s"}
            ],
            "expect": [{"kind": "carries"}, {"kind": "carries", "devices": 1}],
        }
    )


def test_in_an_open_loop_a_slow_answer_makes_those_behind_it_late() -> None:
    patient = play_virtual(slow_platform(open_loop=False))
    impatient = play_virtual(slow_platform(open_loop=True))
    assert [device.account.missed > 0 for device in patient.evidence.devices] == [True, True]
    assert [device.account.missed for device in impatient.evidence.devices] == [0, 0]
    assert [judgement.verdict for _, judgement in impatient.judgements] == ["fail", "pass"]
    late = [
        sum(
            entry.settled_us - entry.due_us > 500_000
            for device in run.evidence.devices
            for entry in device.account.sent
        )
        for run in (patient, impatient)
    ]
    assert late[1] > 2 * late[0] > 0


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("load.steps", "[10, 10]", "expected steps that grow; got '[10, 10]'"),
        ("load.on", "sensors", "did you mean 'sensor'?"),
        ("load.every", "0s", "expected every to be longer than nothing"),
        ("scenario.duration", "20s", "expected a duration in which all 4 steps begin"),
        ("load.p98", "1s", "did you mean 'p99'?"),
        ("scenario.workers", "0", "workers"),
    ],
)
def test_an_impossible_load_is_told(path: str, value: str, message: str) -> None:
    with pytest.raises(FileError) as told:
        read_scenario("campus", [Setting(path, value, f"--set {path}={value}")])
    assert message in str(told.value)


def test_the_last_step_is_the_fleets_count() -> None:
    played = read_scenario("campus", [Setting("load.steps", "[3, 700]", "--set")])
    assert played.device_count == 700


def test_traces_are_merged_in_the_order_of_time_without_cut_lines(tmp_path: Path) -> None:
    texts = [
        '{"type":"header","start":"a"}\n{"at":1,"x":1}\n{"at":5,"x":2}\n{"at":6,"x',
        '{"type":"header","start":"b"}\n{"at":0,"x":3}\n{"at":5,"x":4}\n',
    ]
    parts = [tmp_path / str(number) for number in range(3)]
    for part, text in zip(parts, texts, strict=False):  # the third never began to write
        part.write_text(text)
    with (tmp_path / "trace").open("wb") as trace:
        assert merge(parts, trace, start="c") == 4
    assert (tmp_path / "trace").read_text().splitlines() == [
        '{"type":"header","start":"c"}',
        '{"at":0,"x":3}',
        '{"at":1,"x":1}',
        '{"at":5,"x":2}',
        '{"at":5,"x":4}',
    ]
    assert [part.exists() for part in parts] == [False] * 3
