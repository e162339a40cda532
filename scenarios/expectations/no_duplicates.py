"""Nothing is stored or delivered more often than it was sent."""

from __future__ import annotations

from collections import Counter

from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement
from scenarios.expectations.values_readable import NOT_READ, by_resource, is_state, rows_without
from scenarios.readback import Row, canonical
from simulators.devices.switch import Switch


def judge(evidence: Evidence, on: str | None) -> Judgement:
    """Rows that nothing sent accounts for, and commands that a switch received once too often."""
    observed, broken, unclear = 0, [], []
    for device, key, entries in by_resource(evidence, on, evidence.written):
        stored = evidence.stored.get((device.name, key), NOT_READ)
        if is_state(stored):
            continue
        if stored.problem is not None:
            unclear.append(f"{key} of {device.name} could not be read: {stored.problem}")
            continue
        observed += len(stored.rows)
        sent = [entry for entry in entries if entry.state != "refused"]
        over, _ = rows_without(stored, sent)
        broken += [_told(device.name, key, row, count) for row, count in over.items() if count]
    for switch in evidence.switches(on):
        observed += len(switch.account.received)
        broken += _delivered_twice(evidence, switch)
    return Judgement(observed, broken, unclear, measured={"rows_and_deliveries": observed})


def _told(device: str, key: str, row: Row, count: int) -> str:
    times = "once" if count == 1 else f"{count} times"
    return f"{key} = {row.value} of {device} is stored {times} more than it was sent"


def _delivered_twice(evidence: Evidence, switch: Switch) -> list[str]:
    """When it subscribes again a switch reads the last command itself: that is no delivery."""
    sent = Counter(canonical(command.entry.value) for command in evidence.commands_to(switch))
    received = Counter(
        canonical(each.value) for each in switch.account.received if each.key == "turn"
    )
    over = received - sent
    was_new = switch.credentials.thing_token is None  # nothing could be stored for it before
    allowed = max(0, len(switch.account.subscribed_us) - was_new)
    return [
        f"{switch.name} received turn = {value} {count} times more than it was sent"
        for value, count in over.items()
        if count > allowed
    ]
