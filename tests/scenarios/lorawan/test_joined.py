"""Who had joined, and when a run was too short to tell."""

from __future__ import annotations

import pytest

from scenarios.lorawan.networked import play_virtual

from .playing import changed, played


@pytest.mark.parametrize(
    ("settings", "verdict", "reason"),
    [
        pytest.param({"scenario__duration": "30s"}, "pass", None, id="all joined before it is due"),
        pytest.param(
            {"scenario__duration": "5s"},
            "inconclusive",
            "the scenario was over before 1min: node-1 had not joined: no join request was sent",
            id="over before anybody could",
        ),
        pytest.param(
            {"fleet__node__position": "[90000, 0]"},
            "fail",
            "node-1 had not joined: no answer after 8 requests",
            id="late",
        ),
    ],
)
def test_joined_in_time(settings: dict[str, str], verdict: str, reason: str | None) -> None:
    run, _, _ = played(changed("join", **settings))

    assert (run.judgements[0][1].verdict, run.judgements[0][1].reason) == (verdict, reason)


def test_a_node_that_never_was_switched_on_proves_nothing() -> None:
    scenario = changed(
        "city",
        scenario__duration="10min",
        **{"fleet__*__count": "1", "fleet__weather__behaviour__spread_s": "1000000"},
    )

    run = play_virtual(scenario)

    judgement = run.judgements[0][1]
    assert run.evidence.late[None] == ["weather-1"]
    assert (judgement.verdict, judgement.reason) == (
        "inconclusive", "weather-1 had not joined: no join request was sent",
    )  # fmt: skip


def test_a_short_run_has_everybody_on_in_its_first_quarter() -> None:
    """Though their first period is longer than the run."""
    run = play_virtual(changed("city", scenario__duration="4min", **{"fleet__*__count": "3"}))

    counts = run.evidence.watch.counts
    assert run.judgements[0][1].verdict == "pass"
    assert {node.name for node in run.evidence.nodes} == set(counts)
