"""Every uplink that a gateway has passed on reaches the application once."""

from __future__ import annotations

from collections import Counter

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.evidence import LorawanEvidence
from scenarios.lorawan.traffic import Key

STREAM = "the event stream"
UNDER_WAY_US = 3_000_000  # what was passed on so shortly before the end may be


def judge(evidence: LorawanEvidence, on: str | None) -> Judgement:
    """
    Each uplink of the chosen nodes that a server acknowledged to a gateway came exactly once.

    With a webhook, once more there. While the event stream was broken nothing is proven.
    """
    at = evidence.network_side()
    ways = {STREAM: at.application.uplinks}
    if at.application.has_webhook:
        ways["the webhook"] = at.application.posted
    passed = [note for note in evidence.uplinks(on) if note.forwarded_us is not None]
    due = [n for n in passed if (n.forwarded_us or 0) <= evidence.end_us - UNDER_WAY_US]
    breaks = at.application.interruptions
    unclear = [f"the event stream broke: {reason}" for reason in breaks]
    broken: list[str] = []
    arrived = 0
    for way, uplinks in ways.items():
        counts: Counter[Key] = Counter(
            (each.dev_addr, each.f_cnt & 0xFFFF) for heard in uplinks.values() for each in heard
        )
        for note in due:
            count = counts[note.key]
            arrived += count == 1
            if count != 1:
                came = "did not come" if not count else f"came {count} times"
                at_s = (note.forwarded_us or 0) / 1e6
                told = f"{note.node}'s frame {note.key[1]}, passed on at {at_s:.3f} s,"
                may_be_ours = not count and breaks and way == STREAM
                (unclear if may_be_ours else broken).append(f"{told} {came} by {way}")
    measured = {
        "passed_on": len(passed), "arrived": arrived, "not_judged": len(passed) - len(due),
    }  # fmt: skip
    return Judgement(len(due) * len(ways), broken, unclear, measured=measured)
