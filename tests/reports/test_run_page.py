"""The page of a run of LoRaWAN says what run.json says, and nothing of it can break out."""

from __future__ import annotations

import re
from typing import Any

from reports.run_page import run_page

ROW = {"sent": 4, "delivered": 3, "airtime_s": 0.2, "lost": {"collision": 1}}
RUN: dict[str, Any] = {
    "tool": "thingrig",
    "suite_version": "0",
    "scenario": "<b>town</b>",
    "seed": 1,
    "clock": "virtual",
    "target": None,
    "started": "2026-01-01T00:00:00Z",
    "played_s": 60.0,
    "duration_s": 60.0,
    "verdict": "fail",
    "reason": None,
    "counts": {"nodes": 2, "joined": 1},
    "expectations": [
        {"name": "joined", "verdict": "fail", "observed": 2, "reason": "far-1 had not <joined>"},
    ],
    "radio": {
        **ROW,
        "by_data_rate": [{"data_rate": "SF7BW125", **ROW}],
        "by_distance": [{"from_m": 500, "to_m": 1000, **ROW}],
        "by_channel": [{"frequency_hz": 868_100_000, "busy": 0.01, **ROW}],
        "by_gateway": [
            {"name": "roof", "heard": 3, "alone": 2, "downlinks": 1, "sending": 0.0125,
             "lost": {"half duplex": 1}},
        ],
    },
    "nodes": [
        {"name": "near-1", "uplinks": 3, "heard": 3, "data_rate": 5},
        {"name": "far-1", "uplinks": 4, "heard": 1, "data_rate": 0},
    ],
    "failed_joins": [{"node": "far-1", "why": "far-1 has not joined."}],
    "application": {
        "messages": 3, "decoded": 2, "orders": {"queued": 1, "downlink_sent": 4},
        "left_behind": ["gateway x: no answer"], "ids_taken": ["application y"],
    },
}  # fmt: skip


def words(page: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL).split())


def test_a_page_tells_what_held_and_what_was_heard() -> None:
    told = words(run_page(RUN))

    for expected in (
        "1 of 2 nodes on the network; 3 of 4 frames heard (75.00 %)",
        "joined ✗ fail 2 far-1 had not &lt;joined&gt;",
        "SF7BW125 4 75.00 % collision 1",
        "500 to 1000 m 4 75.00 % collision 1",
        "868.1 MHz 4 1.00 % 75.00 % collision 1",
        "roof 3 2 1 1.25 % half duplex 1",
        "far-1 4 25.00 % DR0",
        "far-1 has not joined.",
        "Downlinks ordered 5",
        "gateway x: no answer application y: deleted, its id stays taken",
        "&lt;b&gt;town&lt;/b&gt; · reference server in memory",
    ):
        assert expected in told
    assert "near-1" not in told


def test_a_run_without_anything_has_a_page() -> None:
    silent = {"sent": 0, "delivered": 0, "airtime_s": 0.0, "lost": {}}
    radio = {**silent, "by_data_rate": [], "by_distance": [], "by_channel": [], "by_gateway": []}
    run = {**RUN, "radio": radio, "nodes": [], "failed_joins": [], "verdict": "inconclusive"}
    del run["application"]

    assert "0 of 0 frames heard" in words(run_page(run))
