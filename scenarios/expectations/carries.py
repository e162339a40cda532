"""The platform carries the load, up to a number of devices."""

from __future__ import annotations

from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement
from scenarios.load import measured


def judge(evidence: Evidence, on: str | None, *, devices: float = float("inf")) -> Judgement:
    """
    No step of the load with up to ``devices`` devices gave way.

    A step in which no value came to an end proves nothing.
    """
    load = evidence.load
    if load is None:  # refused when the scenario is read
        return Judgement(0, [], ["the scenario has no load"])
    steps = measured(load, evidence.due(load.on), evidence.end_us)
    judged = [step for step in steps if step.devices <= devices]
    told = [(step, step.gave_way(load)) for step in judged]
    broken = [f"gave way at {step.devices} devices: {reason}" for step, reason in told if reason]
    unclear = [f"no value at {step.devices} devices" for step in judged if not step.due]
    return Judgement(sum(step.due for step in judged), broken, unclear)
