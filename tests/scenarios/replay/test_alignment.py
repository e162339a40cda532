"""Which of two lists' words belong together, and what is left between them."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.replay import alignment
from scenarios.replay.alignment import Gap, gaps


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", []),
        ("abcd", "abcd", []),
        ("abcd", "abd", [Gap([2], [])]),
        ("abd", "abcd", [Gap([], [2])]),
        ("abcd", "abXd", [Gap([2], [2])]),
        ("abc", "bca", [Gap([0], []), Gap([], [2])]),
        ("0101", "00110011", [Gap([], [1]), Gap([], [3]), Gap([], [5, 6])]),
    ],
)
def test_what_is_left_stands_in_its_gap(before: str, after: str, expected: list[Gap]) -> None:
    assert gaps(before, after) == expected


@given(st.text("abc", max_size=9), st.text("abc", max_size=9))
def test_as_much_as_possible_belongs_together(before: str, after: str) -> None:
    found = gaps(before, after)
    left_before = {at for gap in found for at in gap.before}
    left_after = {at for gap in found for at in gap.after}
    kept_before = [word for at, word in enumerate(before) if at not in left_before]
    kept_after = [word for at, word in enumerate(after) if at not in left_after]
    assert kept_before == kept_after
    assert len(kept_before) == shared(before, after)


@cache
def shared(before: str, after: str) -> int:
    """The length of a longest common subsequence, as its definition says."""
    if not before or not after:
        return 0
    if before[0] == after[0]:
        return 1 + shared(before[1:], after[1:])
    return max(shared(before[1:], after), shared(before, after[1:]))


def test_long_lists_are_aligned_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "MOST_CELLS", 10)
    before = [str(number) for number in range(1000)]
    after = [word for word in before if word not in ("10", "500")]
    assert gaps(before, after) == [Gap([10], []), Gap([500], [])]
