"""The certificate as a page."""

import html
import re

from reports import build


def text_of(path, out):
    """What a reader sees, without markup and with single spaces."""
    build(path, out)
    page = (out / "certificate.html").read_text(encoding="utf-8")
    body = re.sub(r"<style>.*?</style>|<title>.*?</title>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body))).strip()


def test_the_verdict_is_the_first_line(lines, write, tmp_path):
    """Waived fails included."""
    lines[-1] |= {"verdict": "certified", "counts": lines[-1]["counts"] | {"waived": 1}}

    assert text_of(write(lines), tmp_path).startswith("certified, 1 waived thethings-io/device")


def test_a_fail_shows_what_is_needed_to_repeat_it(lines, write, tmp_path):
    """Sentence, expected, actual, exchange and curl line in this order."""
    text = text_of(write(lines), tmp_path)

    parts = [
        "TIO-RD-003 must The end date is exclusive Developer center, Things",
        'expected [] actual [{"key": "t", "value": 1}]',
        "request GET /v2/things/<thing_token:1:…9vQz>/resources/t?endDate=20240131120000",
        "answer after 3 ms 200 content-type: application/json",
        'curl -s "http://127.0.0.1:6001/v2/things/$THING_TOKEN/resources/t"',
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_what_was_not_proven_is_named_with_its_reason(lines, write, tmp_path):
    """Inconclusive, not applicable, not covered, left behind."""
    text = text_of(write(lines), tmp_path)

    assert "? inconclusive the stream could not be opened: 503 TIO-SUB-002" in text
    assert "- not applicable the target lacks firmware TIO-FW-001" in text
    assert "Not covered by this suite MQTT transport chapter Cloud code" in text
    assert "thing tr7f3a-1: the API cannot remove things" in text


def test_a_waived_fail_names_who_answers_for_it(lines, write, tmp_path):
    """Owner, expiry and reason stand beside the fail, after those that nobody accepted."""
    lines[-1]["requirements"][2]["waiver"] = {
        "reason": "fixed in 2.1",
        "owner": "ops@example.org",
        "expires": "2027-01-01",
    }

    text = text_of(write(lines), tmp_path)

    assert "Accepted by ops@example.org until 2027-01-01: fixed in 2.1" in text
    assert text.index("A read is sent in one block") < text.index("The end date is exclusive")


def test_observations_are_shown_apart_from_verdicts(lines, write, tmp_path):
    """What a target chose where the documents leave a choice."""
    assert "TIO-TAG-001 A tag is created status of a tag 201" in text_of(write(lines), tmp_path)


def test_an_interrupted_run_says_so(lines, write, tmp_path):
    """First lines, not a footnote."""
    text = text_of(write(lines[:3]), tmp_path)

    assert text.startswith("inconclusive thethings-io/device")
    assert "the run was interrupted: its results have no footer" in text
    assert "never: interrupted" in text


def test_a_partial_run_says_that_it_certifies_nothing(lines, write, tmp_path):
    """Whoever chose three requirements has not certified the profile."""
    lines[0]["scope"] = "partial"

    assert "certifies nothing" in text_of(write(lines), tmp_path)


def test_the_header_says_how_many_passed(lines, write, tmp_path):
    """Of those that the target does not disclaim."""
    assert "2 of 4 must, 0 of 1 should passed" in text_of(write(lines), tmp_path)


def test_what_no_test_spoke_of_has_the_reason_of_the_run(lines, write, tmp_path):
    """A target that is down leaves nothing unexplained."""
    footer = lines[-1] | {"verdict": "inconclusive", "reason": "the connection was refused"}
    for entry in footer["requirements"]:
        entry["verdict"] = "not run"

    text = text_of(write([lines[0], footer]), tmp_path)

    assert "○ not run the connection was refused TIO-PING-001 TIO-WR-001" in text
