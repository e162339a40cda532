"""
The arithmetic of verdicts: tests to requirements, requirements to a certificate. Pure.

A requirement's verdict is the worst of its tests. Zero executed checks is never a success.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from conformance.requirement import Level

Verdict = Literal["pass", "fail", "inconclusive", "error", "not applicable", "not run"]
Outcome = Literal["certified", "not certified", "inconclusive"]

VERDICTS: tuple[Verdict, ...] = (
    "pass", "fail", "inconclusive", "error", "not applicable", "not run",
)  # fmt: skip
WORST_FIRST: tuple[Verdict, ...] = ("fail", "error", "inconclusive", "not run", "pass")
LEVELS: tuple[Level, ...] = ("must", "should", "info")
UNDECIDED = frozenset({"error", "inconclusive", "not run"})
EXIT_CODES: dict[Outcome, int] = {"certified": 0, "not certified": 1, "inconclusive": 3}


class Judged(NamedTuple):
    """A requirement at the end of a run; ``is_waived`` says that a valid waiver names it."""

    id: str
    level: Level
    verdict: Verdict
    is_waived: bool = False


class Decision(NamedTuple):
    """What a run comes to, with its reason in one phrase unless all is well."""

    outcome: Outcome
    reason: str | None


def requirement_verdict(level: Level, tests: Iterable[Verdict]) -> Verdict:
    """
    The worst of its tests; ``not applicable`` only if all are; ``not run`` if there are none.

    ``info`` is observed, never failed.
    """
    found = {"pass" if level == "info" and test == "fail" else test for test in tests}
    for verdict in WORST_FIRST:
        if verdict in found:
            return verdict
    return "not applicable" if found else "not run"


def decide(requirements: Sequence[Judged], waiver_problems: Sequence[str] = ()) -> Decision:
    """
    The outcome for these requirements.

    Args:
        waiver_problems: waivers that are expired, or unused although their requirement passed.
    """
    musts = [found for found in requirements if found.level == "must"]
    failed = [found.id for found in musts if found.verdict == "fail" and not found.is_waived]
    undecided = [found for found in musts if found.verdict in UNDECIDED]
    executed = [found for found in musts or requirements if found.verdict in ("pass", "fail")]
    if failed:
        return Decision("not certified", f"failed: {_some(failed)}")
    if waiver_problems:
        return Decision("not certified", "; ".join(waiver_problems))
    if undecided:
        return Decision("inconclusive", _undecided(undecided))
    if not executed:
        return Decision("inconclusive", "no requirement was executed")
    return Decision("certified", None)


def count(requirements: Sequence[Judged]) -> dict[str, object]:
    """Requirements by verdict, waived ones again, and the same for each level."""
    by_level: dict[str, object] = {
        level: _tally([found for found in requirements if found.level == level]) for level in LEVELS
    }
    return {**_tally(requirements), **by_level}


def verdict_line(outcome: Outcome, counts: Mapping[str, object], reason: str | None) -> str:
    """The first line of every report: ``certified, 2 waived``."""
    waived = counts.get("waived", 0)
    words = f"{outcome}, {waived} waived" if outcome == "certified" and waived else outcome
    return f"{words}: {reason}" if reason else words


def _tally(requirements: Sequence[Judged]) -> dict[str, int]:
    tally: dict[str, int] = {
        verdict: sum(found.verdict == verdict for found in requirements) for verdict in VERDICTS
    }
    tally["waived"] = sum(found.is_waived and found.verdict == "fail" for found in requirements)
    return tally


def _undecided(requirements: Sequence[Judged]) -> str:
    parts = [
        f"{verdict}: {_some([found.id for found in requirements if found.verdict == verdict])}"
        for verdict in WORST_FIRST
        if any(found.verdict == verdict for found in requirements)
    ]
    return "; ".join(parts)


def _some(ids: Sequence[str], limit: int = 5) -> str:
    rest = f" and {len(ids) - limit} more" if len(ids) > limit else ""
    return ", ".join(ids[:limit]) + rest
