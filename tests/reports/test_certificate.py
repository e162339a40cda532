"""The certificate as a document."""

import json

from reports import build
from reports.certificate import certificate
from reports.results import read_results


def test_the_footer_is_copied(lines, write):
    """Verdict, counts and lists come from the run; nothing is made better."""
    document = certificate(read_results(write(lines)))

    assert document["schema"] == "thingrig-certificate/1"
    assert document["verdict"] == "not certified"
    assert document["summary"] == "not certified"
    assert document["counts"] == lines[-1]["counts"]
    assert document["left_behind"] == lines[-1]["left_behind"]
    assert document["not_covered"] == ["MQTT transport", "chapter Cloud code"]


def test_requirements_carry_sentence_and_source(lines, write):
    """A certificate can be read without the catalogue."""
    document = certificate(read_results(write(lines)))

    assert document["requirements"][2] == {
        "id": "TIO-RD-003",
        "level": "must",
        "verdict": "fail",
        "tests": ["conformance/thethings_io/test_read.py::test_rd-003"],
        "waiver": None,
        "sentence": "The end date is exclusive",
        "profile": "thethings-io/device",
        "endpoint": "GET …/resources/{key}",
        "source": "Developer center, Things",
    }


def test_waived_fails_stand_in_the_first_line(lines, write):
    """Somebody's accepted deviation is part of the verdict."""
    lines[-1] |= {"verdict": "certified", "counts": lines[-1]["counts"] | {"waived": 2}}

    assert certificate(read_results(write(lines)))["summary"] == "certified, 2 waived"


def test_an_interrupted_run_certifies_nothing(lines, write):
    """Without footer a pass is not proven, a fail stays one, and the verdict is inconclusive."""
    document = certificate(read_results(write(lines[:4])))

    assert document["verdict"] == "inconclusive"
    assert document["reason"] == "the run was interrupted: its results have no footer"
    assert document["finished"] is None
    assert {entry["id"]: entry["verdict"] for entry in document["requirements"]} == {
        "TIO-PING-001": "inconclusive",
        "TIO-WR-001": "inconclusive",
        "TIO-RD-003": "fail",
        "TIO-RD-004": "not run",
        "TIO-SUB-002": "not run",
        "TIO-FW-001": "not run",
        "TIO-TAG-001": "not run",
    }
    assert document["counts"]["must"] == {
        "pass": 0,
        "fail": 1,
        "inconclusive": 2,
        "error": 0,
        "not applicable": 0,
        "not run": 2,
        "waived": 0,
    }


def test_the_file_reads_back_as_the_document(lines, write, tmp_path):
    """Also when a value cannot be written as UTF-8."""
    lines[0]["target"]["url"] = "http://\ud800.example"
    path = write(lines)

    build(path, tmp_path)

    written = json.loads((tmp_path / "certificate.json").read_text(encoding="ascii"))
    assert written == certificate(read_results(path))
    assert written["target"]["url"] == "http://\ud800.example"


def test_boards_of_broken_requirements_are_locked_out(lines, write):
    """Who needs what is broken, by name; who needs what passed is not named."""
    verdicts = [entry["verdict"] for entry in lines[-1]["requirements"]]
    for entry, verdict in zip(lines[0]["requirements"], verdicts, strict=True):
        entry["boards"] = ["B board", "A board"] if verdict == "fail" else ["C board"]
    broken = [entry["id"] for entry in lines[-1]["requirements"] if entry["verdict"] == "fail"]

    document = certificate(read_results(write(lines)))

    assert document["locked_out"] == [
        {"board": "A board", "requirements": broken},
        {"board": "B board", "requirements": broken},
    ]


def test_without_boards_nobody_is_locked_out(lines, write):
    """A requirement that names no board says nothing about any."""
    assert certificate(read_results(write(lines)))["locked_out"] == []
