"""``thingrig run`` against The Things Stack: registers, plays in real time, and tidies up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from scenarios.files import mistakes_in
from simulators.platforms.embedded import Embedded, embedded_server
from thingrig.cli import exit_code

TOWN = """\
[scenario]
name = "town"
duration = "13s"
platform = "things-stack"

[network]
webhook = true
mac_settings = { rx1_delay = 1, desired_rx1_delay = 1 }

[[gateway]]
name = "tower"
kind = "packet-forwarder"

[[gateway]]
name = "roof"
kind = "basics-station"

[[fleet]]
name = "meter"
kind = "node"
count = 2
behaviour = { activation = "abp", period_s = 2, spread_s = 1 }

[[fleet]]
name = "lamp"
kind = "node"
behaviour = { device_class = "C", period_s = 20, spread_s = 0.1, relay = { reaction_s = 0.1 } }

[[fleet]]
name = "keeper"
kind = "actor"
behaviour = { turns = "lamp", period_s = 0.2, first_after_s = 0 }

[[expect]]
kind = "joined"
[[expect]]
kind = "losses-explained"
[[expect]]
kind = "delivered-once"
[[expect]]
kind = "uplinks-genuine"
[[expect]]
kind = "counters-rise"
[[expect]]
kind = "windows-hit"
[[expect]]
kind = "switches-turned"
within = "4s"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Embedded]:
    with embedded_server("things-stack") as running:
        yield running


def target_file(folder: Path, server: Embedded) -> Path:
    document = server.target
    lines = [f"{key} = {json.dumps(value)}" for key, value in _flat(document)]
    path = folder / "target.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def _flat(document: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, value


def started(folder: Path, target: Path, name: str, scenario: str, *more: str) -> Any:
    command = [sys.executable, "-m", "thingrig", "run", scenario, "--target", str(target)]
    command += ["--out", str(folder / name), *more]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def results(folder: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / name / "run.json").read_text())
    assert mistakes_in(document, "run") == []
    return document


def existing(server: Embedded, asked: str = "") -> list[str]:
    """Applications and gateways that the user has."""
    key = server.target["credentials"]["api_key"]
    found = []
    for kind in ("applications", "gateways"):
        url = f"{server.url}/api/v3/{kind}{asked}"
        with urlopen(Request(url, headers={"Authorization": f"Bearer {key}"})) as answer:
            found += json.load(answer).get(kind, [])
    return found


def wait_until(is_so: Callable[[], bool], *, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_so()


def written(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_runs_against_a_server_leave_nothing(tmp_path: Path, server: Embedded) -> None:
    """A town, the scenario that knows nothing of networks, and one that is interrupted."""
    target = target_file(tmp_path, server)
    town = tmp_path / "town.toml"
    town.write_text(TOWN)
    runs = {
        "town": started(tmp_path, target, "town", str(town)),
        "join": started(
            tmp_path, target, "join", "join", "--duration", "12s", "--set",
            "expect.joined.within=11s",
        ),
        "cut": started(tmp_path, target, "cut", str(town)),
    }  # fmt: skip
    # three applications, their gateways
    wait_until(lambda: len(existing(server)) == 3 + 2 + 2 + 1)
    # Before it plays there is nothing to tell: who is interrupted while registering has no results.
    wait_until(lambda: written(tmp_path / "cut" / "trace.jsonl") != "")
    runs["cut"].send_signal(signal.SIGINT)
    told = {name: run.communicate(timeout=30) for name, run in runs.items()}

    assert existing(server) == []
    assert {name: run.returncode for name, run in runs.items()} == {
        "town": 0, "join": 0, "cut": 3,
    }, told  # fmt: skip
    application = results(tmp_path, "town")["application"]
    assert application["left_behind"] == []
    assert 0 < application["posted"] <= application["messages"]
    assert results(tmp_path, "join")["application"]["messages"] > 0
    assert results(tmp_path, "cut")["interrupted"]
    key = server.target["credentials"]["api_key"]
    assert key not in (tmp_path / "town" / "trace.jsonl").read_text()


REFUSED = "POST /users/thingrig/applications: error:pkg/"


def test_a_key_that_is_wrong(
    tmp_path: Path, server: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    target = target_file(tmp_path, server)
    key = server.target["credentials"]["api_key"]
    target.write_text(target.read_text().replace(key, key[:-4] + "AAAA"))

    code = exit_code(["run", "join", "--target", str(target), "--out", str(tmp_path / "out")])

    told = capsys.readouterr().err.strip().splitlines()
    assert code == 3
    assert [line.partition(" as ")[0] for line in told[:-1]] == [
        "registering 1 device and 1 gateway"
    ]
    assert f"credentials.api_key …AAAA is not accepted, or lacks rights: {REFUSED}" in told[-1]
    assert key[:-4] not in " ".join(told)


def test_a_server_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "target.toml"
    credentials = '[credentials]\napi_key = "NNSXS.A.B"\nuser_id = "me"\n'
    target.write_text(f'platform = "things-stack"\nurl = "http://127.0.0.1:9"\n{credentials}')

    code = exit_code(["run", "join", "--target", str(target), "--out", str(tmp_path / "out")])

    assert code == 3
    registering, told = capsys.readouterr().err.splitlines()
    assert registering.startswith("registering 1 device and 1 gateway as thingrig-")
    assert told.startswith("thingrig: POST /users/me/applications: could not connect: ")


def test_a_plan_that_nobody_knows(
    tmp_path: Path, server: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    target = target_file(tmp_path, server)
    target.write_text(target.read_text().replace("EU_863_870_TTN", "EU_863_780_TTN"))

    assert exit_code(["run", "join", "--target", str(target)]) == 2
    assert "did you mean 'EU_863_870_TTN'?" in capsys.readouterr().err


@pytest.mark.parametrize("phase", ["registering", "playing", "removing"])
def test_what_a_killed_run_left_is_removed(
    phase: str, tmp_path: Path, server: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its EUIs are those of the scenario: while anything of it is left, no second run begins."""
    target = target_file(tmp_path, server)
    if phase != "playing":  # so slow that there is a middle
        target.write_text(target.read_text() + "limits.max_requests_per_s = 15\n")
    ledger = tmp_path / "cut" / "ledger.jsonl"
    cut = started(tmp_path, target, "cut", "join", "--duration", "10s")
    if phase == "registering":
        wait_until(lambda: '"device"' in written(ledger))
    else:
        assert any(line.startswith("join: ") for line in cut.stderr)  # it tells how far it is
    if phase == "removing":
        cut.send_signal(signal.SIGINT)
        wait_until(lambda: '"removed"' in written(ledger))
    cut.kill()
    cut.communicate()
    assert existing(server) != []

    code = exit_code(["clean", str(tmp_path / "cut"), "--target", str(target)])

    told = capsys.readouterr().out.splitlines()
    assert code == 0, told
    assert [line for line in told if not line.endswith("  removed")] == []
    assert [line.split()[0] for line in told][-2:] == ["gateway", "application"]
    assert existing(server, "?deleted=true") == existing(server) == []
    assert exit_code(["clean", str(tmp_path / "cut"), "--target", str(target)]) == 0
    again = ["run", "join", "--target", str(target), "--duration", "1s"]
    assert exit_code([*again, "--out", str(tmp_path / "again")]) == 3
    assert results(tmp_path, "again")["application"]["left_behind"] == []
