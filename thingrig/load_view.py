"""A load while it lasts: a live table on a terminal, plain lines elsewhere; and its steps after."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from scenarios.durations import written
from scenarios.evidence import Evidence
from scenarios.load import Load, Measured, Tally
from scenarios.model import Scenario
from simulators.clock import MICROSECONDS
from simulators.devices.account import Sent

Watch = Callable[[int, Evidence, Iterable[tuple[str, Sent]]], None]
PLAIN_LINES = 10
WORST = 5
REFRESH_US = MICROSECONDS // 2


@contextmanager
def watching(scenario: Scenario) -> Iterator[Watch]:
    """Something that is told what came to an end, and shows it."""
    load = scenario.load or whole(scenario)
    tally = Tally(load)
    if not sys.stderr.isatty():
        yield _counting(scenario, tally, _plain(scenario, tally), gap_us=1)
        return
    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:

        def show(now_us: int) -> None:
            live.update(_picture(scenario, tally, now_us), refresh=True)

        yield _counting(scenario, tally, show, gap_us=REFRESH_US)


def whole(scenario: Scenario) -> Load:
    """A scenario without steps, seen as one step that cannot give way."""
    duration_us = scenario.duration_us
    return Load("", (scenario.device_count,), duration_us, p99_us=duration_us, errors=1.0)


def steps_table(load: Load, steps: Iterable[Measured]) -> Table:
    """Rates, latencies from the due time, and errors, step by step."""
    table = Table(title=None, box=None, pad_edge=False)
    for heading in ("devices", "due/s", "acknowledged/s", "p50", "p99", "p99.9", "slowest"):
        table.add_column(heading, justify="right")
    table.add_column("errors", justify="right")
    table.add_column("gave way", overflow="fold")
    for step in steps:
        found = step.percentiles_us()
        latencies = [_ms(found.get(name)) for name in ("p50", "p99", "p999", "max")]
        rates = [f"{step.due_per_s:.1f}", f"{step.acknowledged_per_s:.1f}"]
        reason = step.gave_way(load) or ("no" if step.due else "")
        table.add_row(str(step.devices), *rates, *latencies, str(step.errors), reason)
    return table


def _counting(
    scenario: Scenario, tally: Tally, show: Callable[[int], None], *, gap_us: int
) -> Watch:
    due_us = 0

    def watch(now_us: int, evidence: Evidence, fresh: Iterable[tuple[str, Sent]]) -> None:
        nonlocal due_us
        for name, entry in fresh:
            if tally.load.on in ("", evidence.fleet_of[name]):
                tally.add(name, entry, max(now_us, entry.settled_us))
        if now_us >= due_us:
            due_us = now_us + gap_us
            show(min(now_us, scenario.duration_us))

    return watch


def _plain(scenario: Scenario, tally: Tally) -> Callable[[int], None]:
    step_us = max(1, scenario.duration_us // PLAIN_LINES)
    due_us = step_us

    def show(now_us: int) -> None:
        nonlocal due_us
        if now_us >= due_us:
            due_us = now_us - now_us % step_us + step_us
            click.echo(f"{scenario.name}: {_line(tally, scenario, now_us)}", err=True)

    return show


def _line(tally: Tally, scenario: Scenario, now_us: int) -> str:
    step = tally.begun(now_us)[-1]
    done, end = written(now_us // 1000 * 1000), written(scenario.duration_us)
    latencies = step.percentiles_us()
    p50, p99 = _ms(latencies.get("p50")), _ms(latencies.get("p99"))
    rates = f"{step.devices} devices, {step.acknowledged_per_s:.1f} values/s"
    return f"{done} of {end}, {rates}, p50 {p50}, p99 {p99}, {step.errors} errors"


def _picture(scenario: Scenario, tally: Tally, now_us: int) -> Group:
    worst = Table(title=None, box=None, pad_edge=False)
    for heading in ("worst devices", "errors", "slowest"):
        worst.add_column(heading)
    for name, errors, slowest_us in tally.worst_devices(WORST):
        worst.add_row(name, str(errors), _ms(slowest_us))
    head = f"{scenario.name}: {_line(tally, scenario, now_us)}"
    return Group(head, steps_table(tally.load, tally.begun(now_us)), worst)


def _ms(latency_us: int | None) -> str:
    return "-" if latency_us is None else f"{latency_us / 1000:.1f} ms"
