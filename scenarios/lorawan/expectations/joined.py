"""Every node has joined."""

from __future__ import annotations

from scenarios.durations import written
from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.evidence import LorawanEvidence
from simulators.devices.lorawan.join_report import NOTHING_TRIED
from simulators.devices.lorawan.state import Otaa


def judge(evidence: LorawanEvidence, on: str | None, *, within: int | None = None) -> Judgement:
    """
    Every chosen node that joins over the air has a session.

    Who joined later than the scenario lasts is not known, nor whether somebody would have who never
    was switched on, or had no time to send a request.

    Args:
        within: microseconds since the start; None is the end of the scenario.
    """
    by_us = within if within in evidence.late else None
    if by_us not in evidence.late:
        return Judgement(0, [], ["the scenario was over before its end"])
    nodes = [node for node in evidence.chosen(on) if isinstance(node.identity, Otaa)]
    late = set(evidence.late[by_us])
    missing = [node for node in nodes if node.name in late]
    if missing and not evidence.is_connected:
        return Judgement(0, [], ["no gateway was ever answered by the server"])
    measured = {"joined": len(nodes) - len(missing)}
    told = {
        node.name: f"{node.name} had not joined: {node.join_report.explain()}" for node in missing
    }
    if by_us != within:
        over = f"the scenario was over before {written(within or 0)}"
        return Judgement(len(nodes), [], [f"{over}: {each}" for each in told.values()], measured)
    quiet = [n.name for n in missing if n.join_report is NOTHING_TRIED] if within is None else []
    unclear = [told.pop(name) for name in quiet]
    return Judgement(len(nodes), list(told.values()), unclear, measured)
