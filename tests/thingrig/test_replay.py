"""``thingrig replay``: what it reports, what it writes, and how it ends."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scenarios.files import mistakes_in
from scenarios.reading import Setting, read_scenario
from scenarios.replay.verbatim import octets
from scenarios.trace import read_trace
from scenarios.virtual import play_virtual
from simulators.platforms.embedded import embedded_server
from simulators.platforms.target_file import write_target_file
from thingrig.cli import exit_code

Change = Callable[[dict[str, Any]], None]


def recorded(folder: Path, name: str, duration: str) -> Path:
    """The trace of a library scenario on the virtual clock."""
    path = folder / f"{name}.jsonl"
    with path.open("wb") as trace:
        settings = [Setting("scenario.duration", duration, "--duration")]
        play_virtual(read_scenario(name, settings), trace=trace)
    return path


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("office"), "office", "2min")


@contextmanager
def target(folder: Path, **options: Any) -> Iterator[Path]:
    """The target file of a server started for the test."""
    with embedded_server("thethings-io", **options) as server:
        write_target_file(folder / "target.toml", server.target)
        yield folder / "target.toml"


def replay(trace: Path, out: Path, *more: str) -> int:
    return exit_code(["replay", str(trace), "--out", str(out), "--speed", "120", *more])


def report(out: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((out / "replay.json").read_text())
    assert mistakes_in(document, "replay") == []
    return document


def found(out: Path) -> list[tuple[str, str, str, int]]:
    """Every difference of a report, without its first case."""
    members = ("kind", "endpoint", "where", "count")
    return [tuple(each[name] for name in members) for each in report(out)["differences"]]


def changed(trace: Path, folder: Path, number: int, change: Change) -> Path:
    """The trace with its line of that number changed."""
    lines = trace.read_text().splitlines()
    event = json.loads(lines[number - 1])
    change(event["message"])
    lines[number - 1] = json.dumps(event, ensure_ascii=False)
    path = folder / "changed.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def line_with(trace: Path, text: str) -> int:
    """The second line that holds the text: not something that only the very first has."""
    numbers = [at for at, line in enumerate(trace.read_text().splitlines(), 1) if text in line]
    return numbers[1]


def test_ten_minutes_of_the_office_differ_in_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = recorded(tmp_path, "office", "10min")
    assert exit_code(["replay", str(trace), "--speed", "60", "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "3163 of 3163 answers compared, 230 documents of 20 streams"
    assert told[-3] == "office at 60 times its speed: same"
    document = report(tmp_path / "out")
    assert (document["verdict"], document["reason"]) == ("same", None)
    assert (document["differences"], document["uncertain"]) == ([], [])
    assert 9.9 < document["played_s"] < 60


def test_the_new_trace_is_a_trace_and_holds_no_secret(office: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with target(tmp_path) as file:
        assert replay(office, out, "--target", str(file)) == 0
        credentials = file.read_text()
    text = (out / "trace.jsonl").read_text()
    trace = read_trace(out / "trace.jsonl")
    assert mistakes_in(trace.header, "trace") == []
    requests = [each for each in trace.events if "method" in each.message]
    assert len(requests) == 846  # 826 with an answer of their own, 20 subscriptions
    codes = credentials.split("activation_codes = [")[1].split("]")[0].replace('"', "").split(", ")
    assert len(codes) > 1000
    assert not [code for code in codes if code in text + (out / "replay.json").read_text()]
    assert '"thingToken":"<thing_token:' in text


def test_a_replay_can_be_replayed(office: Path, tmp_path: Path) -> None:
    """From the wall clock of one server to another, which has used up its first codes."""
    with target(tmp_path) as file:
        assert replay(office, tmp_path / "first", "--target", str(file)) == 0
        trace = tmp_path / "first" / "trace.jsonl"
        again = ["--target", str(file), "--speed", "2"]
        assert replay(trace, tmp_path / "second", *again) == 0


def test_one_changed_answer_is_the_one_difference(office: Path, tmp_path: Path) -> None:
    number = line_with(office, '"document":{"status":"created"}')
    trace = changed(office, tmp_path, number, lambda message: message.update(status=200))
    assert replay(trace, tmp_path / "out") == 1
    assert found(tmp_path / "out") == [("status", "POST /v2/things/<thing_token>", "", 1)]
    first = report(tmp_path / "out")["differences"][0]["first"]
    assert (first["recorded"], first["replayed"]) == ({"value": 200}, {"value": 201})
    request, answer = (
        json.loads(office.read_text().splitlines()[at - 1]) for at in (first["line"], number)
    )
    assert (request["direction"], request["device"]) == ("uplink", answer["device"])


def test_one_changed_value_of_a_stream_is_the_one_difference(office: Path, tmp_path: Path) -> None:
    number = line_with(office, '"stream":[{"key":"turn"')
    trace = changed(
        office, tmp_path, number, lambda message: message["stream"][0].update(value="blue")
    )
    assert replay(trace, tmp_path / "out") == 1
    assert found(tmp_path / "out") == [("value", "stream /v2/things/<thing_token>", "[].value", 1)]
    first = report(tmp_path / "out")["differences"][0]["first"]
    assert (first["line"], first["recorded"]) == (number, {"value": "blue"})


def test_one_document_more_is_missing(office: Path, tmp_path: Path) -> None:
    lines = office.read_text().splitlines()
    number = line_with(office, '"stream":[{"key":"turn"')
    more = json.loads(lines[number - 1])
    more["message"] = {"stream": [{"key": "never", "value": 1}]}
    path = tmp_path / "more.jsonl"
    path.write_text("\n".join([*lines[:number], json.dumps(more), *lines[number:]]) + "\n")
    assert replay(path, tmp_path / "out") == 1
    assert found(tmp_path / "out") == [("missing", "stream /v2/things/<thing_token>", "", 1)]
    assert report(tmp_path / "out")["differences"][0]["first"]["replayed"] == {}


@pytest.mark.parametrize(
    ("deviation", "expected"),
    [
        ("stream-503", [("status", "stream /v2/things/<thing_token>", "", 20)]),
        ("stream-twice", [("extra", "stream /v2/things/<thing_token>", "", None)]),
        ("activate-short-id", [("value", "POST /v2/things", "thingId", 120)]),
        ("write-202", [("status", "POST /v2/things/<thing_token>", "", 565)]),
        ("write-ok", [("value", "POST /v2/things/<thing_token>", "status", 565)]),
        (
            "keep-alive-fixed",
            [("timing", "stream /v2/things/<thing_token>", "seconds before a keep-alive", None)],
        ),
    ],
)
def test_a_miniature_differs_in_its_deviation_alone(
    office: Path, tmp_path: Path, deviation: str, expected: list[tuple[str, str, str, int | None]]
) -> None:
    with target(tmp_path, deviation=deviation) as file:
        speed = "30" if deviation == "keep-alive-fixed" else "120"
        options = ["--target", str(file), "--speed", speed]
        assert replay(office, tmp_path / "out", *options) == 1
    kinds = [(*each[:3], each[3] if wanted[3] else None)
             for each, wanted in zip(found(tmp_path / "out"), expected, strict=True)]  # fmt: skip
    assert kinds == expected


@pytest.fixture(scope="module")
def judgement(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trace of a judgement whose requests come as no device of ours sends them."""
    out = tmp_path_factory.mktemp("judgement")
    command = [sys.executable, "-m", "thingrig", "certify", "thethings-io/field-devices"]
    subprocess.run([*command, "--out", str(out)], check=True, capture_output=True)
    return out / "trace.jsonl"


