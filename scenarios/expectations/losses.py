"""No more values than allowed go without an acknowledgement."""

from __future__ import annotations

from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement


def judge(evidence: Evidence, on: str | None, *, at_most: float) -> Judgement:
    """
    Refused, failed and skipped values among all that fell due.

    Args:
        at_most: a share, 0 to 1.
    """
    due, lost, worst, worst_share = 0, 0, "", 0.0
    for device in evidence.chosen(on):
        settled = list(evidence.settled(device))
        missed = device.account.missed
        mine = missed + sum(entry.state != "acknowledged" for entry in settled)
        due += len(settled) + missed
        lost += mine
        share = mine / (len(settled) + missed) if mine else 0.0
        if share > worst_share:
            worst, worst_share = device.name, share
    share = lost / due if due else 0.0
    told = f"{lost} of {due} values were lost, most of them of {worst} ({worst_share:.1%})"
    return Judgement(
        due, [told] if share > at_most else [], measured={"lost": lost, "share": share}
    )
