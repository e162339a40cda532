"""Who watches a resource, may see it and is connected is told of every value, once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement
from scenarios.readback import canonical
from simulators.apps.phone import Phone
from simulators.apps.seen import Hold, Span
from simulators.clock import MICROSECONDS
from simulators.devices.account import Sent
from simulators.devices.device import Device

Told = dict[tuple[str, str, str], list[int]]


def judge(evidence: Evidence, on: str | None, *, within: int) -> Judgement:
    """
    Every acknowledged value is looked for on the stream of each phone that was entitled for sure.

    Args:
        within: microseconds from the sending until the phone has it, if its stream lasts so long.
    """
    observed, broken = 0, []
    for phone in evidence.phones(on):
        told = _told(phone, evidence.end_us)
        for device, entry in _due(evidence, phone, within):
            observed += 1
            name = (evidence.id_of(device), entry.key, canonical(entry.value))
            arrived = told.get(name, [])
            if not any(entry.due_us <= at <= entry.sent_us + within for at in arrived):
                broken.append(_missed(phone, device, entry))
        broken += _repeated(evidence, phone, told)
    return Judgement(observed, broken, measured={"due": observed})


def _told(phone: Phone, end_us: int) -> Told:
    found: Told = defaultdict(list)
    for seen in phone.diary.seen:
        if seen.is_told and seen.thing_id is not None and seen.at_us <= end_us:
            found[seen.thing_id, seen.key, canonical(seen.value)].append(seen.at_us)
    return found


def _due(evidence: Evidence, phone: Phone, within: int) -> Iterator[tuple[Device, Sent]]:
    """What that phone had to be told: in one hold, in one span of a stream."""
    things = evidence.things()
    for key, watched in phone.diary.watched.items():
        spans = watched.spans_until(evidence.end_us)
        for hold in phone.diary.holds:
            device = things.get(hold.thing_id)
            if device is not None and "get" in hold.rights and hold.covers(hold.thing_id, key):
                for entry in evidence.acknowledged(device):
                    if entry.key == key and _had_to_come(entry, hold, spans, within):
                        yield device, entry


def _had_to_come(entry: Sent, hold: Hold, spans: list[Span], within: int) -> bool:
    last_us = max(entry.settled_us, entry.sent_us + within)
    return (
        hold.must_from_us <= entry.sent_us
        and last_us <= hold.must_to_us
        and any(span.from_us <= entry.sent_us and last_us <= span.to_us for span in spans)
    )


def _repeated(evidence: Evidence, phone: Phone, told: Told) -> Iterator[str]:
    things = evidence.things()
    sent: dict[str, Counter[tuple[str, str]]] = {}
    for (thing_id, key, value), times in told.items():
        device = things.get(thing_id)
        if device is None or len(times) < 2:
            continue
        if thing_id not in sent:
            sent[thing_id] = Counter()
            for entry in evidence.written(device):
                sent[thing_id][entry.key, canonical(entry.value)] += entry.attempts
        over = len(times) - sent[thing_id][key, value]
        if over > 0:
            yield f"{phone.name} was told {key} = {value} of {device.name} {over} times too often"


def _missed(phone: Phone, device: Device, entry: Sent) -> str:
    when = f"{entry.sent_us / MICROSECONDS:.3f} s"
    what = f"{entry.key} = {entry.value!r} of {device.name}, sent at {when}"
    return f"{phone.name} was not told {what}"
