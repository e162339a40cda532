"""Whatever no gateway heard was lost on air, for a reason."""

from __future__ import annotations

from collections import Counter

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.coverage import most_telling
from scenarios.lorawan.evidence import LorawanEvidence


def judge(evidence: LorawanEvidence, on: str | None, *, at_most: float = 1.0) -> Judgement:
    """
    Each chosen node's uplinks were heard, or lost by the medium at the gateways that were on.

    Args:
        at_most: the share of all their uplinks that may be lost.
    """
    notes = evidence.uplinks(on)
    lost = [note for note in notes if not note.heard_by]
    reasons = Counter(
        max(set(note.losses.values()), key=most_telling) for note in lost if note.losses
    )
    broken = [
        f"{note.node}'s frame {note.key[1]} at {note.start_us / 1e6:.3f} s: no gateway was on"
        for note in lost
        if not note.losses
    ]
    if len(lost) > at_most * len(notes):
        broken.insert(0, f"{len(lost)} of {len(notes)} uplinks were lost, {_told(reasons)}")
    measured = {"uplinks": len(notes), "lost": len(lost), **dict(sorted(reasons.items()))}
    return Judgement(len(notes), broken, measured=measured)


def _told(reasons: Counter[str]) -> str:
    return ", ".join(f"{count} for: {reason}" for reason, count in sorted(reasons.items()))
