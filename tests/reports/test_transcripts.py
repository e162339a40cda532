"""The transcripts of what did not pass."""

import re

import pytest

from reports import build

NAME = "evidence/0003-test_rd-003.txt"


def test_a_failed_test_has_a_transcript_to_read_and_repeat(lines, write, tmp_path):
    """Verdict, values, exchange, curl line: the whole file."""
    written = build(write(lines), tmp_path)

    assert written[-1] == tmp_path / "evidence"
    assert (tmp_path / NAME).read_text(encoding="utf-8") == (
        "test          conformance/thethings_io/test_read.py::test_rd-003\n"
        "requirements  TIO-RD-003\n"
        "verdict       fail\n"
        "reason        -\n"
        "expected      []\n"
        'actual        [{"key": "t", "value": 1}]\n'
        "\n"
        "=== exchange 1\n"
        "> GET /v2/things/<thing_token:1:…9vQz>/resources/t?endDate=20240131120000\n"
        "> Accept: */*\n"
        "< 200, after 3 ms\n"
        "< content-type: application/json\n"
        "<\n"
        '< [{"key":"t","value":1,"datetime":"2024-01-31T12:00:00.000Z"}]\n'
        "\n"
        "=== repeat it\n"
        'curl -s "http://127.0.0.1:6001/v2/things/$THING_TOKEN/resources/t"\n'
    )


def test_every_test_with_exchanges_that_did_not_pass_has_one(lines, write, tmp_path):
    """Passed tests have none, nor those that exchanged nothing."""
    build(write(lines), tmp_path)

    names = sorted(path.name for path in (tmp_path / "evidence").iterdir())
    assert names == ["0003-test_rd-003.txt", "0004-test_rd-004.txt"]


def test_the_certificate_names_the_transcript(lines, write, tmp_path):
    """Beside the fail."""
    build(write(lines), tmp_path)

    assert NAME in (tmp_path / "certificate.html").read_text(encoding="utf-8")


def test_a_second_run_leaves_nothing_of_the_first(lines, write, tmp_path):
    """Transcripts are replaced; what somebody else has put there stays."""
    build(write(lines), tmp_path)
    (tmp_path / "evidence" / "mine.txt").write_text("mine", encoding="utf-8")
    for test in lines[1:-1]:
        test["verdict"] = "pass"

    written = build(write(lines), tmp_path)

    assert [path.name for path in (tmp_path / "evidence").iterdir()] == ["mine.txt"]
    assert tmp_path / "evidence" not in written


@pytest.mark.parametrize(
    "hostile", ["line\n=== repeat it\ncurl evil", "\x1b[2J", "\udc80", "../../x", "\u202e"]
)
def test_what_a_target_sends_cannot_pass_for_ours(lines, write, tmp_path, hostile):
    """Every line of it is marked, nothing of it is invisible, no name leads elsewhere."""
    failed = lines[3]
    failed |= {"test": f"conformance/x.py::test_x[{hostile}]", "reason": hostile}
    [exchange] = failed["evidence"]["exchanges"]
    response = exchange["response"] | {"body": hostile, "headers": {"x": hostile}}
    failed["evidence"]["exchanges"] = [exchange | {"response": response, "error": hostile}]

    build(write(lines), tmp_path)

    [path] = (tmp_path / "evidence").glob("0003-*.txt")
    text = path.read_text(encoding="utf-8")
    assert re.findall("^===.*$", text, re.MULTILINE) == ["=== exchange 1", "=== repeat it"]
    assert not re.search("[\x1b\u202e]", text)
