"""
``run.json``: what a run came to, as a document for people's tools.

Nothing here is measured; it is gathered from the evidence, and secrets are replaced at the end.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from scenarios.durations import written
from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement
from scenarios.expectations.values_readable import is_state, rows_without
from scenarios.load import breaking_point, measured
from scenarios.lorawan.results import parts as lorawan_parts
from scenarios.model import Expectation
from scenarios.run import Run
from simulators.clock import MICROSECONDS
from simulators.devices.account import Sent
from simulators.devices.comparison import compare
from simulators.devices.device import Device

FORMAT = "thingrig-run/1"
TOLD = 20  # of each expectation's broken cases, and of each device's problems


def document(run: Run, *, suite_version: str, about: dict[str, Any]) -> dict[str, Any]:
    """
    The results of a run.

    Args:
        about: what only the caller knows: ``target``, ``settings``, ``started``, ``finished``.
    """
    scenario = run.scenario
    parts = PARTS[scenario.platform](run)
    return run.secrets.redact(
        {
            "schema": FORMAT,
            "tool": "thingrig",
            "suite_version": suite_version,
            "scenario": scenario.name,
            "platform": scenario.platform,
            "seed": scenario.seed,
            "clock": run.clock,
            "duration_s": scenario.duration_us / MICROSECONDS,
            "played_s": run.ended_us / MICROSECONDS,
            **about,
            "verdict": run.verdict,
            "interrupted": run.is_interrupted,
            "reason": run.reason,
            "expectations": [_expectation(*each) for each in run.judgements],
            **parts,
            "events": run.events,
        }
    )


def _parts_of_things(run: Run) -> dict[str, Any]:
    """What became of devices and faults of a scenario of things."""
    evidence: Evidence = run.evidence
    for device in evidence.devices:
        run.secrets.add("activation_code", device.credentials.activation_code or "")
        run.secrets.add("thing_token", device.thing_token or "")
    return {
        "faults": [_fault(fault) for fault in evidence.faults.all],
        "counts": counts(evidence),
        **load_document(evidence),
        "devices": [_device(evidence, device) for device in evidence.devices],
    }


# What results say beside what those of every platform do.
PARTS: dict[str, Callable[[Run], dict[str, Any]]] = {
    "thethings-io": _parts_of_things,
    "things-stack": lorawan_parts,
}


def load_document(evidence: Evidence) -> dict[str, Any]:
    """What became of each step of the load, when there is one."""
    load = evidence.load
    if load is None:
        return {}
    steps = measured(load, evidence.due(load.on), evidence.end_us)
    told = {
        "on": load.on,
        "p99_ms": load.p99_us / 1000,
        "errors": load.errors,
        "breaking_point": breaking_point(load, steps),
        "steps": [step.document(load) for step in steps],
    }
    return {"load": told}


def counts(evidence: Evidence) -> dict[str, int]:
    """How the values and commands of all ended."""
    totals = Counter({"sent": 0, "acknowledged": 0, "refused": 0, "failed": 0, "pending": 0})
    for device in evidence.devices:
        totals.update(device.account.totals()._asdict())
    active = sum(device.thing_token is not None for device in evidence.devices)
    commands = evidence.commands
    return {
        "devices": len(evidence.devices),
        "active": active,
        "commands": len(commands),
        **totals,
    }


def latency_ms(entries: Sequence[Sent]) -> dict[str, float] | None:
    """Median, 99th percentile and maximum of the acknowledged entries; None without any."""
    found = sorted(entry.latency_us or 0 for entry in entries if entry.state == "acknowledged")
    if not found:
        return None
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: found[round(share * (len(found) - 1))] / 1000 for name, share in at.items()}


def _expectation(expectation: Expectation, judgement: Judgement) -> dict[str, Any]:
    return {
        "name": expectation.name,
        "kind": expectation.kind,
        "on": expectation.on,
        "options": {name: _shown(value) for name, value in expectation.options.items()},
        "verdict": judgement.verdict,
        "reason": judgement.reason,
        "observed": judgement.observed,
        "broken": len(judgement.broken),
        "cases": list(judgement.broken[:TOLD]),
        "unclear": list(judgement.unclear[:TOLD]),
        "measured": dict(judgement.measured),
    }


def _shown(option: int | float) -> str | float:
    return written(option) if isinstance(option, int) else option


def _fault(fault: Any) -> dict[str, Any]:
    return {
        "kind": fault.kind,
        "on": fault.on,
        "at_s": fault.at_us / MICROSECONDS,
        "for_s": fault.for_us / MICROSECONDS,
    }


def _device(evidence: Evidence, device: Device) -> dict[str, Any]:
    account = device.account
    return {
        "name": device.name,
        "kind": device.kind,
        "fleet": evidence.fleet_of[device.name],
        "active": device.thing_token is not None,
        **account.totals()._asdict(),
        "missed": account.missed,
        "received": len(account.received),
        "reactions": len(account.reactions),
        "latency_ms": latency_ms(account.sent),
        "stored": stored_account(evidence, device),
        "problems": [
            {"at_s": each.at_us / MICROSECONDS, "what": each.what, "reason": each.reason}
            for each in account.problems[:TOLD]
        ],
    }


def stored_account(evidence: Evidence, device: Device) -> dict[str, int] | None:
    """
    What the platform has of a device's own values; None when it was not read back.

    ``lost`` were acknowledged and are not there, ``duplicated`` are there too often,
    ``reordered`` would have to move to stand in the order of sending.
    """
    groups: dict[str, list[Sent]] = {}
    for entry in device.account.sent:
        groups.setdefault(entry.key, []).append(entry)
    totals = Counter({"rows": 0, "lost": 0, "duplicated": 0, "reordered": 0})
    for key, entries in groups.items():
        stored = evidence.stored.get((device.name, key))
        if stored is None or stored.problem is not None:
            return None
        totals["rows"] += len(stored.rows)
        if not is_state(stored):
            acknowledged = [entry for entry in entries if entry.state == "acknowledged"]
            settled = [entry for entry in acknowledged if entry.settled_us <= evidence.end_us]
            totals["lost"] += len(rows_without(stored, settled)[1])
            sent = [entry for entry in entries if entry.state != "refused"]
            totals["duplicated"] += rows_without(stored, sent)[0].total()
            undated = [entry for entry in sent if entry.datetime is None]
            oldest_first = [json.loads(row.value) for row in reversed(stored.rows)]
            totals["reordered"] += compare(undated, oldest_first).reordered
    return dict(totals)
