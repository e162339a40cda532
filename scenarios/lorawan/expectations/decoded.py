"""What devices send comes decoded to the application."""

from __future__ import annotations

from collections import Counter

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.evidence import LorawanEvidence


def judge(evidence: LorawanEvidence, on: str | None) -> Judgement:
    """Each message of the chosen nodes that has a payload has a decoded one too."""
    at = evidence.network_side()
    chosen = {node.name for node in evidence.chosen(on)}
    broken: list[str] = []
    seen: Counter[bool] = Counter()
    for device_id, uplinks in at.application.uplinks.items():
        for uplink in uplinks:
            if at.names.get(device_id) not in chosen or not uplink.f_port:
                continue
            is_decoded = uplink.decoded is not None
            seen[is_decoded] += 1
            if not is_decoded:
                told = f"{at.names[device_id]}'s frame {uplink.f_cnt} was not decoded"
                broken.append(f"{told}: {uplink.payload.hex()} on port {uplink.f_port}")
    measured = {"decoded": seen[True], "not_decoded": seen[False]}
    return Judgement(seen.total(), broken, measured=measured)