def test_a_judgement_is_played_byte_for_byte(judgement: Path, tmp_path: Path) -> None:
    with target(tmp_path) as file:
        options = ["--target", str(file), "--speed", "3"]
        assert replay(judgement, tmp_path / "out", *options) == 0
        counts = report(tmp_path / "out")["counts"]
        assert (counts["requests"], counts["compared"]) == (81, 80)  # one stays for no answer
        assert counts["documents"] == 9
        again = tmp_path / "out" / "trace.jsonl"
        assert replay(again, tmp_path / "again", *options) == 0
    sent = read_trace(again).events
    raw = [octets(event.message["raw"]) for event in sent if "raw" in event.message]
    assert len(raw) > 40
    addressed = [re.search(rb"things/([^/? ]+)", each) for each in raw]
    tokens = {each[1] for each in addressed if each is not None}
    assert {token[:13] for token in tokens} == {b"<thing_token:"}
    assert any(b"\n\n" in each for each in raw)
    assert mistakes_in(read_trace(again).header, "trace") == []


@pytest.mark.parametrize(
    ("deviation", "expected"),
    [
        ("strict-slashes", {("status", "POST /v2//things/<thing_token>")}),
        ("strict-end-of-path", {("status", "GET /v2/things/<thing_token>/resources/<id>/")}),
    ],
)
def test_a_judgement_tells_two_servers_apart(
    judgement: Path, tmp_path: Path, deviation: str, expected: set[tuple[str, str]]
) -> None:
    with target(tmp_path, deviation=deviation) as file:
        options = ["--target", str(file), "--speed", "3"]
        assert replay(judgement, tmp_path / "out", *options) == 1
    kinds = {(kind, endpoint) for kind, endpoint, *_ in found(tmp_path / "out")}
    assert kinds >= expected
    assert {kind for kind, _ in kinds} == {"status"}


def test_requests_that_failed_in_the_recording_are_not_compared(tmp_path: Path) -> None:
    """Twelve minutes hold the whole outage: streams end, devices come back."""
    trace = recorded(tmp_path, "outage", "13min")
    assert replay(trace, tmp_path / "out") == 0
    counts = report(tmp_path / "out")["counts"]
    assert counts["failed_in_recording"] > 50
    assert counts["compared"] == counts["requests"] - counts["failed_in_recording"]


