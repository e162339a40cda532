"""Every command reaches its switch, and the switch is in the commanded position in time."""

from __future__ import annotations

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
        reactions = list(switch.account.reactions)
        for command in _commands(evidence, switch):
            reaction = _reaction(reactions, command)
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
    mine = [command for command in evidence.commands if command.switch is switch]
    return sorted(mine, key=lambda command: command.entry.sent_us)


def _reaction(reactions: list[Reaction], command: Command) -> Reaction | None:
    """The first reaction that can be to this command; it answers no other one."""
    for position, reaction in enumerate(reactions):
        is_after = reaction.received_us >= command.entry.sent_us
        if is_after and reaction.value == command.entry.value:
            del reactions[: position + 1]
            return reaction
    return None


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
