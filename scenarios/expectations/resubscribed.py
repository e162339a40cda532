"""Every switch listens again soon after an outage."""

from __future__ import annotations

from scenarios.durations import written
from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement


def judge(evidence: Evidence, on: str | None, *, within: int) -> Judgement:
    """
    After the end of each outage that touched it, a switch is subscribed again.

    Args:
        within: microseconds after the outage's end.
    """
    observed, broken = 0, []
    for switch in evidence.switches(on):
        for outage in evidence.outages(switch.name):
            if outage.end_us + within > evidence.end_us:
                continue
            observed += 1
            again = [at for at in switch.account.subscribed_us if at >= outage.end_us]
            if not again or again[0] > outage.end_us + within:
                after = f"after {written(again[0] - outage.end_us)}" if again else "not at all"
                broken.append(f"{switch.name} subscribed again {after}")
    return Judgement(observed, broken)
