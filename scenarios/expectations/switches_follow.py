"""Every command reaches its switch, and the switch is in the commanded position in time."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from scenarios.durations import written
from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement
from simulators.apps.actor import Command
from simulators.devices.account import Reaction
from simulators.devices.switch import Switch


def judge(
    evidence: Evidence, on: str | None, *, within: int, recovery: int | None = None
) -> Judgement:
    """
    Times run from the command's sending to the switch's being in position.

    Args:
        within: microseconds.
        recovery: microseconds after a fault in which nothing is judged; None judges faults too.
    """
    judged, spared, broken = 0, 0, []
    delays_us: list[int] = []
    for switch in evidence.switches(on):
        commands = _commands(evidence, switch)
        answers = _answers(commands, switch.account.reactions)
        for position, command in enumerate(commands):
            reaction = answers.get(position)
            sent_us = command.entry.sent_us
            if sent_us + within > evidence.end_us or _is_spared(
                evidence, command, within, recovery
            ):
                spared += 1
                continue
            judged += 1
            if reaction is not None:
                delays_us.append(reaction.done_us - sent_us)
            if reaction is None or reaction.done_us > sent_us + within:
                broken.append(_told(command, reaction))
    return Judgement(judged, broken, measured=_measured(delays_us, spared))


def _commands(evidence: Evidence, switch: Switch) -> list[Command]:
    return sorted(evidence.commands_to(switch), key=lambda command: command.entry.sent_us)


def _answers(commands: list[Command], reactions: list[Reaction]) -> dict[int, Reaction]:
    """
    Which reaction is to which command, by the command's position.

    A reaction belongs to the latest command of its value before it, so that a command that never
    arrived does not take the reactions of all that follow. Each belongs to one command only: a
    late one leaves some command without.
    """
    sent_us = [command.entry.sent_us for command in commands]
    answers: dict[int, Reaction] = {}
    for reaction in reactions:
        before = bisect_right(sent_us, reaction.received_us)
        for position in range(before - 1, -1, -1):
            if commands[position].entry.value == reaction.value:
                answers.setdefault(position, reaction)
                break
    return answers


def _is_spared(evidence: Evidence, command: Command, within: int, recovery: int | None) -> bool:
    if recovery is None:
        return False
    sent_us = command.entry.sent_us
    return evidence.suffered(command.switch.name, sent_us, sent_us + within, recovery_us=recovery)


def _told(command: Command, reaction: Reaction | None) -> str:
    entry = command.entry
    told = f"{command.switch.name} was told {entry.value!r} at {entry.sent_us / 1e6:.3f} s"
    if reaction is not None:
        return f"{told} and followed after {written(reaction.done_us - entry.sent_us)}"
    outcome = "" if entry.state == "acknowledged" else f"; the command was {entry.state}"
    return f"{told} and did not follow{outcome}"


def _measured(delays_us: list[int], spared: int) -> dict[str, Any]:
    slowest_ms = max(delays_us) / 1000 if delays_us else None
    return {"followed": len(delays_us), "slowest_ms": slowest_ms, "not_judged": spared}
