"""Gateways hear what nodes send."""

from __future__ import annotations

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.evidence import LorawanEvidence


def judge(evidence: LorawanEvidence, on: str | None, *, at_least: float = 1.0) -> Judgement:
    """At least this share of each chosen node's data frames on air was heard by some gateway."""
    counts = [(node, evidence.counts(node)) for node in evidence.chosen(on)]
    sent = sum(each.sent for _, each in counts)
    heard = sum(each.heard for _, each in counts)
    broken = [
        f"{node.name}: {each.heard} of {each.sent} uplinks were heard"
        for node, each in counts
        if each.sent and each.heard < at_least * each.sent
    ]
    unclear = [f"{node.name} sent no uplink" for node, each in counts if not each.sent]
    measured = {"sent": sent, "heard": heard}
    return Judgement(sent, broken, unclear, measured=measured)
