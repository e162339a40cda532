"""Downlinks are sent where and when their nodes listen."""

from __future__ import annotations

from collections import Counter

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.evidence import LorawanEvidence
from scenarios.lorawan.traffic import RECEIVED, DownlinkNote
from simulators.devices.node import Node

SECOND_US = 1_000_000
NEAR_US = 20_000  # an answer is meant to come at the microsecond, others come at any time
TAIL_US = 3 * SECOND_US  # a frame that began in RX2 may last that long

ON_AIR = ("too weak", "collision", "no demodulator")  # it listened, and heard nothing or another


def judge(evidence: LorawanEvidence, on: str | None) -> Judgement:
    """
    Each downlink on air for a chosen node came into one of its windows.

    One that got lost there for a reason of the medium has hit; one that came while its node was
    busy with an uplink of its own, as those of class C may, is not judged.
    """
    chosen = {node.name: node for node in evidence.chosen(on)}
    notes = [
        note
        for note in evidence.network_side().traffic.downlinks
        if note.node in chosen and note.end_us <= evidence.end_us
    ]
    judged = [note for note in notes if not was_busy(chosen[note.node or ""], note)]
    broken = [
        f"{note.gateway} sent frame {note.key[1]} to {note.node} at {note.start_us / 1e6:.6f} s, "
        "when it did not listen there"
        for note in judged
        if note.outcome not in (RECEIVED, *ON_AIR)
    ]
    outcomes = Counter(note.outcome or "not listening" for note in judged)
    measured = {**dict(sorted(outcomes.items())), "busy": len(notes) - len(judged)}
    return Judgement(len(judged), broken, measured=measured)


def was_busy(node: Node, note: DownlinkNote) -> bool:
    """
    Whether a downlink was missed since its node was sending, or kept the windows of an uplink.

    Of class C, of which nobody can know whether it is about to send. What came when an answer was
    due had to be heard.
    """
    if note.outcome in (RECEIVED, *ON_AIR) or node.settings.device_class != "C":
        return False
    if note.is_drowned or note.after_us is None or note.after_us < 0:
        return note.after_us is not None
    first_us = node.parameters.rx1_delay_s * SECOND_US
    answers_us = (first_us, first_us + SECOND_US)
    is_answer = any(abs(note.after_us - each) < NEAR_US for each in answers_us)
    return not is_answer and note.after_us < answers_us[-1] + TAIL_US
