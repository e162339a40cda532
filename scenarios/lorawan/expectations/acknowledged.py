"""Confirmed uplinks are acknowledged."""

from __future__ import annotations

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.evidence import LorawanEvidence
from simulators.devices.node import Node

EXCHANGE_US = 10_000_000  # a try with its windows


def judge(evidence: LorawanEvidence, on: str | None, *, at_least: float = 1.0) -> Judgement:
    """
    At least this share of each chosen node's confirmed uplinks was acknowledged.

    One whose windows are still open when the scenario ends counts as neither.
    """
    broken, unclear, confirmed, acknowledged = [], [], 0, 0
    for node in evidence.chosen(on):
        tally = node.tally
        over = tally.confirmed - _is_waiting(node, evidence.end_us)
        confirmed += over
        acknowledged += tally.acknowledged
        if not over:
            unclear.append(f"{node.name} sent no confirmed uplink")
        elif tally.acknowledged < at_least * over:
            broken.append(f"{node.name}: {tally.acknowledged} of {over} were acknowledged")
    measured = {"confirmed": confirmed, "acknowledged": acknowledged}
    return Judgement(confirmed, broken, unclear, measured=measured)


def _is_waiting(node: Node, end_us: int) -> bool:
    tally = node.tally
    is_open = tally.confirmed > tally.acknowledged and not node.is_acknowledged
    return is_open and node.uplink_end_us > end_us - EXCHANGE_US
