"""A load on the wall clock: several processes, one trace, one verdict; ways to break off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scenarios import crew
from scenarios.files import mistakes_in
from scenarios.trace import Trace, read_trace
from simulators.platforms.embedded import Embedded, embedded_server
from thingrig.cli import exit_code

CAMPUS = """\
[scenario]
name = "yard"
duration = "{duration}"
platform = "thethings-io"
workers = 2

[load]
on = "sensor"
steps = [4, 12]
every = "1s"
p99 = "{p99}"
errors = 0.0

[[fleet]]
name = "sensor"
kind = "sensor"
behaviour = {{ key = "temperature", period_s = 0.2, open_loop = true }}

[[fleet]]
name = "light"
kind = "switch"
count = 2

[[fleet]]
name = "person"
kind = "actor"
behaviour = {{ turns = "light", period_s = 0.1, first_after_s = 0.4 }}

[[expect]]
kind = "carries"

[[expect]]
kind = "acknowledged-values-readable"

[[expect]]
kind = "switches-follow"
within = "800ms"
"""


def scenario(folder: Path, *, duration: str = "2s", p99: str = "900ms") -> str:
    path = folder / "yard.toml"
    path.write_text(CAMPUS.format(duration=duration, p99=p99))
    return str(path)


def results(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "run.json").read_text())
    assert mistakes_in(document, "run") == []
    return document


def trace_in_order(folder: Path) -> Trace:
    text = (folder / "trace.jsonl").read_text().splitlines()
    assert [mistakes_in(json.loads(line), "trace") for line in text[:200]] == [[]] * len(text[:200])
    trace = read_trace(folder / "trace.jsonl")
    assert not trace.is_cut
    times = [event.at for event in trace.events]
    assert times == sorted(times)
    return trace


def test_two_workers_come_to_one_trace_and_one_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert exit_code(["run", scenario(tmp_path), "--clock", "wall", "--out", str(out)]) == 0
    found, trace = results(out), trace_in_order(out)
    assert [each["verdict"] for each in found["expectations"]] == ["pass"] * 3
    assert {d["name"] for d in found["devices"] if d["active"]} == {
        *(f"sensor-{number}" for number in range(1, 13)),
        "light-1",
        "light-2",
    }
    written = [
        event
        for event in trace.events
        if event.channel == "http" and "values" in str(event.message.get("document"))
    ]
    assert {f"sensor-{number}" for number in range(1, 13)} <= {event.device for event in written}
    tokens = {each.message["target"] for each in written if each.device.startswith("sensor")}
    assert len(tokens) == 12  # a placeholder of its own for each thing, whichever process it was in
    assert sorted(path.name for path in out.iterdir()) == ["run.json", "trace.jsonl"]
    told = capsys.readouterr()
    assert "the platform did not give way up to 12 devices" in told.out
    assert "12 devices" in told.err.splitlines()[-1]


def test_latencies_are_counted_one_by_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert exit_code(["run", scenario(tmp_path), "--clock", "wall", "--out", str(out)]) == 0
    steps = results(out)["load"]["steps"]
    assert [step["devices"] for step in steps] == [4, 12]
    for step in steps:
        assert sum(times for _, times in step["histogram"]) == step["acknowledged"] > 0
        assert step["latency_ms"]["p50"] <= step["latency_ms"]["p99"] <= step["latency_ms"]["max"]


def test_a_threshold_that_is_broken_is_told_with_its_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    path = scenario(tmp_path, p99="0.01ms")
    assert exit_code(["run", path, "--clock", "wall", "--out", str(out)]) == 1
    assert "the platform gave way at 4 devices" in capsys.readouterr().out
    assert "no step before it" in results(out)["load"]["breaking_point"]


@pytest.fixture
def server() -> Iterator[Embedded]:
    with embedded_server("thethings-io", seed=0) as server:
        yield server


def start(folder: Path, server: Embedded) -> subprocess.Popen[str]:
    """A long run as a process, from the moment at which values are written."""
    argv = [sys.executable, "-m", "thingrig", "run", scenario(folder, duration="60s")]
    argv += ["--url", server.url, "--out", str(folder / "out")]
    pipe = subprocess.PIPE
    process = subprocess.Popen(argv, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    traces = [folder / "out" / f"trace-{number}.jsonl" for number in (1, 2)]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if all(path.exists() and path.stat().st_size > 20_000 for path in traces):
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate())


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Those children that were started to work; one more keeps books for multiprocessing."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [pid for pid in map(int, children) if "spawn_main" in _command(pid)]


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def check_partial(folder: Path, process: subprocess.Popen[str], reason: str) -> dict[str, Any]:
    """An honest report of what there was, exit code 3, and nothing left running."""
    told, problems = process.communicate(timeout=40)
    assert (process.returncode, "Traceback" in problems) == (3, False), told + problems
    found = results(folder / "out")
    assert (found["verdict"], found["interrupted"]) == ("inconclusive", True)
    assert reason in found["reason"]
    assert reason in told
    assert {each["verdict"] for each in found["expectations"]} == {"inconclusive"}
    assert found["counts"]["acknowledged"] > 20
    assert found["load"]["steps"][0]["acknowledged"] > 0
    assert 0 < found["played_s"] < 50
    trace = trace_in_order(folder / "out")
    assert {"sensor-1", "sensor-2"} <= {event.device for event in trace.events}
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["run.json", "trace.jsonl"]
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_an_interrupt_keeps_what_was_measured(tmp_path: Path, server: Embedded) -> None:
    process = start(tmp_path, server)
    workers = workers_of(process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    check_partial(tmp_path, process, "interrupted after")
    assert len(workers) == 2
    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_worker_ends_the_run(tmp_path: Path, server: Embedded) -> None:
    process = start(tmp_path, server)
    os.kill(workers_of(process)[-1], signal.SIGKILL)
    found = check_partial(tmp_path, process, "was killed by SIGKILL")
    kept = {each["name"]: each["acknowledged"] for each in found["devices"]}
    assert kept["sensor-1"] > 0  # of either worker
    assert kept["sensor-2"] > 0


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_worker_that_falls_silent_ends_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "SILENT_NS", 10**9)
    trace = tmp_path / "out" / "trace-2.jsonl"

    def silence() -> None:
        while not trace.exists() or trace.stat().st_size < 20_000:
            time.sleep(0.05)
        task = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        workers = [pid for pid in map(int, task) if "spawn_main" in _command(pid)]
        os.kill(workers[-1], signal.SIGSTOP)

    threading.Thread(target=silence, daemon=True).start()
    path = scenario(tmp_path, duration="60s")
    assert exit_code(["run", path, "--clock", "wall", "--out", str(tmp_path / "out")]) == 3
    assert "fell silent after" in capsys.readouterr().out
    assert results(tmp_path / "out")["counts"]["acknowledged"] > 20


def test_a_server_that_dies_ends_the_run(tmp_path: Path, server: Embedded) -> None:
    process = start(tmp_path, server)
    server.process.kill()
    found = check_partial(tmp_path, process, "the platform was gone")
    assert found["counts"]["failed"] > 0


def test_a_load_stays_on_loopback_unless_told_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # An address of nobody's: a documentation network. Nothing is sent before the refusal.
    run = ["run", scenario(tmp_path), "--url", "http://192.0.2.1", "--out", str(tmp_path / "out")]
    assert exit_code(run) == 2
    assert "expected --remote-load" in capsys.readouterr().err
    assert exit_code([*run, "--remote-load"]) == 2
    assert "expected --rate or limits.max_requests_per_s" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_load_beyond_the_limits_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["run", scenario(tmp_path), "--clock", "wall", "--out", str(tmp_path / "out")]
    assert exit_code([*run, "--rate", "59"]) == 2
    assert "got 60 values/s with all devices at work" in capsys.readouterr().err
    assert exit_code([*run, "--rate", "0"]) == 2
    assert "expected --rate to be a number more than 0" in capsys.readouterr().err


def test_the_same_file_plays_on_the_virtual_clock(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert exit_code(["run", scenario(tmp_path), "--out", str(out)]) == 0
    assert "yard on the virtual clock: pass" in capsys.readouterr().out
    assert [step["devices"] for step in results(out)["load"]["steps"]] == [4, 12]
