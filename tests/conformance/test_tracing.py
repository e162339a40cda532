"""A trace that is written while a run lasts."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from conformance.clients.exchange import Exchange, Headers, Heard, answered, unanswered
from conformance.desk import ControllerDesk
from conformance.ledger import Ledger
from conformance.run import Run
from conformance.targets import Target
from conformance.tracing import RunTrace, events_of, is_open
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


def exchange(started: float, ended: float, **more: Any) -> Exchange:
    body = b'{"status":"created"}'
    response = more.pop("response", answered(201, Headers({"X": "y"}), body, 0.1))
    found = Exchange("POST", "/v2/things/" + TOKEN, {"A": "b"}, b"{}", response, started, **more)
    found.ended = ended
    return found


TOKEN = "T" * 39 + "last"
HIDDEN = "<thing_token:1:…last>"


def events(*exchanges: Exchange) -> list[dict[str, Any]]:
    secrets = SecretRegistry()
    secrets.add("thing_token", TOKEN)
    return events_of(exchanges, "test", started=100.0, secrets=secrets)


def test_a_request_stands_as_it_was_sent_and_its_answer_as_it_is_understood() -> None:
    assert events(exchange(100.5, 100.75)) == [
        {
            "at": 500_000, "device": "test", "direction": "uplink", "channel": "http",
            "message": {
                "method": "POST", "target": f"/v2/things/{HIDDEN}", "headers": {"A": "b"},
                "body": "{}",
            },
        },
        {
            "at": 750_000, "device": "test", "direction": "downlink", "channel": "http",
            "message": {"status": 201, "document": {"status": "created"}, "headers": {"x": "y"}},
        },
    ]  # fmt: skip


def test_no_secret_hides_in_what_is_encoded() -> None:
    raw = f"POST /v2/things/{TOKEN} HTTP/1.1\r\n\r\n".encode() + b"\xff"
    [sent, _] = events(exchange(100.0, 101.0, raw=raw))
    data = base64.b64decode(sent["message"]["raw"]["base64"])
    assert data == raw.replace(TOKEN.encode(), HIDDEN.encode())
    assert sent["message"]["answers"] == 1


def test_what_overlaps_was_done_by_several_devices() -> None:
    found = events(exchange(100.0, 100.5), exchange(100.2, 100.3), exchange(100.6, 100.7))
    assert [(each["at"] // 1000, each["device"]) for each in found] == [
        (0, "test"), (200, "test #2"), (300, "test #2"), (500, "test"),
        (600, "test"), (700, "test"),
    ]  # fmt: skip


def test_no_answer_is_a_failure() -> None:
    [_, answer] = events(exchange(100.0, 101.0, response=unanswered("reset", 1.0)))
    assert answer["message"] == {"failure": "reset"}


@pytest.mark.parametrize(
    ("ended", "last"),
    [(None, ("uplink", {"stream_closed": True})), ("cut", ("downlink", {"stream_end": "cut"}))],
)
def test_a_stream_is_told_document_by_document(ended: str | None, last: Any) -> None:
    heard = Heard([(100.2, {"message": "subscribed"}), (101.0, [])], ended, 102.0, is_over=True)
    opened = exchange(
        100.1, 100.2, response=answered(200, Headers(), b"", 0.1), heard=lambda: heard
    )
    assert [
        (each["at"] // 1000, each["direction"], each["message"]) for each in events(opened)
    ] == [
        (100, "uplink", {"method": "GET", "target": f"/v2/things/{HIDDEN}", "stream": True}),
        (200, "downlink", {"stream": {"message": "subscribed"}}),
        (1000, "downlink", {"stream": []}),
        (2000, *last),
    ]


def test_a_stream_that_several_tests_share_stands_in_the_trace_when_it_is_over(
    tmp_path: Path,
) -> None:
    target = Target("thethings-io", "http://127.0.0.1:1")
    ledger = Ledger(tmp_path / "ledger.jsonl", {})
    run = Run(target, ControllerDesk(target, ledger), "rig-1-")
    ledger.close()
    over: list[bool] = []
    shared = exchange(
        run.started, run.started, response=answered(200, Headers(), b"", 0.0),
        heard=lambda: Heard([], None, run.started, is_over=bool(over)),
    )  # fmt: skip
    run.exchanges += [shared, exchange(run.started, run.started)]
    assert is_open(shared)
    assert [each["message"].get("stream") for each in run.told_by("first", 0)] == [None, None]
    over.append(True)
    assert [(each["device"], "stream" in each["message"]) for each in run.told_by("second", 2)] == [
        ("first", True), ("first", False),
    ]  # fmt: skip
    assert run.told_by("third", 2) == []
