"""A small city for an hour on the virtual clock: the whole loop over the reference network."""

from __future__ import annotations

import io
import json

import pytest

from scenarios import results
from scenarios.files import mistakes_in
from scenarios.lorawan.networked import NetworkError, play_virtual
from scenarios.model import Scenario
from scenarios.reading import Setting, read_scenario
from scenarios.run import Run

ABOUT = {
    "target": None,
    "settings": {},
    "started": "2026-01-01T00:00:00Z",
    "finished": "2026-01-01T00:00:01Z",
}
SMALL = {
    "scenario.duration": "1h",
    "fleet.*.count": "5",
    "fleet.*.behaviour.period_s": "300",
    "fleet.lamp.behaviour.spread_s": "60",
    "expect.8.within": "12min",
}


def city(**settings: str) -> Scenario:
    changes = {**SMALL, **{key.replace("__", "."): value for key, value in settings.items()}}
    return read_scenario("city", [Setting(key, value, "test") for key, value in changes.items()])


def played(scenario: Scenario) -> tuple[Run, bytes]:
    trace = io.BytesIO()
    return play_virtual(scenario, trace=trace), trace.getvalue()


def test_a_city_lives_and_leaves_nothing() -> None:
    """Joins, losses, messages, counters, windows, switches; the same again, byte for byte."""
    run, trace = played(city())
    again = played(city())[1]

    document = results.document(run, suite_version="0", about=ABOUT)
    assert [(each.name, j.verdict, j.reason) for each, j in run.judgements] == [
        (each.name, "pass", None) for each in run.scenario.expectations
    ]
    assert document["application"]["left_behind"] == []
    assert document["application"]["messages"] > 250
    assert mistakes_in(document, "run") == []
    assert not [line for line in trace.splitlines() if mistakes_in(json.loads(line), "trace")]
    assert trace == again


def test_another_seed_is_another_city() -> None:
    short = {"scenario__duration": "6min", "fleet__*__count": "1"}

    assert played(city(**short))[1] != played(city(scenario__seed="2", **short))[1]


@pytest.mark.parametrize(
    ("region", "plan", "version"),
    [("US915", "US_902_928_FSB_2", "1.0.3"), ("AS923-1", "AS_923", "1.0.4"), ("EU868", "", "1.1")],
)
def test_other_regions_and_versions(region: str, plan: str, version: str) -> None:
    """Nodes that join and nodes that do not, the usual plan or another."""
    settings = {
        "radio__region": region,
        "scenario__duration": "20min",
        "fleet__*__count": "2",
        "fleet__*__behaviour__period_s": "120",
        "expect__losses-explained__at_most": "1.0",  # US915 begins in channels nobody hears
        **({"network__frequency_plan": plan} if plan else {}),
        **{f"fleet__{name}__behaviour__version": f'"{version}"' for name in NODES},
    }
    run, _ = played(city(**settings))

    verdicts = {each.name: j.verdict for each, j in run.judgements}
    assert [name for name, verdict in verdicts.items() if verdict == "fail"] == []
    assert verdicts["delivered-once"] == verdicts["joined"] == verdicts["windows-hit"] == "pass"


NODES = ("meter", "weather", "lamp", "valve", "bus")


def test_what_the_network_refuses_is_told() -> None:
    """The network wants no such delay."""
    with pytest.raises(NetworkError, match=r"PUT /ns/applications/thingrig/devices/.*: "):
        play_virtual(city(network__mac_settings='{ desired_rx1_delay = "never" }'))


def test_a_webhook_is_told_everything_once_too() -> None:
    run, _ = played(city(network__webhook="true", scenario__duration="10min"))

    at = run.evidence.at_network
    verdicts = {each.name: j.verdict for each, j in run.judgements}
    heard, posted = (
        {name: [(u.f_cnt, u.payload) for u in uplinks] for name, uplinks in told.items()}
        for told in (at.application.uplinks, at.application.posted)
    )
    assert verdicts["delivered-once"] == "pass"
    assert heard == posted
    assert heard


def test_downlinks_of_class_c_do_not_overtake_answers() -> None:
    """Orders that come while the windows of an uplink are still ahead."""
    run, _ = played(
        city(
            scenario__duration="5min",
            fleet__lamp__behaviour__period_s="15",
            fleet__lamplighter__behaviour__period_s="2",
            fleet__lamplighter__count="3",
        )
    )

    verdicts = {each.name: (j.verdict, j.reason) for each, j in run.judgements}
    assert verdicts["counters-rise"] == ("pass", None)
    assert verdicts["windows-hit"] == ("pass", None)
