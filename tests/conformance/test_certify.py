"""``certify`` from outside: a user's folder, a user's shell, an impatient user, a nosy reader."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.certify import environment
from conformance.requirement import PACKAGE
from scenarios.files import mistakes_in
from scenarios.trace import read_trace

PING = ("--only", "TIO-PING-001")
HOSTILE = {
    "pytest.ini": "[pytest]\naddopts = --collect-only --no-such-option\n",
    "tox.ini": "[pytest]\naddopts = --no-such-option\n",
    "conftest.py": "raise SystemExit('the conftest of the user ran')\n",
    "conformance/__init__.py": "raise SystemExit('the conformance of the user ran')\n",
    "conformance/plugin.py": "raise SystemExit('the plugin of the user ran')\n",
    "reports/__init__.py": "raise SystemExit('the reports of the user ran')\n",
    "scenarios/__init__.py": "raise SystemExit('the scenarios of the user ran')\n",
    "simulators/__init__.py": "raise SystemExit('the simulators of the user ran')\n",
    "json.py": "raise SystemExit('the json of the user ran')\n",
    "hostile.py": "raise SystemExit('the plugin of the user ran')\n",
    "sitecustomize.py": "raise SystemExit('the sitecustomize of the user ran')\n",
}
SHELL = {
    "PYTEST_ADDOPTS": "-k nothing --no-such-option",
    "PYTEST_PLUGINS": "hostile",
    "PYTHONPATH": ".",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "REQUESTS_CA_BUNDLE": "/nowhere",
}


@pytest.fixture
def certify(tmp_path: Path, run_python: Callable[..., Any]) -> Callable[..., Any]:
    """Runs ``thingrig certify`` in a folder of its own."""

    def start(*options: str, profile: str = "thethings-io", cwd: Path | None = None) -> Any:
        folder = cwd or tmp_path / "user"
        folder.mkdir(exist_ok=True)
        out = tmp_path / "result"
        command = ["-P", "-m", "thingrig", "certify", profile, "--out", str(out), *options]
        return run_python(command, folder, out)

    return start


def test_the_embedded_server_is_judged_and_reports_are_named(certify: Callable[..., Any]) -> None:
    ran = certify(*PING)
    assert (ran.code, ran.tests) == (0, {"test_root_without_session_is_401": "pass"})
    assert "partial scope (only TIO-PING-001): certified" in ran.words
    for name in ("results.jsonl", "certificate.json", "certificate.html", "junit.xml"):
        assert str(ran.out / name) in ran.words
        assert (ran.out / name).stat().st_size > 0
    assert {each.name for each in ran.out.iterdir()} >= {
        "allure-results", "ledger.jsonl", "trace.jsonl",
    }  # fmt: skip
    certificate = json.loads((ran.out / "certificate.json").read_text())
    assert (certificate["scope"], certificate["verdict"]) == ("partial", "inconclusive")


def test_every_file_keeps_its_schema(certify: Callable[..., Any]) -> None:
    ran = certify("--only", "TIO-ACT-001", "--only", "TIO-WR-001")
    assert ran.code == 0
    for schema in ("results", "trace", "ledger"):
        lines = (ran.out / f"{schema}.jsonl").read_bytes().splitlines()
        assert len(lines) > 2
        for line in lines:
            assert mistakes_in(json.loads(line), schema) == []
    assert mistakes_in(json.loads((ran.out / "certificate.json").read_text()), "certificate") == []
    assert read_trace(ran.out / "trace.jsonl").events[0].direction == "uplink"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_hostile_folder_changes_nothing(
    certify: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: str
) -> None:
    folder = tmp_path / "user"
    for name, text in HOSTILE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name, value in SHELL.items():
        if name != "PYTHONPATH":  # a relative one would already break the interpreter of the shell
            monkeypatch.setenv(name, value)
    ran = certify(*PING, "--jobs", jobs)
    assert (ran.code, ran.tests) == (0, {"test_root_without_session_is_401": "pass"}), ran.words


def test_the_module_prefers_our_packages_to_those_of_the_folder(
    tmp_path: Path, run_python: Callable[..., Any]
) -> None:
    for name in ("conformance", "scenarios", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('not ours')\n")
    ran = run_python(["-m", "thingrig", "explain", "TIO-PING-001"], tmp_path, tmp_path)
    assert ran.code == 0
    assert "TIO-PING-001 (must, thethings-io/device)" in ran.words


def test_the_child_obeys_nothing_of_the_shell() -> None:
    found = environment({"PATH": "/bin", "PYTHONPATH": f".{os.pathsep}/mine", **SHELL, "A": "b"})
    assert found["PYTHONPATH"] == str(PACKAGE.parent)
    assert {name for name in found if name.startswith("PYTEST")} == {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
    }
    assert (found["PYTHONSAFEPATH"], found["A"]) == ("1", "b")
    kept = environment({"PYTHONPATH": f".{os.pathsep}/mine"})["PYTHONPATH"]
    assert kept == f"{PACKAGE.parent}{os.pathsep}/mine"


@pytest.mark.parametrize("credentials", [True, False])
def test_a_target_that_is_down_is_inconclusive(
    certify: Callable[..., Any], write_target: Callable[..., Path], credentials: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    ran = certify("--target", str(write_target(url, credentials=credentials)))
    assert ran.code == 3
    assert ran.footer["reason"] == f"{url}: the connection was refused"
    assert f"inconclusive: {url}: the connection was refused" in ran.words
    certificate = json.loads((ran.out / "certificate.json").read_text())
    assert certificate["verdict"] == "inconclusive"
    assert ran.tests == {}


def begun(tmp_path: Path, out: Path) -> subprocess.Popen[str]:
    """A run of some length that has judged a few tests."""
    command = [sys.executable, "-P", "-m", "thingrig", "certify", "thethings-io", "--out", str(out)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    results = out / "results.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if results.exists() and results.read_bytes().count(b"\n") > 5:
            break
        time.sleep(0.05)
    return process


def processes_that_name(text: str) -> list[int]:
    """Ids of processes with a text on their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            is_named = text.encode() in entry.read_bytes()
        except OSError:  # it has just ended
            continue
        found += [int(entry.parent.name)] if is_named else []
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_killed_run_judges_no_further_and_has_a_trace(tmp_path: Path) -> None:
    out = tmp_path / "result"
    process = begun(tmp_path, out)
    assert len(processes_that_name(str(out))) == 2
    process.kill()
    process.communicate(timeout=10)
    deadline = time.monotonic() + 20
    while processes_that_name(str(out)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_that_name(str(out)) == []
    lines = [json.loads(line) for line in (out / "results.jsonl").read_bytes().splitlines()]
    assert lines[-1]["type"] == "test"
    traced = {event.device for event in read_trace(out / "trace.jsonl").events}
    assert traced >= {line["test"] for line in lines[1:] if line["requests"]}


def test_an_interrupt_leaves_no_footer(tmp_path: Path) -> None:
    out = tmp_path / "result"
    process = begun(tmp_path, out)
    results = out / "results.jsonl"
    process.send_signal(signal.SIGINT)
    words, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    lines = [json.loads(line) for line in results.read_bytes().splitlines()]
    assert [line["type"] for line in lines[:2]] == ["header", "test"]
    assert lines[-1]["type"] == "test"
    assert "inconclusive: the run was interrupted" in words
    certificate = json.loads((out / "certificate.json").read_text())
    assert certificate["verdict"] == "inconclusive"
    assert (out / "ledger.jsonl").read_text().startswith('{"type":"header"')


def test_a_secret_appears_in_no_file(
    certify: Callable[..., Any], fake: Callable[..., Any], write_target: Callable[..., Path]
) -> None:
    """The target repeats everything it is told, and breaks most promises."""
    new = "N" * 39 + "new3"

    def repeats(method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        told = {
            "thingToken": new,
            "thingId": "I" * 43,
            "path": path,
            "body": body.decode("latin-1"),
        }
        return 201 if method == "POST" else 200, "application/json", json.dumps(told).encode()

    target = write_target(fake(repeats).url)
    chosen = [
        f"TIO-{chapter}-00{number}" for chapter in ("ACT", "WR", "RD") for number in (1, 3, 4)
    ]
    options = [part for each in chosen for part in ("--only", each)]
    ran = certify("--target", str(target), *options)
    assert ran.code == 1
    assert "fail" in ran.tests.values()
    hidden = [new, "activation-code-number-", "T" * 39]
    leaks = [
        (path.name, secret)
        for path in ran.out.rglob("*")
        if path.is_file()
        for secret in hidden
        if secret in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert leaks == []
    assert [secret for secret in hidden if secret in ran.words] == []
    assert "<thing_token:" in (ran.out / "results.jsonl").read_text()


def test_a_plan_sends_nothing(
    certify: Callable[..., Any], fake: Callable[..., Any], write_target: Callable[..., Path]
) -> None:
    server = fake()
    target = write_target(server.url, top='lacks = ["tags"]')
    ran = certify("--target", str(target), "--plan")
    assert ran.code == 0
    assert server.seen == []
    assert "activation codes  at most 3 of 4" in ran.words
    assert "lacks tags (declared)" in ran.words
    assert "the target file has no [[firmware]]" in ran.words
    assert not ran.out.exists()


def test_pytest_gives_the_same_verdicts_from_any_folder(
    tmp_path: Path, run_python: Callable[..., Any], certify: Callable[..., Any]
) -> None:
    out = tmp_path / "pytest"
    options = ["-q", "-p", "conformance.plugin", "--out", str(out), *PING]
    command = ["-P", "-m", "pytest", "--pyargs", "conformance", *options]
    ran = run_python(command, tmp_path, out)
    assert (ran.code, ran.tests) == (0, {"test_root_without_session_is_401": "pass"}), ran.words
    other = certify(*PING)
    assert other.footer["requirements"] == ran.footer["requirements"]
    assert [line["test"] for line in other.results[1:-1]] == [
        line["test"] for line in ran.results[1:-1]
    ]
