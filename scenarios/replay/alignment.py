"""Two lists of words that ought to be one: which belong together, and what is left between them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

MOST_CELLS = 4_000_000  # about two seconds; beyond it a good alignment has to do for the best


class Gap(NamedTuple):
    """Places between two words that belong together, in the one list and in the other."""

    before: list[int]
    after: list[int]


def gaps(before: Sequence[str], after: Sequence[str]) -> list[Gap]:
    """What a longest common subsequence leaves out, place by place."""
    found = [Gap([], [])]
    at_before = at_after = 0
    for one, other in [*_matches(before, after), (len(before), len(after))]:
        found[-1].before.extend(range(at_before, one))
        found[-1].after.extend(range(at_after, other))
        at_before, at_after = one + 1, other + 1
        found.append(Gap([], []))
    return [gap for gap in found if gap.before or gap.after]


def _matches(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    inner = before[start : len(before) - end], after[start : len(after) - end]
    middle = _longest(*inner) if len(inner[0]) * len(inner[1]) <= MOST_CELLS else _good(*inner)
    return [
        *((at, at) for at in range(start)),
        *((start + one, start + other) for one, other in middle),
        *((len(before) - at, len(after) - at) for at in range(end, 0, -1)),
    ]


def _common(these: Sequence[str], those: Sequence[str]) -> int:
    """How many words both begin with."""
    pairs = zip(these, those, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other),
                min(len(these), len(those)))  # fmt: skip


def _longest(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    rows = [[0] * (len(after) + 1)]  # rows[-1 - n][m]: how much the last n and the last m share
    for word in reversed(before):
        below, row = rows[-1], [0] * (len(after) + 1)
        for at in range(len(after) - 1, -1, -1):
            is_same = word == after[at]
            row[at] = below[at + 1] + 1 if is_same else max(below[at], row[at + 1])
        rows.append(row)
    rows.reverse()
    found, one, other = [], 0, 0
    while one < len(before) and other < len(after):
        if before[one] == after[other]:
            found.append((one, other))
            one, other = one + 1, other + 1
        elif rows[one + 1][other] >= rows[one][other + 1]:
            one += 1
        else:
            other += 1
    return found


def _good(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [
        (block.a + at, block.b + at)
        for block in matcher.get_matching_blocks()
        for at in range(block.size)
    ]
