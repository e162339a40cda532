"""
The certificate as one page: no script, nothing loaded from elsewhere, readable on paper and phone.

Everything that came from a target passes through ``shown`` or ``literal`` and Jinja2's escaping.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.certificate import LEVELS, VERDICTS
from reports.results import Document, Results
from reports.text import literal, shown
from reports.transcripts import transcript_names

MOST_EXCHANGES = 6  # of one test; a test's last exchanges are the ones that it judged
MOST_FAILURES = 200  # shown with their exchanges; a page of thousands helps nobody
SIGNS = {
    "pass": "✓",
    "fail": "✗",
    "error": "!",
    "inconclusive": "?",
    "not run": "○",
    "not applicable": "-",
}
_APPLICABLE = tuple(verdict for verdict in VERDICTS if verdict != "not applicable")
_UNPROVEN = ("error", "inconclusive", "not run", "not applicable")


def page(document: Document, results: Results) -> str:
    """The whole HTML page of one certificate."""
    template = _environment().get_template("certificate.html")
    broken = _broken(document, results)
    text = template.render(
        certificate=document,
        broken=broken[:MOST_FAILURES],
        unshown=[entry["requirement"] for entry in broken[MOST_FAILURES:]],
        unproven=_unproven(document, results),
        observed=_observed(document, results),
        chapters=_chapters(document),
        duration=_duration(document),
        scores=_scores(document["counts"]),
        levels=LEVELS,
        verdicts=VERDICTS,
        signs=SIGNS,
    )
    # A lone surrogate may hide in a field that nobody expected one in; UTF-8 has no form for it.
    return text.encode("utf-8", "backslashreplace").decode()


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "literal": literal, "head": _head, "moment": _moment}
    return environment


def _head(headers: Any) -> str:
    """Header fields as lines, whether they were kept as an object or as pairs."""
    pairs = headers.items() if isinstance(headers, dict) else headers or []
    return "\n".join(f"{shown(name)}: {shown(value, longest=400)}" for name, value in pairs)


def _broken(document: Document, results: Results) -> list[Document]:
    """Failed requirements with their failed tests; those nobody accepted come first."""
    names = transcript_names(results)
    entries = [
        {
            "requirement": entry,
            "tests": [
                _evidence(test) | {"file": names.get(place)}
                for place, test in _failed(entry, results)
            ],
        }
        for entry in document["requirements"]
        if entry["verdict"] == "fail"
    ]
    return sorted(
        entries,
        key=lambda entry: (
            entry["requirement"]["waiver"] is not None,
            LEVELS.index(entry["requirement"]["level"]),
        ),
    )


def _failed(requirement: Document, results: Results) -> list[tuple[int, Document]]:
    return [
        (place, test)
        for place, test in enumerate(results.tests)
        if test["verdict"] == "fail" and requirement["id"] in test["requirements"]
    ]


def _evidence(test: Document) -> Document:
    evidence = test.get("evidence") or {}
    exchanges = evidence.get("exchanges") or []
    return {
        "test": test["test"],
        "reason": _beyond_the_values(test.get("reason")),
        "expected": test.get("expected"),
        "actual": test.get("actual"),
        "left_out": max(0, len(exchanges) - MOST_EXCHANGES),
        "exchanges": exchanges[-MOST_EXCHANGES:],
        "curl": (evidence.get("curl") or [])[-MOST_EXCHANGES:],
    }


def _beyond_the_values(reason: str | None) -> str | None:
    """The reason, unless it only repeats the two values that are shown below it."""
    return None if reason and reason.startswith("expected ") else reason


def _unproven(document: Document, results: Results) -> list[Document]:
    """Requirements without a judgement, gathered by verdict and reason."""
    groups: dict[tuple[str, str], list[Document]] = {}
    for entry in document["requirements"]:
        if entry["verdict"] in _UNPROVEN:
            reason = _reason(entry, results) or _reason_of_run(document)
            groups.setdefault((entry["verdict"], reason), []).append(entry)
    ordered = sorted(groups.items(), key=lambda item: _UNPROVEN.index(item[0][0]))
    return [
        {"verdict": verdict, "reason": reason, "requirements": entries}
        for (verdict, reason), entries in ordered
    ]


def _reason_of_run(document: Document) -> str:
    """For what no test has said anything about."""
    if document["verdict"] == "inconclusive" and document["reason"]:
        return shown(document["reason"], longest=600)
    return "no test of it was run"


def _reason(requirement: Document, results: Results) -> str:
    reasons = {
        shown(test["reason"], longest=600): None
        for test in results.tests
        if requirement["id"] in test["requirements"]
        and test["verdict"] == requirement["verdict"]
        and test.get("reason")
    }
    return "; ".join(reasons)


def _observed(document: Document, results: Results) -> list[Document]:
    """What was seen of each requirement: every value once, with how often it was seen."""
    sentences = {entry["id"]: entry["sentence"] or "" for entry in document["requirements"]}
    seen: dict[str, Counter[tuple[str, str]]] = {}
    for test in results.tests:
        for identifier in test["requirements"]:
            notes = seen.setdefault(identifier, Counter())
            notes.update(_note(entry) for entry in test.get("observed") or [])
    return [
        {"id": identifier, "sentence": sentences.get(identifier, ""), "notes": notes.items()}
        for identifier, notes in seen.items()
        if notes
    ]


def _note(entry: Any) -> tuple[str, str]:
    if isinstance(entry, dict) and "what" in entry:
        return shown(entry["what"], longest=300), literal(entry.get("value"), longest=400)
    return "", literal(entry, longest=400)


def _chapters(document: Document) -> dict[str, list[Document]]:
    """The requirements by endpoint, in the catalogue's order."""
    chapters: dict[str, list[Document]] = {}
    for entry in document["requirements"]:
        chapters.setdefault(entry["endpoint"] or "general", []).append(entry)
    return chapters


def _scores(counts: Document) -> list[tuple[str, int, int]]:
    """For must and should: how many passed of those that the target does not disclaim."""
    return [
        (level, counts[level]["pass"], sum(counts[level][verdict] for verdict in _APPLICABLE))
        for level in ("must", "should")
    ]


def _duration(document: Document) -> str | None:
    if document["finished"] is None:
        return None
    passed = _instant(document["finished"]) - _instant(document["started"])
    return f"{passed.total_seconds():.0f} s"


def _moment(text: str) -> str:
    return _instant(text).strftime("%Y-%m-%d %H:%M:%S UTC")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
