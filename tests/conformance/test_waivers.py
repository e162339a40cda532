"""Waivers: read with line numbers; expired and unused ones are problems."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from conformance.requirement import Requirement
from conformance.waivers import Waiver, read_waivers, waiver_problems
from scenarios.files import FileError

KNOWN = {
    name: Requirement(name, "It is.", "must", "demo/device", "GET /", "somewhere")
    for name in ("DEMO-001", "DEMO-002")
}
GOOD = """\
[[waiver]]
requirement = "DEMO-001"
reason = "known"
owner = "me"
expires = 2027-01-31
"""
WAIVER = Waiver("DEMO-001", "known", "me", date(2027, 1, 31))


def read(tmp_path: Path, text: str) -> list[Waiver]:
    path = tmp_path / "waivers.toml"
    path.write_text(text)
    return read_waivers(path, KNOWN)


@pytest.mark.parametrize("expires", ["2027-01-31", '"2027-01-31"'])
def test_a_waiver_is_read_with_its_day(tmp_path: Path, expires: str) -> None:
    assert read(tmp_path, GOOD.replace("2027-01-31", expires)) == [WAIVER]


def test_an_empty_file_waives_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            GOOD.replace("DEMO-001", "DEMO-0001"),
            ":2: expected the id of a requirement; got 'DEMO-0001'; did you mean 'DEMO-001'?",
            id="unknown-id",
        ),
        pytest.param(
            GOOD + GOOD, ":7: expected one waiver per requirement; got a second one", id="twice"
        ),
        pytest.param(GOOD.replace("owner", "ownr"), "did you mean 'owner'?", id="misspelt"),
        pytest.param(GOOD.replace('owner = "me"\n', ""), "expected the key 'owner'", id="missing"),
        pytest.param(
            GOOD.replace("2027-01-31", '"2027-02-30"'),
            ":5: expected expires to be a date that exists; got '2027-02-30'",
            id="no-such-day",
        ),
        pytest.param(GOOD.replace("2027-01-31", '"soon"'), "such as 2027-01-31", id="no-date"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(FileError) as problem:
        read(tmp_path, text)
    assert words in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_waiver_holds_through_its_last_day() -> None:
    assert not WAIVER.is_expired(date(2027, 1, 31))
    assert WAIVER.is_expired(date(2027, 2, 1))


def test_a_used_waiver_is_no_problem() -> None:
    assert waiver_problems([WAIVER], {"DEMO-001": "fail"}, date(2026, 1, 1)) == []


def test_an_unused_waiver_is_a_problem_only_if_its_requirement_passed() -> None:
    today = date(2026, 1, 1)
    assert waiver_problems([WAIVER], {"DEMO-001": "pass"}, today) == [
        "the waiver for DEMO-001 is unused: it passes"
    ]
    assert waiver_problems([WAIVER], {"DEMO-001": "not applicable"}, today) == []
    assert waiver_problems([WAIVER], {}, today) == []


def test_an_expired_waiver_is_a_problem_whatever_happened() -> None:
    assert waiver_problems([WAIVER], {"DEMO-001": "fail"}, date(2027, 2, 1)) == [
        "the waiver for DEMO-001 expired on 2027-01-31"
    ]
