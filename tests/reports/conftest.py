"""A small made-up run in the shape that the conformance plugin writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Line = dict[str, Any]
LEVELS = ("must", "should", "info")
VERDICTS = ("pass", "fail", "inconclusive", "error", "not applicable", "not run")

# id, level, endpoint, sentence, verdict
REQUIREMENTS = [
    ("TIO-PING-001", "must", "GET /v2/", "The greeting without session answers 401", "pass"),
    ("TIO-WR-001", "must", "POST /v2/things/{token}", "A write is answered with 201", "pass"),
    ("TIO-RD-003", "must", "GET …/resources/{key}", "The end date is exclusive", "fail"),
    ("TIO-RD-004", "should", "GET …/resources/{key}", "A read is sent in one block", "fail"),
    ("TIO-SUB-002", "must", "GET /v2/things/{token}", "A keep-alive comes in time", "inconclusive"),
    ("TIO-FW-001", "must", "GET …/firmwares/latest", "The newest is named", "not applicable"),
    ("TIO-TAG-001", "info", "POST …/tags", "A tag is created", "pass"),
]
EXCHANGE = {
    "request": {
        "method": "GET",
        "target": "/v2/things/<thing_token:1:…9vQz>/resources/t?endDate=20240131120000",
        "headers": {"Accept": "*/*"},
        "body": "",
    },
    "response": {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": '[{"key":"t","value":1,"datetime":"2024-01-31T12:00:00.000Z"}]',
    },
    "error": None,
    "elapsed_ms": 3.2,
}


def _test(identifier: str, verdict: str) -> Line:
    failed = verdict == "fail"
    reasons = {
        "inconclusive": "the stream could not be opened: 503",
        "not applicable": "the target lacks firmware",
    }
    return {
        "type": "test",
        "test": f"conformance/thethings_io/test_read.py::test_{identifier[4:].lower()}",
        "requirements": [identifier],
        "verdict": verdict,
        "reason": reasons.get(verdict),
        "expected": [] if failed else None,
        "actual": [{"key": "t", "value": 1}] if failed else None,
        "observed": [{"what": "status of a tag", "value": 201}] if "TAG" in identifier else [],
        "duration_s": 0.0125,
        "evidence": {
            "exchanges": [EXCHANGE],
            "curl": ['curl -s "http://127.0.0.1:6001/v2/things/$THING_TOKEN/resources/t"'],
        }
        if failed
        else {"exchanges": [], "curl": []},
        "worker": None,
    }


def _counts() -> dict[str, Any]:
    def tally(level: str | None) -> dict[str, Any]:
        found = [row[4] for row in REQUIREMENTS if level in (None, row[1])]
        return {verdict: found.count(verdict) for verdict in VERDICTS} | {"waived": 0}

    return tally(None) | {level: tally(level) for level in LEVELS}


def sample_lines() -> list[Line]:
    """Header, seven tests, footer."""
    header = {
        "type": "header",
        "schema": "thingrig-results/1",
        "tool": "thingrig",
        "suite_version": "0.1.0",
        "profile": "thethings-io/device",
        "scope": "full",
        "target": {
            "platform": "thethings-io",
            "url": "http://127.0.0.1:6001",
            "kind": "remote",
            "lacks": ["firmware"],
        },
        "started": "2026-11-20T10:00:00.000Z",
        "prefix": "tr7f3a",
        "requirements": [
            {
                "id": identifier,
                "sentence": sentence,
                "level": level,
                "profile": "thethings-io/device",
                "endpoint": endpoint,
                "source": "Developer center, Things",
            }
            for identifier, level, endpoint, sentence, _ in REQUIREMENTS
        ],
    }
    tests = [_test(row[0], row[4]) for row in REQUIREMENTS]
    footer = {
        "type": "footer",
        "finished": "2026-11-20T10:00:24.000Z",
        "verdict": "not certified",
        "reason": None,
        "counts": _counts(),
        "requirements": [
            {
                "id": row[0],
                "level": row[1],
                "verdict": row[4],
                "tests": [test["test"]],
                "waiver": None,
            }
            for row, test in zip(REQUIREMENTS, tests, strict=True)
        ],
        "left_behind": [
            {"kind": "thing", "what": "tr7f3a-1", "why": "the API cannot remove things"}
        ],
        "not_covered": ["MQTT transport", "chapter Cloud code"],
        "executed": 7,
    }
    return [header, *tests, footer]


@pytest.fixture
def lines() -> list[Line]:
    return sample_lines()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[list[Line]], Path]:
    """Writes lines as a results file and gives its path."""

    def write(lines: list[Line]) -> Path:
        path = tmp_path / "results.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="ascii")
        return path

    return write
