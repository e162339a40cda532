"""Each kind of expectation holds for an honest platform, fails for a broken one, and proves
nothing when there was nothing to see."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from scenarios.expectations import judge
from scenarios.expectations.judgement import Judgement
from scenarios.model import Scenario, from_document
from scenarios.virtual import play_virtual
from simulators.transports.http import HttpAnswer
from tests.scenarios.breaking import Broken

SENSORS = {
    "name": "room",
    "kind": "sensor",
    "count": 3,
    "behaviour": {"key": "temperature", "period_s": 5},
}
LIGHTS = {"name": "light", "kind": "switch", "count": 2}
PERSON = {
    "name": "person",
    "kind": "actor",
    "behaviour": {"turns": "light", "period_s": 3, "first_after_s": 2},
}
OUTAGE = {"at": "20s", "for": "10s", "kind": "outage", "on": "light"}


def scenario(expect: dict[str, Any], **tables: Any) -> Scenario:
    about = {"name": "test", "duration": "2min", "platform": "thethings-io", "seed": 3}
    fleets = tables.pop("fleet", [SENSORS, LIGHTS, PERSON])
    return from_document({"scenario": about, "fleet": fleets, "expect": [expect], **tables})


def judged(
    expect: dict[str, Any], *, broken: dict[str, Any] | None = None, **more: Any
) -> Judgement:
    run = play_virtual(scenario(expect, **more), wrap=partial(Broken, **(broken or {})))
    ((_, judgement),) = run.judgements
    assert run.verdict == judgement.verdict
    return judgement


def without(word: str) -> Any:
    """A stream that never shows documents with that word."""
    return lambda documents: [each for each in documents if word not in str(each)]


def hide_a_row(method: str, target: str, document: Any, answer: HttpAnswer) -> HttpAnswer:
    if "limit=1000" in target and isinstance(answer.document, list):
        return HttpAnswer(answer.status, answer.document[1:])
    return answer


def swap_rows(method: str, target: str, document: Any, answer: HttpAnswer) -> HttpAnswer:
    if "temperature?limit=1000" in target and "endDate" not in target:
        first, second, *rest = answer.document
        swapped = [{**first, "value": second["value"]}, {**second, "value": first["value"]}]
        return HttpAnswer(answer.status, [*swapped, *rest])
    return answer


def round_values(method: str, target: str, document: Any, answer: HttpAnswer) -> HttpAnswer:
    if "limit=1000" in target and isinstance(answer.document, list):
        rows = [{**row, "value": "22"} for row in answer.document]
        return HttpAnswer(answer.status, rows)
    return answer


def answering(status: int, word: str) -> Any:
    def answer(method: str, target: str, document: Any, honest: HttpAnswer) -> HttpAnswer:
        if word in f"{method} {target} {document}":
            return HttpAnswer(status, {"status": "error", "message": "no"})
        return honest

    return answer


def is_command(method: str, target: str, document: Any) -> bool:
    return method == "POST" and "turn" in str(document)


FOLLOW = {"kind": "switches-follow", "within": "2s"}
READABLE = {"kind": "acknowledged-values-readable"}
NO_DUPLICATES = {"kind": "no-duplicates"}
IN_ORDER = {"kind": "values-in-order"}
ACTIVE = {"kind": "devices-active", "by": "10s"}
LOSS = {"kind": "loss", "at_most": 0.1}
LATENCY = {"kind": "latency", "at_most": "50ms", "share": 0.99}
RESUBSCRIBED = {"kind": "resubscribed", "within": "30s"}
FAR_AWAY = {
    "fault": [
        {"at": "10s", "for": "90s", "kind": "latency", "on": "platform", "delay": "4s"},
    ]
}


@pytest.mark.parametrize(
    "expect",
    [FOLLOW, READABLE, NO_DUPLICATES, IN_ORDER, ACTIVE, LOSS, LATENCY],
    ids=lambda e: e["kind"],
)
def test_an_honest_platform_passes(expect: dict[str, Any]) -> None:
    judgement = judged(expect)
    assert (judgement.verdict, judgement.reason) == ("pass", None)
    assert judgement.observed > 0


def test_resubscription_after_an_outage_passes() -> None:
    judgement = judged(RESUBSCRIBED, fault=[OUTAGE])
    assert (judgement.verdict, judgement.observed) == ("pass", 2)


@pytest.mark.parametrize(
    ("expect", "broken", "more", "reason"),
    [
        pytest.param(FOLLOW, {"stream": without("turn")}, {}, "did not follow", id="no stream"),
        pytest.param(FOLLOW, {}, FAR_AWAY, "followed after", id="late commands"),
        pytest.param(
            FOLLOW,
            {"answer": answering(500, "turn"), "swallow": is_command},
            {},
            "did not follow; the command was refused",
            id="refused commands",
        ),
        pytest.param(FOLLOW, {"swallow": is_command}, {}, "did not follow", id="commands lost"),
        pytest.param(FOLLOW, {}, {"fault": [OUTAGE]}, "followed after", id="outage judged"),
        pytest.param(READABLE, {"answer": hide_a_row}, {}, "is not in", id="row lost"),
        pytest.param(READABLE, {"answer": round_values}, {}, "is not in", id="value changed"),
        pytest.param(
            READABLE,
            {"swallow": lambda method, target, document: "temperature" in str(document)},
            {},
            "is not in status 404",
            id="never stored",
        ),
        pytest.param(
            READABLE, {"answer": answering(500, "limit=1000")}, {}, "status 500", id="read fails"
        ),
        pytest.param(IN_ORDER, {"answer": swap_rows}, {}, "out of order", id="rows swapped"),
        pytest.param(NO_DUPLICATES, {"repeat_writes": True}, {}, "is stored", id="stored twice"),
        pytest.param(
            NO_DUPLICATES,
            {"stream": lambda documents: documents * 2},
            {},
            "received turn",
            id="delivered twice",
        ),
        pytest.param(NO_DUPLICATES, {"answer": round_values}, {}, "is stored", id="never sent"),
        pytest.param(
            ACTIVE, {"answer": answering(400, "activationCode")}, {}, "was not active", id="refused"
        ),
        pytest.param(LOSS, {"answer": answering(403, "temperature")}, {}, "were lost", id="403"),
        pytest.param(
            LOSS,
            {},
            {"fault": [{"at": "1s", "for": "1min", "kind": "outage", "on": "room"}]},
            "were lost",
            id="outage",
        ),
        pytest.param(LATENCY, {}, FAR_AWAY, "were late", id="slow answers"),
        pytest.param(
            RESUBSCRIBED,
            {},
            {"fault": [OUTAGE, {**OUTAGE, "at": "31s", "for": "1min"}]},
            "subscribed again",
            id="second outage",
        ),
    ],
)
def test_a_broken_platform_fails(
    expect: dict[str, Any], broken: dict[str, Any], more: dict[str, Any], reason: str
) -> None:
    judgement = judged(expect, broken=broken, **more)
    assert judgement.verdict == "fail"
    assert reason in str(judgement.reason)


@pytest.mark.parametrize(
    ("expect", "more"),
    [
        pytest.param(FOLLOW, {"fleet": [SENSORS, LIGHTS]}, id="no commands"),
        pytest.param(FOLLOW, {"fleet": [SENSORS]}, id="no switches"),
        pytest.param(READABLE, {"fleet": [LIGHTS]}, id="no values"),
        pytest.param(NO_DUPLICATES, {"fleet": [LIGHTS]}, id="no rows"),
        pytest.param(IN_ORDER, {"fleet": [LIGHTS]}, id="no order"),
        pytest.param(LOSS, {"fleet": [LIGHTS]}, id="nothing due"),
        pytest.param(LATENCY, {"fleet": [LIGHTS]}, id="nothing timed"),
        pytest.param(RESUBSCRIBED, {}, id="no outage"),
        pytest.param({**ACTIVE, "by": "1h"}, {}, id="over before"),
    ],
)
def test_nothing_seen_is_nothing_proven(expect: dict[str, Any], more: dict[str, Any]) -> None:
    assert judged(expect, **more).verdict == "inconclusive"


def test_values_that_cannot_be_read_are_unclear() -> None:
    judgement = judged(READABLE, broken={"answer": answering(503, "limit=1000")})
    assert judgement.verdict == "inconclusive"
    assert "could not be read: status 503" in str(judgement.reason)


def test_a_scenario_that_expects_nothing_proves_nothing() -> None:
    about = {"name": "test", "duration": "10s", "platform": "thethings-io"}
    run = play_virtual(from_document({"scenario": about, "fleet": [SENSORS]}))
    assert (run.verdict, run.reason) == ("inconclusive", "the scenario expects nothing")


def test_recovery_spares_what_a_fault_touched() -> None:
    judgement = judged({**FOLLOW, "recovery": "30s"}, fault=[OUTAGE])
    assert judgement.verdict == "pass"
    assert judgement.measured["not_judged"] > 0


@pytest.mark.parametrize("expect", [READABLE, NO_DUPLICATES, IN_ORDER], ids=lambda e: e["kind"])
def test_a_resource_first_used_after_the_end_is_no_question(expect: dict[str, Any]) -> None:
    """Commands in the last moments make switches report while everything is read back."""
    many = {**LIGHTS, "count": 50}
    busy = {**PERSON, "behaviour": {"turns": "light", "period_s": 0.01, "first_after_s": 119.5}}
    assert judged(expect, fleet=[SENSORS, many, busy]).verdict == "pass"


@pytest.mark.parametrize("expect", [READABLE, NO_DUPLICATES, IN_ORDER], ids=lambda e: e["kind"])
def test_no_time_to_read_is_inconclusive(expect: dict[str, Any]) -> None:
    played = scenario(expect)
    run = play_virtual(played)
    run.evidence.stored.clear()
    judgement = judge(played.expectations[0], run.evidence)
    assert judgement.verdict == "inconclusive"
    assert "there was no time to read it" in str(judgement.reason)