def test_a_trace_cut_in_mid_line_is_played_up_to_there(office: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(office.read_bytes()[:150_000])
    assert replay(cut, tmp_path / "out") == 0
    assert report(tmp_path / "out")["trace"]["cut"] is True


HEADER = (
    '{"type":"header","format":"thingrig-trace/1","scenario":"x","platform":"thethings-io",'
    '"seed":1,"clock":"virtual","start":"2024-01-01T00:00:00.000000Z","duration_us":1}\n'
)
EVENT = '{"at":0,"device":"a","direction":"%s","channel":"http","message":%s}\n'


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", 2, ":1: expected a trace header"),
        ("nonsense\n", 2, ":1: expected a JSON document"),
        ('{"format":"thingrig-trace/1"}\n', 2, ":1: "),
        (HEADER, 3, "holds no request"),
        (HEADER + EVENT % ("downlink", '{"status":200}'), 2, ":2: expected a request before"),
        (HEADER + EVENT % ("downlink", '{"stream":{}}'), 2, ":2: expected a subscription before"),
        (HEADER + EVENT % ("uplink", '{"method":1}'), 2, ":2: expected a request with method"),
        (HEADER + EVENT % ("uplink", '{"method":"A","target":"/ b"}'), 2, ":2: expected method"),
        (HEADER + EVENT % ("uplink", "3"), 2, ":2: expected an event with a time"),
        (
            HEADER + EVENT % ("uplink", f'{{"method":"A","target":"/","document":{10**30}}}'),
            2,
            ":2: expected JSON to send",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_told_in_one_line(
    text: str, code: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    assert replay(path, tmp_path / "out") == code
    told = capsys.readouterr()
    assert told.out == ""
    [line] = told.err.splitlines()
    assert words in line
    assert str(path) in line


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "inf", "nan"])
def test_a_speed_that_is_none_is_wrong_usage(
    speed: str, office: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(office, tmp_path / "out", "--speed", speed) == 2
    assert capsys.readouterr().err == (
        f"thingrig: expected --speed to be a number above 0, such as 60; got '{speed}'\n"
    )


def test_a_missing_trace_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(tmp_path / "none.jsonl", tmp_path / "out") == 2
    assert "none.jsonl: expected a readable file" in capsys.readouterr().err


def test_a_target_with_too_few_codes_is_wrong_usage(
    office: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "target.toml"
    file.write_text('platform = "thethings-io"\nurl = "http://127.0.0.1:9"\n')
    assert replay(office, tmp_path / "out", "--target", str(file)) == 2
    assert "with 120 activation_codes, as many as the trace needs; got 0" in capsys.readouterr().err


def test_a_dead_target_gives_no_judgement(
    office: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(office, tmp_path / "out", "--url", "http://127.0.0.1:9") == 3
    assert "http://127.0.0.1:9 gave no answer" in capsys.readouterr().err


def test_haste_on_a_network_needs_a_rate(
    office: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # An address of nobody's: a documentation network. Nothing is sent before the refusal.
    nobody = ["--url", "http://192.0.2.1"]
    assert replay(office, tmp_path / "out", *nobody) == 2
    assert "expected --rate or limits.max_requests_per_s to go faster" in capsys.readouterr().err
    assert replay(office, tmp_path / "out", *nobody, "--rate", "-1") == 2
    assert "expected --rate to be a number more than 0; got '-1'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_rate_holds_for_requests_and_subscriptions(office: Path, tmp_path: Path) -> None:
    lines = office.read_text().splitlines()
    trace = tmp_path / "begin.jsonl"
    trace.write_text("\n".join(lines[:600]) + "\n")
    began_s = time.monotonic()
    assert replay(trace, tmp_path / "out", "--rate", "200") == 0
    counts = report(tmp_path / "out")["counts"]
    asked = counts["requests"] + counts["streams"]
    assert time.monotonic() - began_s > (asked - 1) / 200 > 1


def started(trace: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    """A replay in a process of its own, some way on."""
    command = [sys.executable, "-m", "thingrig", "replay", str(trace), "--out", str(out), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    path = out / "trace.jsonl"
    while not path.exists() or path.read_bytes().count(b'"downlink"') < 150:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_replay_keeps_what_it_found(
    number: signal.Signals, office: Path, tmp_path: Path
) -> None:
    process = started(office, tmp_path / "out", "--speed", "4")
    process.send_signal(number)
    told, _ = process.communicate(timeout=20)
    assert process.returncode == 3
    assert "office at 4 times its speed: inconclusive (interrupted after " in told
    document = report(tmp_path / "out")
    assert document["verdict"] == "inconclusive"
    assert document["counts"]["compared"] > 100
    assert document["differences"] == []


def test_a_target_that_dies_gives_no_judgement_and_keeps_what_was_found(
    office: Path, tmp_path: Path
) -> None:
    with embedded_server("thethings-io") as server:
        write_target_file(tmp_path / "target.toml", server.target)
        more = ["--speed", "20", "--target", str(tmp_path / "target.toml")]
        process = started(office, tmp_path / "out", *more)
        server.process.kill()
        told, errors = process.communicate(timeout=30)
    assert process.returncode == 3, errors
    assert "inconclusive (no answer to 20 requests in a row: " in told
    document = report(tmp_path / "out")
    assert document["counts"]["compared"] > 100
    assert [each["kind"] for each in document["differences"]][:1] == ["no answer"]
