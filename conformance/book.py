"""
What the controller writes: results from header to footer, the trace, and what was left behind.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

from conformance.choice import Choice
from conformance.ledger import Ledger
from conformance.results import SCHEMA, ResultsWriter
from conformance.run import Run
from conformance.tracing import RunTrace
from conformance.verdict import (
    Decision,
    Judged,
    Verdict,
    count,
    decide,
    requirement_verdict,
    verdict_line,
)
from conformance.waivers import waiver_problems


class Book:
    """Everything of a run that ends up in its output folder; used as a context manager."""

    def __init__(self, out: Path, choice: Choice, run: Run, ledger: Ledger) -> None:
        self.path = out / "results.jsonl"
        self.has_collection_errors = False
        self._out = out
        self._choice = choice
        self._run = run
        self._ledger = ledger
        self._writer = ResultsWriter(self.path)
        self._trace = RunTrace(out / "trace.jsonl", self._trace_header(), run.secrets)
        self._lines: list[dict[str, Any]] = []
        self._decision: Decision | None = None
        self._counts: dict[str, object] = {}

    def __enter__(self) -> Book:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._trace.close(duration_us=round((time.monotonic() - self._run.started) * 1_000_000))
        self._writer.close()

    def open(self) -> None:
        """Write the header."""
        self._writer.write(
            {
                "type": "header",
                "schema": SCHEMA,
                "tool": "thingrig",
                "suite_version": suite_version(),
                "profile": self._choice.profile,
                "scope": self._choice.scope,
                "target": self._run.target.public(),
                "started": now(),
                "prefix": self._run.prefix,
                "requirements": [each.document() for each in self._choice.requirements.values()],
            }
        )

    def add(self, line: dict[str, Any], events: Sequence[dict[str, Any]]) -> None:
        """Write a test's line, and its events."""
        self._lines.append(line)
        self._writer.write(line)
        self._trace.add(events)

    def finish(self, *, unreachable: str | None = None) -> Decision:
        """Write the footer; ``unreachable`` is why nothing was judged."""
        judged = self._judged()
        passed: dict[str, Verdict] = {each.id: each.verdict for each in judged}
        today = datetime.now(UTC).date()
        problems = waiver_problems(self._choice.waivers, passed, today)
        decision = decide(judged, problems)
        if unreachable:
            decision = Decision("inconclusive", unreachable)
        elif stopped := self._run.desk.stopped():
            decision = decision._replace(reason=_joined(stopped, decision.reason))
        self._decision, self._counts = decision, count(judged)
        self._writer.write(self._footer(judged))
        return decision

    def verdict_line(self) -> str:
        """The verdict in one line; a run without footer was interrupted."""
        if self._decision is None:
            return "inconclusive: the run was interrupted"
        outcome, reason = self._shown()
        return verdict_line(outcome, self._counts, reason)  # type: ignore[arg-type]

    def _shown(self) -> tuple[str, str | None]:
        """A partial scope certifies nothing; the exit code still speaks for what was chosen."""
        assert self._decision is not None
        if self._choice.selected is None:
            return self._decision
        verdict = verdict_line(self._decision.outcome, self._counts, None)
        words = f"partial scope ({self._choice.selected}): {verdict}"
        return "inconclusive", _joined(words, self._decision.reason)

    def _judged(self) -> list[Judged]:
        tests: dict[str, list[Verdict]] = {each: [] for each in self._chosen()}
        for line in self._lines:
            for each in line["requirements"]:
                tests.get(each, []).append(line["verdict"])
        today = datetime.now(UTC).date()
        waived = {each.requirement for each in self._choice.waivers if not each.is_expired(today)}
        levels = {each: self._choice.requirements[each].level for each in tests}
        return [
            Judged(each, levels[each], requirement_verdict(levels[each], found), each in waived)
            for each, found in tests.items()
        ]

    def _chosen(self) -> list[str]:
        """Tests picked by name or file choose the requirements that they stand for."""
        if self._choice.selected is None or self._choice.only:
            return list(self._choice.requirements)
        touched = {each for line in self._lines for each in line["requirements"]}
        return [each for each in self._choice.requirements if each in touched]

    def _footer(self, judged: list[Judged]) -> dict[str, Any]:
        outcome, reason = self._shown()
        waivers = {each.requirement: each.document() for each in self._choice.waivers}
        return {
            "type": "footer",
            "finished": now(),
            "verdict": outcome,
            "reason": reason,
            "counts": self._counts,
            "requirements": [
                {
                    "id": each.id,
                    "level": each.level,
                    "verdict": each.verdict,
                    "tests": [
                        line["test"] for line in self._lines if each.id in line["requirements"]
                    ],
                    "waiver": waivers.get(each.id),
                }
                for each in judged
            ],
            "left_behind": self._ledger.left_behind(),
            "not_covered": list(self._run.platform.not_covered),
            "executed": sum(line["verdict"] in ("pass", "fail") for line in self._lines),
        }

    def _trace_header(self) -> dict[str, Any]:
        elapsed = timedelta(seconds=time.monotonic() - self._run.started)
        return {
            "scenario": self._choice.profile,
            "platform": self._choice.platform,
            "seed": None,
            "clock": "wall",
            "start": f"{datetime.now(UTC) - elapsed:%Y-%m-%dT%H:%M:%S.%fZ}",
            "url": self._run.target.url,
        }


def suite_version() -> str:
    """The version of the installed distribution."""
    try:
        return metadata.version("thingrig")
    except metadata.PackageNotFoundError:
        return "unknown"


def now() -> str:
    """The present in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _joined(*parts: str | None) -> str | None:
    return "; ".join(part for part in parts if part) or None
