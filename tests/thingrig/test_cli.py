"""The command line: every end is an exit code, every mistake one line with the nearest word."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from thingrig import cli
from thingrig.errors import NoJudgement, UsageProblem

WRONG = {
    "certifi": "expected a command (serve, run, replay, certify",
    "certify thethings-io --jbos 2": "expected an option; got '--jbos'; did you mean '--jobs'?",
    "certify thethings-io --jobs two": "invalid value for '--jobs'",
    "certify thethings-io --jobs 0": "invalid value for '--jobs'",
    "certify": "expected a profile (thethings-io, ",
    "certify thethings": "got 'thethings'; did you mean 'thethings-io'?",
    "certify thethings-io --only TIO-PING-01": "did you mean 'TIO-PING-001'?",
    "certify --only TIO-PING-001 TIO-PING-02 thethings-io": "got 'TIO-PING-02'",
    "certify thethings-io --target nowhere.toml": "nowhere.toml: expected a readable file",
    "certify thethings-io --waivers nowhere.toml": "nowhere.toml: expected a readable file",
    "certify thethings-io --url 127.0.0.1": "--url: expected scheme, host, port",
    "explain TIO-PING-01": "did you mean 'TIO-PING-001'?",
    "explain": "missing argument 'ID'",
    "requirements thethings-io/devices": "did you mean 'thethings-io/device'?",
    "clean nowhere.jsonl --target nowhere.toml": "nowhere.jsonl: expected a readable file",
    "clean nowhere.jsonl": "missing option '--target'",
    "airtime --sf 13 --bw 125 --payload 20": "invalid value for '--sf'",
    "airtime --sf 9 --bw 125000 --payload 20": "invalid value for '--bw'",
    "airtime --sf 9 --bw 125 --cr 4/9 --payload 20": "did you mean '4/",
    "airtime --sf 9 --bw 125": "missing option '--payload'",
    "airtime --sf 9 --bw 125 --payload 256": "invalid value for '--payload'",
    "airtime --sf 6 --bw 125 --payload 20": "airtime: expected an implicit header with",
}


@pytest.mark.parametrize("words", WRONG, ids=lambda words: words.replace(" ", "_"))
def test_wrong_usage_is_one_line_and_exit_code_2(
    words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.exit_code(words.split()) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert WRONG[words] in told.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (UsageProblem("wrong"), 2),
        (NoJudgement("down"), 3),
        (KeyboardInterrupt(), 3),
        (ZeroDivisionError("our own"), 3),
        (SystemExit(1), 1),
        (SystemExit(0), 0),
    ],
)
def test_every_end_is_an_exit_code(
    problem: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command("doctor")
    def ending() -> None:
        raise problem

    monkeypatch.setattr("thingrig.commands.doctor.command", ending)
    with pytest.raises(SystemExit) as end:
        cli.main(["doctor"])
    assert end.value.code == code


def test_full_disk_is_one_line_and_no_judgement(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command("doctor")
    def writing() -> None:
        with open("/dev/full", "w") as file:
            file.write("a line")

    monkeypatch.setattr("thingrig.commands.doctor.command", writing)
    assert cli.exit_code(["doctor"]) == 3
    assert capsys.readouterr().err == (
        "thingrig: expected room for what is written; got a full disk, so it is cut off\n"
    )


def test_help_lists_commands_without_importing_them() -> None:
    script = (
        "import sys; from thingrig import cli; code = cli.exit_code(['--help']);"
        "sys.exit(code or any(n.startswith(('thingrig.commands.', 'simulators', 'conformance'))"
        " for n in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in cli.COMMANDS:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.exit_code([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: thingrig {name}")


def test_requirements_tell_tests_and_miniatures(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.exit_code(["requirements", "thethings-io/device", "--json"]) == 0
    found = {each["id"]: each for each in json.loads(capsys.readouterr().out)}
    ping = found["TIO-PING-001"]
    assert ping["level"] == "must"
    assert ping["tests"] == [
        "conformance/thethings_io/test_ping.py::test_root_without_session_is_401"
    ]
    assert isinstance(ping["miniatures"], list)


def test_requirements_are_listed_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.exit_code(["requirements"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["TIO-PING-001", "must"] in [line.split()[:2] for line in lines]


def test_explain_shows_source_exchange_and_tests(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.exit_code(["explain", "TIO-PING-001"]) == 0
    told = capsys.readouterr().out
    assert "source    Device Development guide" in told
    assert "GET /v2/" in told
    assert "answer: 401" in told
    assert "test_root_without_session_is_401" in told


def test_explain_names_the_boards_and_the_level_by_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.exit_code(["explain", "TIO-FLD-001"]) == 0
    told = capsys.readouterr().out
    assert "boards    Arduino library, " in told
    assert "level     must when thethings-io/field-devices is asked for by name" in told
    assert "strict-line-ends: " in told


def test_doctor_finds_no_clash_here(capsys: pytest.CaptureFixture[str]) -> None:
    cli.exit_code(["version"])
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        cli.main(["doctor"])
    told = capsys.readouterr().out
    assert end.value.code == 0, told
    assert "the package conformance belongs to thingrig alone" in told
    assert "pytest-xdist" in told


def test_doctor_names_a_clashing_distribution(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = {"reports": ["thingrig", "some-reports"], "conformance": ["thingrig"]}
    monkeypatch.setattr("importlib.metadata.packages_distributions", lambda: owners)
    with pytest.raises(SystemExit) as end:
        cli.main(["doctor"])
    assert end.value.code == 1
    told = capsys.readouterr().out
    assert "problem  the package reports also belongs to some-reports" in told


def test_only_takes_one_id_or_several(capsys: pytest.CaptureFixture[str]) -> None:
    words = "certify --plan --only TIO-RD-001 TIO-WR-001 thethings-io --only TIO-PING-001"
    assert cli.exit_code(words.split()) == 0
    assert "\nrequirements      3, " in capsys.readouterr().out


def test_the_plan_of_a_target_that_allows_reading_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "target.toml"
    target.write_text(
        'platform = "thethings-io"\nurl = "http://127.0.0.1:1"\n[limits]\nallow = ["read"]\n'
        '[credentials]\nthing_tokens = ["a-thing-token-for-the-plan-only"]\n'
    )
    words = "certify thethings-io --plan --only TIO-PING-001 TIO-WR-001 --target"
    assert cli.exit_code([*words.split(), str(target)]) == 0
    plan = capsys.readouterr().out
    assert "creates           nothing\n" in plan
    assert "limits.allow holds no 'write': 1 will not run: TIO-WR-001\n" in plan


def test_no_command_at_all_is_a_page_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.exit_code([]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n  certify ")) == ("", 1)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_leaves_early_changes_no_exit_code(stream: str, tmp_path: Path) -> None:
    """As with ``thingrig … | head -1`` in a shell that looks at every part of a pipe."""
    for words, code in (("requirements", 0), ("explain TIO-PING-01", 2)):
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "thingrig", *words.split()],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        pipe = getattr(process, stream)
        pipe.close()
        other = process.stderr if stream == "stdout" else process.stdout
        assert other is not None
        told = other.read()
        other.close()
        assert process.wait() == code
        assert b"Traceback" not in told
        assert b"Broken" not in told
