"""What the platform has acknowledged can be read back, with the value and time it was sent with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement
from scenarios.readback import Row, Stored, canonical, time_ms
from simulators.devices.account import Sent
from simulators.devices.device import Device

NOT_READ = Stored(problem="there was no time to read it")

Case = tuple[Device, str, list[Sent]]


def judge(evidence: Evidence, on: str | None) -> Judgement:
    """Every acknowledged value is looked for among the rows of its resource, each row once."""
    observed, broken, unclear = 0, [], []
    for device, key, entries in by_resource(evidence, on, evidence.acknowledged):
        stored = evidence.stored.get((device.name, key), NOT_READ)
        observed += len(entries)
        if stored.problem is not None:
            unclear.append(f"{key} of {device.name} could not be read: {stored.problem}")
        else:
            missing = list(_missing(entries, stored))
            broken += [_told(device, entry, stored) for entry in missing]
    return Judgement(observed, broken, unclear, measured={"acknowledged": observed})


def by_resource(
    evidence: Evidence, on: str | None, entries_of: Callable[[Device], Iterable[Sent]]
) -> Iterator[Case]:
    """
    The chosen devices' entries, resource by resource in the order of their first use.

    A resource that was first used after the end was not there when it was decided what to read.
    """
    for device in evidence.chosen(on):
        groups: dict[str, list[Sent]] = {}
        for entry in entries_of(device):
            groups.setdefault(entry.key, []).append(entry)
        for key, entries in groups.items():
            if min(entry.sent_us for entry in entries) <= evidence.end_us:
                yield device, key, entries


def rows_without(stored: Stored, entries: Iterable[Sent]) -> tuple[Counter[Row], list[Sent]]:
    """
    Take one row for each entry: those with a time of their own first, then any row of that value.

    Returns:
        Rows that are left over, and entries for which there was none.
    """
    rows = Counter(stored.rows)
    missing: list[Sent] = []
    undated: list[Sent] = []
    for entry in entries:
        if entry.datetime is None:
            undated.append(entry)
        elif not _take(rows, Row(canonical(entry.value), time_ms(entry.datetime))):
            missing.append(entry)
    by_value: dict[str, list[Row]] = {}
    for row in rows.elements():
        by_value.setdefault(row.value, []).append(row)
    for entry in undated:
        same = by_value.get(canonical(entry.value))
        if same:
            _take(rows, same.pop())
        else:
            missing.append(entry)
    return rows, missing


def is_state(stored: Stored) -> bool:
    """Whether a resource holds its last value only, as magic ones do: a row without a time."""
    return any(row.time_ms is None for row in stored.rows)


def _missing(entries: list[Sent], stored: Stored) -> list[Sent]:
    if is_state(stored):
        latest = max(entries, key=lambda entry: entry.sent_us)
        return [] if stored.rows[0].value == canonical(latest.value) else [latest]
    return rows_without(stored, entries)[1]


def _take(rows: Counter[Row], row: Row) -> bool:
    if not rows[row]:
        return False
    rows[row] -= 1
    return True


def _told(device: Device, entry: Sent, stored: Stored) -> str:
    seen = f"{len(stored.rows)} rows" if stored.status == 200 else f"status {stored.status}"
    when = f"{entry.settled_us / 1e6:.3f} s"
    return (
        f"{entry.key} = {entry.value!r} of {device.name}, acknowledged at {when}, is not in {seen}"
    )
