"""Every node has joined."""

from __future__ import annotations

from scenarios.durations import written
from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.evidence import LorawanEvidence
from simulators.devices.lorawan.state import Otaa


def judge(evidence: LorawanEvidence, on: str | None, *, within: int | None = None) -> Judgement:
    """
    Every chosen node that joins over the air has a session.

    Args:
        within: microseconds since the start; None is the end of the scenario.
    """
    if within not in evidence.late:
        when = "its end" if within is None else written(within)
        return Judgement(0, [], [f"the scenario was over before {when}"])
    nodes = [node for node in evidence.chosen(on) if isinstance(node.identity, Otaa)]
    late = set(evidence.late[within])
    missing = [node for node in nodes if node.name in late]
    if missing and not evidence.is_connected:
        return Judgement(0, [], ["no gateway was ever answered by the server"])
    broken = [f"{node.name} had not joined: {node.join_report.explain()}" for node in missing]
    measured = {"joined": len(nodes) - len(broken)}
    return Judgement(len(nodes), broken, measured=measured)
