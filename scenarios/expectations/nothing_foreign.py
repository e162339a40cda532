"""Nobody is ever shown a value that is not theirs to see, nor one that its thing never had."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement
from scenarios.readback import canonical
from simulators.apps.phone import Phone
from simulators.apps.seen import Seen
from simulators.clock import MICROSECONDS
from simulators.devices.device import Device


def judge(evidence: Evidence, on: str | None, *, grace: int = MICROSECONDS) -> Judgement:
    """
    Each value that a phone was shown is held against what its user had been given by then.

    Args:
        grace: microseconds after a right was taken back in which a value may still be under way.
    """
    things = evidence.things()
    sent = _FirstSent(evidence)
    observed, strange = 0, 0
    broken: list[str] = []
    unclear: list[str] = []
    for phone in evidence.phones(on):
        for seen in phone.diary.seen:
            if seen.at_us > evidence.end_us:
                continue
            device = None if seen.thing_id is None else things.get(seen.thing_id)
            if seen.thing_id is None:
                unclear.append(f"{phone.name} was shown {seen.key} without the thing it is of")
            elif device is None and seen.thing_id in phone.diary.known_before:
                strange += 1  # of a thing that the account had before this run
            else:
                observed += 1
                broken += _faults(phone, seen, device, sent, grace)
    return Judgement(observed, broken, unclear, measured={"seen": observed, "older": strange})


class _FirstSent:
    """When a value was first sent to a thing."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._known: dict[str, dict[tuple[str, Any], int]] = {}

    def us(self, device: Device, key: str, value: Any) -> int | None:
        known = self._known.get(device.name)
        if known is None:
            known = self._known[device.name] = {}
            for entry in self._evidence.written(device):
                name = (entry.key, _plain(entry.value))
                known[name] = min(known.get(name, entry.sent_us), entry.due_us)
        return known.get((key, _plain(value)))


def _plain(value: Any) -> Any:
    return value if type(value) in (str, int, float) else canonical(value)


def _faults(
    phone: Phone, seen: Seen, device: Device | None, sent: _FirstSent, grace: int
) -> Iterable[str]:
    at = f"at {seen.at_us / MICROSECONDS:.3f} s"
    if device is None:
        yield f"{phone.name} was shown {seen.key} of a thing that is nobody's {at}"
        return
    if not may_see(phone, seen, grace):
        yield f"{phone.name} was shown {seen.key} = {seen.value!r} of {device.name} {at}"
        return
    first_us = sent.us(device, seen.key, seen.value)
    is_older = device.credentials.thing_token is not None and not seen.is_told
    if (first_us is None or first_us > seen.at_us) and not is_older:
        what = f"{seen.key} = {seen.value!r} as {device.name}'s"
        yield f"{phone.name} was shown {what} {at}, which it had not sent"


def may_see(phone: Phone, seen: Seen, grace_us: int) -> bool:
    """Whether somebody may have given the user the right to that resource by then."""
    return any(
        hold.thing_id == seen.thing_id
        and hold.may_from_us <= seen.at_us <= hold.may_to_us + grace_us
        and "get" in hold.rights
        and (hold.keys is None or seen.key in hold.keys)
        for hold in phone.diary.holds
    )
