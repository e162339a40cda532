"""A trace that is written while a run lasts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.tracing import RunTrace
from scenarios.files import mistakes_in
from scenarios.secrets import SecretRegistry
from scenarios.trace import read_trace

HEADER = {
    "scenario": "thethings-io", "platform": "thethings-io", "seed": None, "clock": "wall",
    "start": "2024-01-01T00:00:00.000000Z", "url": "http://127.0.0.1:1",
}  # fmt: skip


def event(at: int, device: str) -> dict[str, Any]:
    return {"at": at, "device": device, "direction": "uplink", "channel": "http", "message": {}}


def times(path: Path) -> list[int]:
    trace = read_trace(path)
    assert mistakes_in(trace.header, "trace") == []
    return [each.at for each in trace.events]


def test_what_tests_told_is_on_disk_at_once_and_in_order_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    trace = RunTrace(path, HEADER, SecretRegistry())
    trace.add([event(5, "quick"), event(9, "quick")])
    trace.add([event(2, "slow"), event(7, "slow")])
    assert (times(path), read_trace(path).header["duration_us"]) == ([5, 9, 2, 7], None)
    trace.close(duration_us=11)
    assert (times(path), read_trace(path).header["duration_us"]) == ([2, 5, 7, 9], 11)
    assert [each.name for each in tmp_path.iterdir()] == ["trace.jsonl"]
