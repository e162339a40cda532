"""Defects of what is told of gateways' connections."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.deviations.changes import (
    with_document,
    with_member,
    without,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation

_STATS = ("Gs/GetGatewayConnectionStats",)


def _as_number(document: Any) -> Any:
    """Counters as JSON numbers."""
    return {
        name: int(value) if name.endswith("_count") else value for name, value in document.items()
    }


DEVIATIONS: dict[str, Deviation] = {
    "connection-without-protocol": Deviation(
        "The protocol of a connection is not told.", rpcs=_STATS, answer=without("protocol")
    ),
    "connection-counts-as-numbers": Deviation(
        "Counters of a connection are numbers.", rpcs=_STATS, answer=with_document(_as_number)
    ),
    "connection-downlinks-undated": Deviation(
        "When the last downlink of a connection was is not told.",
        rpcs=_STATS,
        answer=without("last_downlink_received_at"),
    ),
    "connection-without-metrics": Deviation(
        "The numbers of a status are not told.",
        rpcs=_STATS,
        answer=with_member(lambda status: {}, "last_status"),
    ),
    "connections-left-out": Deviation(
        "Statistics of several gateways leave all of them out.",
        rpcs=("Gs/BatchGetGatewayConnectionStats",),
        answer=without("entries"),
    ),
    "connection-end-untold": Deviation(
        "When a connection ended is not told.", rpcs=_STATS, answer=without("disconnected_at")
    ),
}
