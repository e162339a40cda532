"""The arithmetic of verdicts, in every combination that fits into memory."""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.requirement import Level
from conformance.verdict import (
    EXIT_CODES,
    LEVELS,
    VERDICTS,
    Decision,
    Judged,
    Verdict,
    count,
    decide,
    requirement_verdict,
    verdict_line,
)

RANK: dict[Verdict, int] = {
    "fail": 5, "error": 4, "inconclusive": 3, "not run": 2, "pass": 1, "not applicable": 0,
}  # fmt: skip
PAIRS = list(product(LEVELS, VERDICTS, (False, True)))

judged_requirements = st.lists(
    st.builds(
        Judged,
        st.text("AB1-", min_size=1, max_size=4),
        st.sampled_from(LEVELS),
        st.sampled_from(VERDICTS),
        st.booleans(),
    ),
    max_size=8,
)


@pytest.mark.parametrize("level", ["must", "should"])
def test_a_requirement_is_as_bad_as_its_worst_test(level: Level) -> None:
    for size in (1, 2, 3):
        for tests in combinations_with_replacement(VERDICTS, size):
            worst = max(tests, key=lambda verdict: RANK[verdict])
            assert requirement_verdict(level, tests) == worst


def test_info_is_never_failed() -> None:
    for tests in combinations_with_replacement(VERDICTS, 3):
        shown = ["pass" if test == "fail" else test for test in tests]
        assert requirement_verdict("info", tests) == max(shown, key=lambda each: RANK[each])  # type: ignore[index]


def test_a_requirement_without_tests_is_not_run() -> None:
    assert requirement_verdict("must", []) == "not run"


def test_not_applicable_only_if_all_are() -> None:
    assert requirement_verdict("must", ["not applicable", "not applicable"]) == "not applicable"
    assert requirement_verdict("must", ["not applicable", "pass"]) == "pass"
    assert requirement_verdict("must", ["not applicable", "not run"]) == "not run"


def exit_code_as_written(found: tuple[Judged, ...]) -> int:
    """The contract's sentences, one after the other."""
    musts = [each for each in found if each.level == "must"]
    if any(each.verdict == "fail" and not each.is_waived for each in musts):
        return 1
    if any(each.verdict in ("error", "inconclusive", "not run") for each in musts):
        return 3
    counted = musts or list(found)
    if not any(each.verdict in ("pass", "fail") for each in counted):
        return 3
    return 0


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_every_combination_decides_as_written(size: int) -> None:
    for combination in combinations_with_replacement(PAIRS, size):
        found = tuple(Judged(str(number), *each) for number, each in enumerate(combination))
        assert EXIT_CODES[decide(found).outcome] == exit_code_as_written(found)


@given(judged_requirements)
def test_certified_means_every_must_passed_or_is_waived(found: list[Judged]) -> None:
    if decide(found).outcome == "certified":
        for each in found:
            if each.level == "must":
                assert each.verdict in ("pass", "not applicable") or each.is_waived
        assert any(each.verdict in ("pass", "fail") for each in found)


@given(judged_requirements)
def test_should_and_info_change_nothing_beside_a_must(found: list[Judged]) -> None:
    musts = [each for each in found if each.level == "must"]
    if musts:
        assert decide(found).outcome == decide(musts).outcome


@given(judged_requirements)
def test_every_requirement_is_counted_once_and_waived_ones_again(found: list[Judged]) -> None:
    counts = count(found)
    assert sum(int(str(counts[verdict])) for verdict in VERDICTS) == len(found)
    waived = sum(each.verdict == "fail" and each.is_waived for each in found)
    assert counts["waived"] == waived


def test_nothing_executed_is_never_a_success() -> None:
    assert decide([]) == Decision("inconclusive", "no requirement was executed")
    lacking = [Judged("A", "must", "not applicable"), Judged("B", "should", "pass")]
    assert decide(lacking) == Decision("inconclusive", "no requirement was executed")


def test_a_failed_must_comes_before_everything() -> None:
    found = [Judged("A", "must", "fail"), Judged("B", "must", "not run")]
    assert decide(found, ["the waiver for C expired"]) == Decision("not certified", "failed: A")


def test_a_waiver_problem_comes_before_what_is_undecided() -> None:
    found = [Judged("A", "must", "pass"), Judged("B", "must", "error")]
    assert decide(found, ["expired"]) == Decision("not certified", "expired")


def test_the_first_line_counts_waivers() -> None:
    found = [Judged("A", "must", "fail", True), Judged("B", "must", "pass")]
    counts = count(found)
    assert verdict_line("certified", counts, None) == "certified, 1 waived"
    assert (counts["fail"], counts["waived"]) == (1, 1)


def test_a_reason_names_at_most_five() -> None:
    found = [Judged(f"T-{number}", "must", "fail") for number in range(7)]
    assert decide(found).reason == "failed: T-0, T-1, T-2, T-3, T-4 and 2 more"
