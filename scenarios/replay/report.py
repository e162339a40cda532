"""
``replay.json``: what differs, most important first, as a document for people's tools.

Equal differences are one entry with a count and the first case. Secrets are replaced by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scenarios.replay.comparison import NOTHING
from scenarios.replay.names import is_opaque
from scenarios.replay.player import Finding, Outcome
from scenarios.replay.script import PLACEHOLDER, WORD, Script
from scenarios.trace import Trace
from simulators.clock import MICROSECONDS

FORMAT = "thingrig-replay/1"
# Most important first: what stops a device, what confuses it, what it would notice last.
KINDS = (
    "no answer", "status", "shape", "stream end", "missing", "extra", "order", "value", "timing",
)  # fmt: skip


def verdict(outcome: Outcome) -> str:
    """same, different, or inconclusive when nothing was compared or not all was played."""
    if reason(outcome) is not None:
        return "inconclusive"
    return "different" if outcome.findings else "same"


def reason(outcome: Outcome) -> str | None:
    """Why there is no judgement."""
    if outcome.is_interrupted:
        return f"interrupted after {outcome.ended_us / MICROSECONDS:g} s"
    if outcome.lost is not None:
        return outcome.lost
    if outcome.findings:
        return None
    if not outcome.counts["compared"] and not outcome.counts["documents"]:
        return "no request of the trace could be compared"
    if unplayed := outcome.counts["unplayed"]:
        return f"{unplayed} requests hold a secret that the target neither has nor gave"
    return None


def document(
    trace: Trace, script: Script, outcome: Outcome, *, suite_version: str, about: dict[str, Any]
) -> dict[str, Any]:
    """The report; ``about`` is what only the caller knows: target, speed, started, finished."""
    header = trace.header
    named = ("scenario", "platform", "clock", "start", "duration_us")
    return {
        "schema": FORMAT,
        "tool": "thingrig",
        "suite_version": suite_version,
        "trace": {**{name: header[name] for name in named}, "cut": trace.is_cut},
        **about,
        "played_s": outcome.ended_us / MICROSECONDS,
        "verdict": verdict(outcome),
        "reason": reason(outcome),
        "counts": {
            "steps": len(script.steps),
            "requests": outcome.counts["exchanges"],
            "compared": outcome.counts["compared"],
            "failed_in_recording": outcome.counts["failed in the recording"],
            "without_recorded_answer": outcome.counts["without a recorded answer"],
            "unplayed": outcome.counts["unplayed"],
            "streams": outcome.counts["streams"],
            "documents": outcome.counts["documents"],
        },
        "differences": groups(script, outcome.findings),
        "uncertain": groups(script, outcome.uncertain),
        "latency_ms": {
            "recorded": _latency_ms(outcome.recorded_us),
            "replayed": _latency_ms(outcome.replayed_us),
        },
        "behind_ms": outcome.behind_us / 1000,
    }


def groups(script: Script, findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Equal differences together: ordered by kind, then the most frequent, then the first."""
    found: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in findings:
        difference = finding.difference
        is_status = difference.kind == "status"
        statuses = (difference.recorded, difference.replayed) if is_status else ()
        key = (difference.kind, endpoint(script, finding), difference.where, *statuses)
        found.setdefault(key, []).append(finding)
    entries = [_entry(script, each) for each in found.values()]
    return sorted(
        entries,
        key=lambda entry: (KINDS.index(entry["kind"]), -entry["count"], entry["first"]["line"]),
    )


def endpoint(script: Script, finding: Finding) -> str:
    """Method and path; what differs from thing to thing is left out."""
    path = PLACEHOLDER.sub(r"<\1>", finding.target.partition("?")[0])
    path = WORD.sub(
        lambda word: "<id>" if word[0] in script.issued or is_opaque(word[0]) else word[0], path
    )
    return f"{finding.method} {path}"


def _entry(script: Script, findings: list[Finding]) -> dict[str, Any]:
    first = min(findings, key=lambda finding: finding.order)
    return {
        "kind": first.difference.kind,
        "endpoint": endpoint(script, first),
        "where": first.difference.where,
        "count": len(findings),
        "first": {
            "line": first.order + 2,
            "device": first.device,
            "recorded": _side(first.difference.recorded),
            "replayed": _side(first.difference.replayed),
        },
    }


def _side(value: Any) -> dict[str, Any]:
    """A side that has nothing there is an empty object; null is a value like others."""
    return {} if value is NOTHING else {"value": value}


def _latency_ms(found_us: list[int]) -> dict[str, float] | None:
    if not found_us:
        return None
    ordered = sorted(found_us)
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: ordered[round(share * (len(ordered) - 1))] / 1000 for name, share in at.items()}
