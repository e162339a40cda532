"""
The certificate as a document: what was judged, the verdict, and what it rests on.

The arithmetic of verdicts was done by the run and stands in the footer; it is copied, never made
better. Without a footer nothing is certified.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from reports.results import Document, Results

SCHEMA = "thingrig-certificate/1"
LEVELS = ("must", "should", "info")
VERDICTS = ("pass", "fail", "inconclusive", "error", "not applicable", "not run")
INTERRUPTED = "the run was interrupted: its results have no footer"
# From worst to best; a requirement is as bad as the worst of its tests.
_WORST_FIRST = ("fail", "error", "inconclusive", "not run", "pass", "not applicable")


def certificate(results: Results) -> Document:
    """The certificate of a run; schema: conformance/schemas/certificate.json."""
    header = results.header
    footer = results.footer or _footer_of_interrupted(results)
    requirements = _requirements(header, footer)
    return {
        "schema": SCHEMA,
        "tool": header["tool"],
        "suite_version": header["suite_version"],
        "profile": header["profile"],
        "scope": header["scope"],
        "target": header["target"],
        "started": header["started"],
        "finished": footer["finished"],
        "verdict": footer["verdict"],
        "summary": summary(footer),
        "reason": footer.get("reason"),
        "executed": footer["executed"],
        "counts": footer["counts"],
        "requirements": requirements,
        "locked_out": _locked_out(requirements),
        "left_behind": footer["left_behind"],
        "not_covered": footer["not_covered"],
    }


def certificate_text(document: Document) -> str:
    """As JSON in ASCII: what a target sent may hold lone surrogates, which no UTF-8 file can."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def summary(footer: Document) -> str:
    """The first line: the verdict, and how many broken requirements somebody answers for."""
    verdict, waived = str(footer["verdict"]), footer["counts"].get("waived", 0)
    return f"{verdict}, {waived} waived" if verdict == "certified" and waived else verdict


def _requirements(header: Document, footer: Document) -> list[Document]:
    known = {entry["id"]: entry for entry in header.get("requirements", [])}
    described = ("sentence", "profile", "endpoint", "source")
    return [
        {
            "id": judged["id"],
            "level": judged["level"],
            "verdict": judged["verdict"],
            "tests": judged["tests"],
            "waiver": judged.get("waiver"),
            **{key: known.get(judged["id"], {}).get(key) for key in described},
            **_boards(known.get(judged["id"], {})),
        }
        for judged in footer["requirements"]
    ]


def _boards(entry: Document) -> Document:
    return {"boards": entry["boards"]} if entry.get("boards") else {}


def _locked_out(requirements: list[Document]) -> list[Document]:
    """The boards in the field that need what is broken, by name, and what that is."""
    found: dict[str, list[str]] = defaultdict(list)
    for entry in requirements:
        if entry["verdict"] == "fail":
            for board in entry.get("boards", ()):
                found[board].append(entry["id"])
    return [{"board": board, "requirements": found[board]} for board in sorted(found)]


def _footer_of_interrupted(results: Results) -> Document:
    seen: dict[str, list[Document]] = defaultdict(list)
    for test in results.tests:
        for identifier in test["requirements"]:
            seen[identifier].append(test)
    judged = [
        {
            "id": entry["id"],
            "level": entry["level"],
            "verdict": _verdict_so_far([test["verdict"] for test in seen[entry["id"]]]),
            "tests": [test["test"] for test in seen[entry["id"]]],
            "waiver": None,
        }
        for entry in results.header.get("requirements", [])
    ]
    return {
        "finished": None,
        "verdict": "inconclusive",
        "reason": INTERRUPTED,
        "executed": len(results.tests),
        "counts": _counts(judged),
        "requirements": judged,
        "left_behind": [],
        "not_covered": [],
    }


def _verdict_so_far(verdicts: list[str]) -> str:
    worst = next((verdict for verdict in _WORST_FIRST if verdict in verdicts), "not run")
    # Tests that would have followed might have failed, so an interrupted run passes nothing.
    return "inconclusive" if worst == "pass" else worst


def _counts(judged: list[Document]) -> Document:
    def tally(entries: list[Document]) -> dict[str, Any]:
        verdicts = [entry["verdict"] for entry in entries]
        return {verdict: verdicts.count(verdict) for verdict in VERDICTS} | {"waived": 0}

    by_level = {
        level: tally([entry for entry in judged if entry["level"] == level]) for level in LEVELS
    }
    return tally(judged) | by_level
