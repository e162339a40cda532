"""``run.json`` keeps its schema, tells each device's account, and holds no secret."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from scenarios import results
from scenarios.files import mistakes_in
from scenarios.model import from_document
from scenarios.reading import Setting, library, read_scenario
from scenarios.run import Run
from scenarios.virtual import play_virtual
from simulators.transports.http import HttpAnswer
from tests.scenarios.breaking import Broken

ABOUT: dict[str, Any] = {
    "target": None,
    "settings": {},
    "started": "2024-01-01T00:00:00Z",
    "finished": "2024-01-01T00:00:01Z",
}


def documented(run: Run) -> dict[str, Any]:
    document = results.document(run, suite_version="0", about=ABOUT)
    assert mistakes_in(document, "run") == []
    return document


@pytest.mark.parametrize("name", library("thethings-io"))
def test_results_keep_the_schema_and_no_secret(name: str) -> None:
    run = play_virtual(read_scenario(name, [Setting("scenario.duration", "13min", "test")]))
    text = json.dumps(documented(run))
    for device in run.evidence.devices:
        assert device.thing_token is not None
        assert device.thing_token not in text
        assert str(device.credentials.activation_code) not in text


def small(**broken: Any) -> dict[str, Any]:
    fleet = {
        "name": "room",
        "kind": "sensor",
        "behaviour": {"key": "temperature", "period_s": 5},
    }
    about = {"name": "small", "duration": "1min", "platform": "thethings-io"}
    expect = [{"kind": "acknowledged-values-readable"}, {"kind": "no-duplicates"}]
    scenario = from_document({"scenario": about, "fleet": [fleet], "expect": expect})
    return documented(play_virtual(scenario, wrap=partial(Broken, **broken)))


def test_an_honest_account() -> None:
    (device,) = small()["devices"]
    assert device["sent"] == device["acknowledged"] == device["stored"]["rows"] == 12
    assert device["latency_ms"] == {"p50": 20.0, "p99": 20.0, "max": 20.0}
    assert device["stored"] == {"rows": 12, "lost": 0, "duplicated": 0, "reordered": 0}


def changed(rows: Any) -> Any:
    def answer(method: str, target: str, document: Any, honest: HttpAnswer) -> HttpAnswer:
        if "limit=1000&" not in target and "limit=1000" in target:
            return HttpAnswer(200, rows(honest.document))
        return honest

    return answer


def test_rows_that_are_missing_are_lost() -> None:
    results = small(answer=lambda m, t, d, a: changed(lambda rows: rows[2:])(m, t, d, a))
    (device,) = results["devices"]
    assert device["stored"] == {"rows": 10, "lost": 2, "duplicated": 0, "reordered": 0}
    assert results["verdict"] == "fail"
    assert results["expectations"][0]["broken"] == 2


def test_writes_that_are_stored_twice_are_duplicated() -> None:
    (device,) = small(repeat_writes=True)["devices"]
    assert device["stored"] == {"rows": 24, "lost": 0, "duplicated": 12, "reordered": 0}


def test_rows_in_another_order_are_reordered() -> None:
    def swap(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        first, second, *rest = rows
        return [{**first, "value": second["value"]}, {**second, "value": first["value"]}, *rest]

    (device,) = small(answer=changed(swap))["devices"]
    assert device["stored"] == {"rows": 12, "lost": 0, "duplicated": 0, "reordered": 1}
