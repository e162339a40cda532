"""A trace is the same for the same seed, holds nothing of this machine, and survives a cut."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scenarios.files import mistakes_in
from scenarios.reading import Setting, library, read_scenario
from scenarios.secrets import SecretRegistry
from scenarios.trace import Event, TraceError, TraceWriter, read_trace
from scenarios.virtual import play_virtual

RUN = "from thingrig.commands.run import command; command()"


def play_apart(folder: Path, hash_seed: str, *more: str) -> bytes:
    """The trace of the office, played by a process of its own in a folder of its own."""
    out = folder / f"out-{hash_seed}"
    subprocess.run(
        [sys.executable, "-c", RUN, "office", "--duration", "5min", "--out", str(out), *more],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return (out / "trace.jsonl").read_bytes()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = play_apart(tmp_path, "1"), play_apart(tmp_path, "4242")
    assert first == second
    assert len(first.splitlines()) > 1000
    assert play_apart(tmp_path, "7", "--seed", "2") != first


def played(name: str, duration: str) -> tuple[bytes, set[str]]:
    """A trace, and every secret that its run knew."""
    trace = io.BytesIO()
    settings = [Setting("scenario.duration", duration, "--duration")]
    run = play_virtual(read_scenario(name, settings), trace=trace)
    secrets = {device.credentials.activation_code or "" for device in run.evidence.devices}
    secrets |= {device.thing_token or "" for device in run.evidence.devices}
    return trace.getvalue(), secrets - {""}


@pytest.mark.parametrize("name", library("thethings-io"))
def test_every_line_keeps_the_schema_and_no_secret(name: str) -> None:
    data, secrets = played(name, "3min")
    assert len(secrets) > 10
    text = data.decode()
    assert not [secret for secret in secrets if secret in text]
    for line in text.splitlines():
        assert mistakes_in(json.loads(line), "trace") == []


def test_a_virtual_trace_tells_nothing_of_this_machine() -> None:
    text = played("office", "1min")[0].decode()
    assert "/tmp" not in text
    assert not re.search(r"127\.0\.0\.1|localhost|20(2[5-9]|[3-9]\d)-", text)
    assert {line[:16] for line in text.splitlines()[:1]} == {'{"type":"header"'}


def test_events_stand_in_the_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(played("outage", "15min")[0])
    times = [event.at for event in read_trace(path).events]
    assert times == sorted(times)
    assert times[-1] == 15 * 60 * 1_000_000


def written(events: int) -> bytes:
    file = io.BytesIO()
    writer = TraceWriter(file, {"scenario": "s"}, SecretRegistry())
    for number in range(events):
        writer.event(Event(number, "d", "uplink", "http", {"n": number}))
    return file.getvalue()


def test_a_cut_trace_is_readable_up_to_the_cut(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    data = written(2)
    first_end, second_end = data.index(b"\n") + 1, data.index(b"\n", data.index(b"\n") + 1) + 1
    for size in range(first_end, len(data) + 1):
        path.write_bytes(data[:size])
        trace = read_trace(path)
        whole = (size >= second_end) + (size == len(data))
        assert [event.at for event in trace.events] == list(range(whole))
        assert trace.is_cut == (size not in (first_end, second_end, len(data)))


def test_a_message_too_deep_to_write_leaves_a_line(tmp_path: Path) -> None:
    message: Any = {}
    for _ in range(400):
        message = {"deeper": message}
    file = io.BytesIO()
    TraceWriter(file, {}, SecretRegistry()).event(Event(1, "d", "downlink", "http", message))
    (tmp_path / "trace.jsonl").write_bytes(file.getvalue())
    (event,) = read_trace(tmp_path / "trace.jsonl").events
    assert event.message == {"unwritable": "dict"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", ":1: expected a trace header"),
        (b'{"format":"other/1"}\n', ":1: expected a trace header"),
        (written(0) + b"{\n" + b"{}\n", ":2: expected a JSON document"),
        (written(0) + b"[]\n", ":2: expected a JSON object"),
        (written(0) + b'{"at":1}\n', ":2: expected an event with at, device"),
    ],
)
def test_a_damaged_trace_names_its_line(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(data)
    with pytest.raises(TraceError) as caught:
        read_trace(path)
    assert str(caught.value).startswith(f"{path}{message}")
