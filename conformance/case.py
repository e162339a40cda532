"""
One test of a run: from what pytest tells about it to its line in the results file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from _pytest.outcomes import Skipped  # pytest.skip.Exception, which has no type

from conformance.clients.exchange import UnexpectedAnswer
from conformance.evidence import evidence
from conformance.judge import Judge
from conformance.kinds import count_requests
from conformance.outcomes import (
    Inconclusive,
    NotApplicable,
    NotRun,
    RequirementBroken,
)
from conformance.run import Run
from conformance.verdict import WORST_FIRST, Verdict

MAX_EXCHANGES = 30

# The first class that fits an exception tells the verdict; everything else is our own error.
_VERDICTS: tuple[tuple[type[BaseException], Verdict], ...] = (
    (RequirementBroken, "fail"),
    (Inconclusive, "inconclusive"),
    (UnexpectedAnswer, "inconclusive"),
    (NotApplicable, "not applicable"),
    (NotRun, "not run"),
    (Skipped, "not run"),
)


@dataclass
class Case:
    """What is known of a running test; ``first`` is where its exchanges begin in the run's."""

    run: Run
    test: str
    ids: list[str]
    judge: Judge
    fixtures: list[str]
    first: int
    verdict: Verdict = "pass"
    reason: str | None = None
    expected: Any = None
    actual: Any = None
    duration_s: float = 0.0
    is_called: bool = field(default=False)

    def note(self, when: str, problem: BaseException | None, duration_s: float) -> None:
        """Take in the end of a phase: ``setup``, ``call`` or ``teardown``."""
        self.duration_s += duration_s
        self.is_called = self.is_called or when == "call"
        if problem is not None:
            self._worsen(verdict_of(problem), problem)

    def _worsen(self, verdict: Verdict, problem: BaseException) -> None:
        if self.verdict != "pass" and _rank(verdict) >= _rank(self.verdict):
            return
        self.verdict = verdict
        self.reason = self.run.secrets.redact(_words(problem))
        if isinstance(problem, RequirementBroken):
            self.expected, self.actual = problem.expected, problem.actual

    def result(self) -> dict[str, Any]:
        """The line of the results file, and the test's events for the trace."""
        if self.verdict == "pass" and not (self.judge.checks or self.judge.observed):
            self.verdict, self.reason = "error", "the test made no check"
        seen = self.run.seen_by(self.fixtures, self.first)
        own = [each for each in self.run.exchanges[self.first :] if not each.is_borrowed]
        return {
            "line": {
                "type": "test",
                "test": self.test,
                "requirements": self.ids,
                "verdict": self.verdict,
                "reason": self.reason,
                "expected": self.expected,
                "actual": self.actual,
                "observed": self.judge.observed,
                "duration_s": round(self.duration_s, 4),
                "evidence": evidence(seen[-MAX_EXCHANGES:], self.run.secrets, self.run.origins),
                "requests": count_requests(own, self.run.platform.request_kind),
                "worker": self.run.worker,
            },
            "events": self.run.told_by(self.test, self.first),
        }


def verdict_of(problem: BaseException) -> Verdict:
    """The verdict that an exception stands for."""
    for kind, verdict in _VERDICTS:
        if isinstance(problem, kind):
            return verdict
    return "error"


def error_line(test: str, ids: list[str], reason: str) -> dict[str, Any]:
    """The line of a test that could not tell its own: its worker died, or it was not collected."""
    return {
        "type": "test", "test": test, "requirements": ids, "verdict": "error", "reason": reason,
        "expected": None, "actual": None, "observed": [], "duration_s": 0.0,
        "evidence": {"exchanges": [], "curl": []}, "requests": {}, "worker": None,
    }  # fmt: skip


def _rank(verdict: Verdict) -> int:
    """Lower is worse."""
    return WORST_FIRST.index(verdict) if verdict in WORST_FIRST else len(WORST_FIRST)


def _words(problem: BaseException) -> str:
    if isinstance(problem, Skipped):
        return str(problem.msg)
    if verdict_of(problem) != "error":
        return str(problem) or type(problem).__name__
    return f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__
