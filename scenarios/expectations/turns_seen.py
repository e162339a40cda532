"""Whoever turns a switch by phone sees it follow, on the phone's own stream, in time."""

from __future__ import annotations

from collections import defaultdict

from scenarios.durations import written
from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement
from simulators.apps.actor import Command
from simulators.apps.phone import Phone
from simulators.clock import MICROSECONDS

States = dict[str, list[tuple[int, object]]]


def judge(
    evidence: Evidence, on: str | None, *, within: int, recovery: int | None = None
) -> Judgement:
    """
    Times run from the command's sending to the ``state`` on the stream.

    Args:
        within: microseconds.
        recovery: microseconds after a fault of the phone or the switch in which nothing is judged;
            None judges faults too.
    """
    judged, spared, broken = 0, 0, []
    delays_us: list[int] = []
    for phone in evidence.phones(on):
        states = _states(phone)
        for command in phone.commands if "state" in phone.diary.watched else ():
            if _is_spared(evidence, phone, command, within, recovery):
                spared += 1
                continue
            judged += 1
            delay_us = _delay_us(command, states[evidence.id_of(command.switch)])
            if delay_us is not None:
                delays_us.append(delay_us)
            if delay_us is None or delay_us > within:
                broken.append(_told(phone, command, delay_us))
    slowest_ms = max(delays_us) / 1000 if delays_us else None
    measured = {"seen": len(delays_us), "slowest_ms": slowest_ms, "not_judged": spared}
    return Judgement(judged, broken, measured=measured)


def _states(phone: Phone) -> States:
    found: States = defaultdict(list)
    for seen in phone.diary.seen:
        if seen.is_told and seen.key == "state" and seen.thing_id is not None:
            found[seen.thing_id].append((seen.at_us, seen.value))
    return found


def _delay_us(command: Command, states: list[tuple[int, object]]) -> int | None:
    sent_us, value = command.entry.sent_us, command.entry.value
    return next((at - sent_us for at, state in states if at >= sent_us and state == value), None)


def _is_spared(
    evidence: Evidence, phone: Phone, command: Command, within: int, recovery: int | None
) -> bool:
    sent_us = command.entry.sent_us
    if sent_us + within > evidence.end_us:
        return True
    return recovery is not None and any(
        evidence.suffered(name, sent_us, sent_us + within, recovery_us=recovery)
        for name in (phone.name, command.switch.name)
    )


def _told(phone: Phone, command: Command, delay_us: int | None) -> str:
    entry = command.entry
    told = f"{phone.name} turned {command.switch.name} {entry.value} at"
    told = f"{told} {entry.sent_us / MICROSECONDS:.3f} s"
    if delay_us is not None:
        return f"{told} and saw it after {written(delay_us)}"
    outcome = "" if entry.state == "acknowledged" else f"; the command was {entry.state}"
    return f"{told} and did not see it{outcome}"
