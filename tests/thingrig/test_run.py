"""``thingrig run``: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from scenarios.files import mistakes_in
from scenarios.trace import read_trace
from simulators.platforms.embedded import embedded_server
from thingrig.cli import exit_code

SMALL = """\
[scenario]
name = "small"
duration = "1min"
platform = "thethings-io"

[[fleet]]
name = "room"
kind = "sensor"
count = 2
behaviour = { key = "temperature", period_s = 5 }

[[expect]]
kind = "acknowledged-values-readable"
"""


def run(folder: Path, text: str, *more: str) -> int:
    path = folder / "small.toml"
    path.write_text(text)
    return exit_code(["run", str(path), "--out", str(folder / "out"), *more])


def results(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "out" / "run.json").read_text())
    assert mistakes_in(document, "run") == []
    return document


def test_a_good_run_ends_with_0_and_tells_where_its_files_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, SMALL) == 0
    told = capsys.readouterr()
    assert "small on the virtual clock: pass" in told.out
    assert told.out.splitlines()[-2:] == [
        str(tmp_path / "out" / "run.json"),
        str(tmp_path / "out" / "trace.jsonl"),
    ]
    assert told.err.splitlines()[-1].startswith("small: 1min of 1min, ")
    assert results(tmp_path)["verdict"] == "pass"


def test_runs_of_one_second_have_a_folder_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SMALL)
    assert [exit_code(["run", "./small.toml"]) for _ in range(3)] == [0, 0, 0]
    folders = sorted((tmp_path / "out").iterdir())
    assert [folder.name[15:21] for folder in folders] == ["-small"] * 3
    assert all((folder / "run.json").exists() for folder in folders)


def test_a_failed_expectation_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outage = '[[fault]]\nat = "0s"\nfor = "50s"\nkind = "outage"\non = "room"\n'
    active = '[[expect]]\nkind = "devices-active"\nby = "10s"\n'
    assert run(tmp_path, SMALL + outage + active) == 1
    assert "room-1 was not active" in capsys.readouterr().out
    assert results(tmp_path)["verdict"] == "fail"


def test_nothing_to_judge_ends_with_3(tmp_path: Path) -> None:
    assert run(tmp_path, SMALL, "--duration", "50ms") == 3
    assert results(tmp_path)["verdict"] == "inconclusive"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--set", "fleet.room.count"], "expected --set PATH=VALUE; got 'fleet.room.count'"),
        (["--duration", "1"], "--duration 1: expected duration to be a time such as 250ms"),
        (["--seed", "x"], "--seed x: expected seed to be a whole number; got 'x'"),
        (["--clock", "virtual", "--url", "http://x"], "expected --clock wall with a target"),
        (["--target", "/none.toml"], "/none.toml: expected a readable file"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert run(tmp_path, SMALL, *more) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_an_absent_target_ends_with_3_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, SMALL, "--url", "http://127.0.0.1:1") == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert "http://127.0.0.1:1 gave no answer" in line


@pytest.mark.parametrize(("seed", "code"), [(0, 0), (9, 3)])
def test_a_url_alone_means_the_built_in_credentials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int, code: int
) -> None:
    pace = "fleet.room.behaviour.period_s=0.2"
    with embedded_server("thethings-io", seed=seed) as server:
        more = ("--url", server.url, "--duration", "3s", "--set", pace)
        assert run(tmp_path, SMALL, *more) == code
    told = capsys.readouterr().err.splitlines()[-1]
    assert ("accepted no value with the built-in credentials" in told) == (code == 3)


def test_the_wall_clock_without_a_target_uses_the_embedded_server(tmp_path: Path) -> None:
    code = run(
        tmp_path,
        SMALL,
        *("--clock", "wall", "--duration", "2s", "--set", "fleet.room.behaviour.period_s=0.5"),
    )
    document = results(tmp_path)
    assert (code, document["verdict"], document["clock"]) == (0, "pass", "wall")
    assert document["target"]["kind"] == "embedded"
    assert document["counts"]["acknowledged"] >= 4
    trace = (tmp_path / "out" / "trace.jsonl").read_text()
    for line in trace.splitlines():
        assert mistakes_in(json.loads(line), "trace") == []


@pytest.mark.parametrize(
    ("clock", "number"),
    [("virtual", signal.SIGINT), ("wall", signal.SIGINT), ("wall", signal.SIGTERM)],
)
def test_an_interrupted_run_keeps_its_trace_and_ends_with_3(
    tmp_path: Path, clock: str, number: signal.Signals
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "thingrig", "run", "office", "--clock", clock]
    more = ["--duration", "9999h", "--out", str(out)]
    child = subprocess.Popen(
        [*beside_a_script(number), *command, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: (out / "trace.jsonl").exists() and (out / "trace.jsonl").stat().st_size > 9000)
    child.send_signal(number)
    told, _ = child.communicate(timeout=60)
    assert child.returncode == 3
    assert b"inconclusive (interrupted after " in told
    document = results(tmp_path)
    assert (document["interrupted"], document["verdict"]) == (True, "inconclusive")
    trace = read_trace(out / "trace.jsonl")
    assert not trace.is_cut
    assert trace.events[-1].message == {
        "verdict": "inconclusive",
        "reason": "the run was interrupted",
    }


def beside_a_script(number: signal.Signals) -> list[str]:
    """What is started with ``&`` in a script, and ended by SIGTERM, has SIGINT ignored."""
    return ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"] if number == signal.SIGTERM else []


def wait_for(happened: Any) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)
