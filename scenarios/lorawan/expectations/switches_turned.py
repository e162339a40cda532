"""Switches that are driven by downlinks follow in time."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from scenarios.durations import written
from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.evidence import AtNetwork, LorawanEvidence
from scenarios.lorawan.expectations.windows_hit import ON_AIR, was_busy
from simulators.apps.things_stack.caretaker import Turn
from simulators.devices.lorawan.relay import Reaction
from simulators.devices.node import Node


def judge(
    evidence: LorawanEvidence, on: str | None, *, within: int, periods: float | None = None
) -> Judgement:
    """
    Times run from the order at the API to the switch's being in position, in microseconds.

    A command whose downlink was on air and got lost there, or found its node busy, is not judged;
    nor is one that was not followed yet when the scenario ended before its time was over. When
    all that remain were ordered so late that nothing could have failed, that is told.

    Args:
        periods: at most so many reporting periods of the switch, where they are shorter: a switch
            of class A hears of a command when it reports.
    """
    at = evidence.network_side()
    chosen = {node.name: node for node in evidence.chosen(on)}
    broken, delays_us = [], []
    judged = lost = pending = could_fail = 0
    for turn in at.turns:
        name = at.names[turn.device_id]
        if name not in chosen:
            continue
        most_us = within
        if periods is not None and name in at.periods_us:
            most_us = min(within, round(periods * at.periods_us[name]))
        is_over = turn.order.ordered_us + most_us <= evidence.end_us
        could_fail += is_over
        reaction = _reaction(at, name, turn)
        delay_us = None if reaction is None else reaction.done_us - turn.order.ordered_us
        if delay_us is None and not is_over:
            pending += 1
        elif (delay_us is None or delay_us > most_us) and _was_lost(at, chosen[name], turn):
            lost += 1
        else:
            judged += 1
            if delay_us is not None:
                delays_us.append(delay_us)
            if delay_us is None or delay_us > most_us:
                broken.append(_told(name, turn, delay_us))
    unclear = []
    if pending and not could_fail:
        unclear = [f"{pending} commands were not followed yet, and had time left"]
    measured = {**_measured(delays_us, lost), "pending": pending}
    return Judgement(judged, broken, unclear, measured=measured)


def _reaction(at: AtNetwork, name: str, turn: Turn) -> Reaction | None:
    """The first one after the order that is of its position."""
    relay = at.relays.get(name)
    reactions = relay.reactions if relay is not None else []
    first = bisect_left(reactions, turn.order.ordered_us, key=lambda each: each.received_us)
    return next((each for each in reactions[first:] if each.position == turn.position), None)


def _was_lost(at: AtNetwork, node: Node, turn: Turn) -> bool:
    f_cnts = {each & 0xFFFF for each in turn.order.f_cnts()}
    return any(
        note.key[1] in f_cnts and (note.outcome in ON_AIR or was_busy(node, note))
        for note in at.traffic.downlinks
        if note.node == node.name and note.start_us >= turn.order.ordered_us
    )


def _told(name: str, turn: Turn, delay_us: int | None) -> str:
    told = f"{name} was told {turn.position!r} at {turn.order.ordered_us / 1e6:.3f} s"
    if delay_us is not None:
        return f"{told} and followed after {written(delay_us)}"
    known = turn.order.refusal or ", ".join(each.kind for each in turn.order.told)
    return f"{told} and did not follow ({known or 'nothing was heard of the order'})"


def _measured(delays_us: list[int], lost: int) -> dict[str, Any]:
    ordered = sorted(delays_us)
    told: dict[str, Any] = {"followed": len(ordered), "lost_on_air": lost}
    if ordered:
        told["median_ms"] = ordered[len(ordered) // 2] / 1000
        told["slowest_ms"] = ordered[-1] / 1000
    return told
