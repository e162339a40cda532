"""
``certify --plan``: what a run would do, told without sending anything.

Requests and seconds of each test were measured against the reference server; the package carries
them in ``measured/``, written by ``python -m conformance.measure``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from conformance.choice import Choice
from conformance.desk import MAX_CODES
from conformance.marks import marked_tests
from conformance.measure import Measured, read_measured
from conformance.platforms import Platform, find_platform
from conformance.targets import FEATURES

PREFLIGHT = {"reads": 2}
READING = {"reads", "subscriptions"}


@dataclass
class Plan:
    """
    A run before it happens.

    ``requests`` by kind; ``seconds`` with one process and no limit on requests; ``unmeasured``
    tests are in none of the sums; ``forbidden`` are requirements with a test that would write to a
    target that only allows reading; ``not_run`` and ``not_applicable`` are requirements by reason.
    """

    requests: dict[str, int] = field(default_factory=lambda: dict(PREFLIGHT))
    seconds: float = 0.0
    tests: int = 0
    unmeasured: list[str] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)
    not_run: dict[str, list[str]] = field(default_factory=dict)
    not_applicable: dict[str, list[str]] = field(default_factory=dict)


def make_plan(choice: Choice) -> Plan:
    """What a run of this choice comes to."""
    plan = Plan()
    measured = read_measured(choice.platform)
    left_out = set(_sort_out(choice, plan))
    for test, ids in marked_tests().items():
        chosen = [each for each in ids if each in choice.requirements]
        if not chosen or left_out.intersection(ids):
            continue
        if "write" not in choice.target.allow and _writes(test, measured):
            plan.forbidden.update(chosen)
        else:
            _add(plan, test, measured)
    return plan


def plan_text(choice: Choice, jobs: int) -> str:
    """The plan for a person."""
    plan = make_plan(choice)
    return "\n".join(_lines(choice, plan, jobs))


def _sort_out(choice: Choice, plan: Plan) -> Iterator[str]:
    """Requirements that will not be executed."""
    target = choice.target
    is_file = target.kind != "embedded"  # the embedded server has everything
    for each in choice.requirements.values():
        lacking = [need for need in each.needs if need in target.lacks]
        missing = [
            need
            for need in each.needs
            if is_file and need in FEATURES and not FEATURES[need].is_present(target)
        ]
        if lacking:
            plan.not_applicable.setdefault(lacking[0], []).append(each.id)
        elif missing:
            plan.not_run.setdefault(FEATURES[missing[0]].key, []).append(each.id)
        if lacking or missing:
            yield each.id


def _cases(test: str, measured: dict[str, Measured]) -> list[Measured]:
    return [found for name, found in measured.items() if name.partition("[")[0] == test]


def _writes(test: str, measured: dict[str, Measured]) -> bool:
    return any(case.requests.keys() - READING for case in _cases(test, measured))


def _add(plan: Plan, test: str, measured: dict[str, Measured]) -> None:
    cases = _cases(test, measured)
    if not cases:
        plan.unmeasured.append(test)
    for case in cases:
        plan.tests += 1
        plan.seconds += case.seconds
        for kind, number in case.requests.items():
            plan.requests[kind] = plan.requests.get(kind, 0) + number


def _lines(choice: Choice, plan: Plan, jobs: int) -> Iterator[str]:
    whole = sum(plan.requests.values())
    where = "the embedded server" if choice.target.kind == "embedded" else choice.target.url
    yield f"{choice.profile} against {where}; nothing was sent"
    yield f"requirements      {len(choice.requirements)}, judged by about {plan.tests} tests"
    yield f"requests          about {whole}"
    for kind, number in sorted(plan.requests.items(), key=lambda pair: -pair[1]):
        yield f"                  {number:6} {kind}"
    platform = find_platform(choice.platform)
    if platform.uses_codes:
        yield f"activation codes  {_codes(choice, plan)}"
    yield f"creates           {_created(plan, platform)}"
    yield f"cannot be removed {_left(plan, platform)}"
    yield f"rough time        {_time(choice, plan, jobs)}"
    for feature, ids in plan.not_applicable.items():
        yield f"lacks {feature} (declared): {len(ids)} not applicable: {', '.join(ids)}"
    for key, ids in plan.not_run.items():
        yield f"the target file has no {key}: {len(ids)} will not run: {', '.join(ids)}"
    if plan.forbidden:
        names = ", ".join(sorted(plan.forbidden))
        yield f"limits.allow holds no 'write': {len(plan.forbidden)} will not run: {names}"
    if plan.unmeasured:
        yield f"{len(plan.unmeasured)} tests have no measured figures and are in none of the sums"


def _codes(choice: Choice, plan: Plan) -> str:
    held = len(choice.target.credential("activation_codes", ()))
    if choice.target.kind == "embedded":
        return f"at most {MAX_CODES} of the embedded server's own"
    return f"at most {min(MAX_CODES, held)} of {held}" if held else "none; thing_tokens are used"


def _created(plan: Plan, platform: Platform) -> str:
    found = [name for name in platform.created if plan.requests.get(name)]
    parts = [f"{plan.requests[name]} {name}" for name in found]
    return (", ".join(parts) or "nothing") + " (some of them to be refused)" * bool(parts)


def _left(plan: Plan, platform: Platform) -> str:
    left = [word for name, word in platform.left.items() if plan.requests.get(name)]
    return ", ".join(left) or "nothing"


def _time(choice: Choice, plan: Plan, jobs: int) -> str:
    seconds = plan.seconds / jobs
    rate = choice.target.max_requests_per_s
    if rate:
        seconds = max(seconds, sum(plan.requests.values()) / rate)
    return f"{max(1, round(seconds))} s and more, on a target as fast as the embedded server"
