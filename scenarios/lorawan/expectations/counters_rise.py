"""No frame counter ever goes back or stands still."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.evidence import LorawanEvidence
from simulators.lorawan.versions import MacVersion


def judge(evidence: LorawanEvidence, on: str | None) -> Judgement:
    """Of each session, at the application, and of the downlinks that gateways sent."""
    nodes = {node.name: node for node in evidence.chosen(on)}
    at = evidence.network_side()
    series: dict[tuple[str, ...], list[int]] = {}
    for device_id, uplinks in at.application.uplinks.items():
        name = at.names.get(device_id, "")
        for uplink in uplinks if name in nodes else ():
            key = (name, "the application got uplink", uplink.dev_addr)
            series.setdefault(key, []).append(uplink.f_cnt)
    for note in at.traffic.downlinks:
        node = nodes.get(note.node or "")
        if node is not None:
            # 1.1 counts apart what is the network's own.
            is_apart = node.settings.version >= MacVersion.V1_1 and not note.has_port
            what = f"{'network' if is_apart else 'device'} got downlink"
            series.setdefault((node.name, what, note.key[0]), []).append(note.key[1])
    broken = [
        f"{what} {later} after {earlier} of {name}"
        for (name, what, _), counters in series.items()
        for earlier, later in _falling(counters)
    ]
    observed = sum(len(counters) for counters in series.values())
    return Judgement(observed, broken, measured={"sessions": len({key[2] for key in series})})


def _falling(counters: Iterable[int]) -> Iterator[tuple[int, int]]:
    before = -1
    for counter in counters:
        if counter <= before:
            yield before, counter
        before = counter
