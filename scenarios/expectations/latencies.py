"""Acknowledgements come in time."""

from __future__ import annotations

from scenarios.durations import written
from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement


def judge(evidence: Evidence, on: str | None, *, at_most: int, share: float = 1.0) -> Judgement:
    """
    A share of all acknowledged values took no longer than allowed.

    Args:
        at_most: microseconds from the last attempt to the acknowledgement.
        share: 0 to 1; 1 means every value.
    """
    found = [
        (entry.latency_us or 0, device.name)
        for device in evidence.chosen(on)
        for entry in evidence.settled(device)
        if entry.state == "acknowledged"
    ]
    late = sorted(each for each in found if each[0] > at_most)
    broken = []
    if found and len(late) > (1 - share) * len(found) + 1e-9:
        slowest_us, device = late[-1]
        broken = [
            f"{len(late)} of {len(found)} were late; slowest {written(slowest_us)} ({device})"
        ]
    slowest = max(found)[0] / 1000 if found else None
    return Judgement(len(found), broken, measured={"late": len(late), "slowest_ms": slowest})
