"""Every device has become a thing."""

from __future__ import annotations

from scenarios.durations import written
from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement
from simulators.devices.account import Problem


def judge(evidence: Evidence, on: str | None, *, by: int | None = None) -> Judgement:
    """
    Every chosen device has a thing token.

    Args:
        by: microseconds since the start; None is the end of the scenario.
    """
    devices = evidence.chosen(on)
    if by not in evidence.inactive:
        when = "its end" if by is None else written(by)
        return Judgement(0, [], [f"the scenario was over before {when}"])
    late = set(evidence.inactive[by])
    broken = [
        f"{device.name} was not active{_why(device.account.problems)}"
        for device in devices
        if device.name in late
    ]
    return Judgement(len(devices), broken, measured={"active": len(devices) - len(broken)})


def _why(problems: list[Problem]) -> str:
    return f": {problems[-1].reason}" if problems else ""
