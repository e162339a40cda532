"""Downlinks are sent where and when their nodes listen."""

from __future__ import annotations

from collections import Counter

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.evidence import LorawanEvidence
from scenarios.lorawan.traffic import RECEIVED

ON_AIR = ("too weak", "collision", "no demodulator")  # it listened, and heard nothing or another


def judge(evidence: LorawanEvidence, on: str | None) -> Judgement:
    """
    Each downlink on air for a chosen node came into one of its windows.

    One that got lost there for a reason of the medium has hit; one that came while its node was
    busy with an uplink of its own, as those of class C may, is not judged.
    """
    chosen = {node.name for node in evidence.chosen(on)}
    notes = [
        note
        for note in evidence.network_side().traffic.downlinks
        if note.node in chosen and note.end_us <= evidence.end_us
    ]
    judged = [note for note in notes if note.outcome or not note.is_busy]
    broken = [
        f"{note.gateway} sent frame {note.key[1]} to {note.node} at {note.start_us / 1e6:.6f} s, "
        "when it did not listen there"
        for note in judged
        if note.outcome not in (RECEIVED, *ON_AIR)
    ]
    outcomes = Counter(note.outcome or "not listening" for note in judged)
    measured = {**dict(sorted(outcomes.items())), "busy": len(notes) - len(judged)}
    return Judgement(len(judged), broken, measured=measured)
