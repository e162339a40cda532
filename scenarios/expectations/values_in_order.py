"""What the platform dated itself stands in its store in the order in which it was sent."""

from __future__ import annotations

import json

from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement
from scenarios.expectations.values_readable import NOT_READ, by_resource, is_state
from simulators.devices.comparison import compare


def judge(evidence: Evidence, on: str | None) -> Judgement:
    """Rows, oldest first, against a device's own sending; values with a time of their own apart."""
    observed, broken, unclear = 0, [], []
    for device, key, entries in by_resource(evidence, on, lambda device: device.account.sent):
        stored = evidence.stored.get((device.name, key), NOT_READ)
        if stored.problem is not None:
            unclear.append(f"{key} of {device.name} could not be read: {stored.problem}")
        elif not is_state(stored):
            sent = [entry for entry in entries if entry.datetime is None]
            comparison = compare(sent, [json.loads(row.value) for row in reversed(stored.rows)])
            observed += comparison.arrived
            if comparison.reordered:
                broken.append(f"{comparison.reordered} {key} of {device.name} are out of order")
    return Judgement(observed, broken, unclear, measured={"rows": observed})
