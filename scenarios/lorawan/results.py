"""What results say of a LoRaWAN run: counts, gateways, nodes, and why joins failed."""

from __future__ import annotations

from collections import Counter
from typing import Any

from scenarios.lorawan.evidence import AtNetwork, LorawanEvidence
from scenarios.lorawan.explaining import explain_join
from scenarios.run import Run
from simulators.apps.things_stack.application import Order
from simulators.devices.node import Node

TOLD = 20  # failed joins that are explained, each with one paragraph


def parts(run: Run) -> dict[str, Any]:
    """Their part of run.json."""
    evidence: LorawanEvidence = run.evidence
    heard = radio(evidence, run.ended_us)
    return {
        "counts": counts(evidence),
        **({} if heard is None else {"radio": heard}),
        "gateways": [_gateway(evidence, name) for name in evidence.watch.gateways],
        "nodes": [_node(evidence, node) for node in evidence.nodes],
        **_application(evidence.at_network),
        "failed_joins": failed_joins(evidence),
    }


def radio(evidence: LorawanEvidence, end_us: int) -> dict[str, Any] | None:
    """What became of everything that nodes sent, where it was watched."""
    coverage = evidence.watch.coverage
    return None if coverage is None else coverage.document(end_us)


def counts(evidence: LorawanEvidence) -> dict[str, int]:
    """Sums over all nodes; ``uplinks`` were on air, repetitions included."""
    nodes = evidence.nodes
    every = [evidence.counts(node) for node in nodes]
    return {
        "nodes": len(nodes),
        "joined": sum(node.is_joined for node in nodes),
        "uplinks": sum(each.sent for each in every),
        "heard": sum(each.heard for each in every),
        "confirmed": sum(node.tally.confirmed for node in nodes),
        "acknowledged": sum(node.tally.acknowledged for node in nodes),
        "downlinks": sum(node.tally.downlinks for node in nodes),
    }


def failed_joins(evidence: LorawanEvidence) -> list[dict[str, str]]:
    """A paragraph for each node that tried to join and has not, the first twenty."""
    failed = [node for node in evidence.nodes if evidence.unjoined(node)]
    return [{"node": node.name, "why": explain_join(evidence, node)} for node in failed[:TOLD]]


def _application(at: AtNetwork | None) -> dict[str, Any]:
    """What the application saw, where there was one."""
    if at is None:
        return {}
    application = at.application
    orders = Counter(_end_of(order) for order in application.orders)
    failures = Counter(f"{name}: {why}" for name, _, why in application.failures)
    posted = sum(map(len, application.posted.values())) if application.has_webhook else None
    told = {
        "messages": sum(map(len, application.uplinks.values())),
        "decoded": sum(u.decoded is not None for us in application.uplinks.values() for u in us),
        "posted": posted,
        "joins": sum(map(len, application.joins.values())),
        "orders": dict(sorted(orders.items())),
        "turns": len(at.turns),
        "failures": dict(sorted(failures.items())),
        "stream_interruptions": application.interruptions[:TOLD],
        "left_behind": at.left,
        "ids_taken": at.reserved,
    }
    return {"application": told}


def _end_of(order: Order) -> str:
    if order.told:
        return order.told[-1].kind
    if order.refusal:
        return "refused"
    return "unanswered" if order.taken_us is None else "queued"


def _gateway(evidence: LorawanEvidence, name: str) -> dict[str, Any]:
    notes = evidence.watch.gateways[name]
    return {
        "name": name,
        "kind": notes.kind,
        "connected": notes.is_connected,
        "failure": notes.failure or None,
    }


def _node(evidence: LorawanEvidence, node: Node) -> dict[str, Any]:
    tally, told = node.tally, evidence.counts(node)
    return {
        "name": node.name,
        "fleet": evidence.fleet_of[node.name],
        "joined": node.is_joined,
        "join_requests": node.join_report.requests,
        "data_rate": node.parameters.data_rate,
        "uplinks": told.sent,
        "heard": told.heard,
        "confirmed": tally.confirmed,
        "acknowledged": tally.acknowledged,
        "downlinks": tally.downlinks,
        "airtime_s": round(node.energy_report().transmit_s, 6),
        **_last_decoded(evidence.at_network, node),
    }


def _last_decoded(at: AtNetwork | None, node: Node) -> dict[str, Any]:
    """What the node's last message said, where a payload formatter has decoded it."""
    if at is None:
        return {}
    uplinks = at.application.uplinks.get(at.device_ids.get(node.name, ""), ())
    told = next((each.decoded for each in reversed(uplinks) if each.decoded is not None), None)
    return {} if told is None else {"last_decoded": told}
