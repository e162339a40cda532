"""Nodes get downlinks."""

from __future__ import annotations

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.evidence import LorawanEvidence


def judge(evidence: LorawanEvidence, on: str | None, *, at_least: float = 1.0) -> Judgement:
    """Each chosen node accepted so many downlinks; join accepts do not count."""
    nodes = evidence.chosen(on)
    broken = [
        f"{node.name} received {node.tally.downlinks} downlinks"
        for node in nodes
        if node.tally.downlinks < at_least
    ]
    received = sum(node.tally.downlinks for node in nodes)
    return Judgement(len(nodes), broken, measured={"received": received})
