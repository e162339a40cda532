"""How a run shows itself: progress while it lasts, a summary when it is over."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from scenarios import engine, results
from scenarios.durations import written
from scenarios.evidence import Evidence
from scenarios.load import breaking_point, measured
from scenarios.model import Scenario
from scenarios.run import Run
from thingrig.load_view import steps_table

PLAIN_WIDTH = 120
PLAIN_LINES = 10
COLOURS = {"pass": "green", "fail": "red", "inconclusive": "yellow"}


@contextmanager
def progress_of(scenario: Scenario) -> Iterator[engine.Progress]:
    """Something to tell a run's progress to: a bar on a terminal, a few plain lines elsewhere."""
    if sys.stderr.isatty():
        with _bar(scenario) as tell:
            yield tell
    else:
        yield _plain(scenario)


def summary(run: Run) -> None:
    """Print what was done and what each expectation comes to."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    table = Table(title=None, box=None, pad_edge=False)
    for heading in ("expectation", "verdict", "observed", "because"):
        table.add_column(heading, overflow="fold")
    for expectation, judgement in run.judgements:
        verdict = Text(judgement.verdict, style=COLOURS[judgement.verdict])
        reason = run.secrets.redact(printable(judgement.reason or ""))
        table.add_row(Text(expectation.name), verdict, str(judgement.observed), Text(reason))
    console.print(table)
    if (load := run.scenario.load) is not None:
        steps = measured(load, run.evidence.due(load.on), run.evidence.end_us)
        console.print(steps_table(load, steps))
        console.print(Text(f"the platform {breaking_point(load, steps)}"))
    console.print(Text(_totals(run)))


def printable(text: str) -> str:
    """Text from outside without anything that could move a cursor or change a colour."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _totals(run: Run) -> str:
    counts = results.counts(run.evidence)
    return (
        f"{counts['active']} of {counts['devices']} devices active; "
        f"values: {counts['sent']} sent, {counts['acknowledged']} acknowledged, "
        f"{counts['refused']} refused, {counts['failed']} failed; {counts['commands']} commands"
    )


@contextmanager
def _bar(scenario: Scenario) -> Iterator[engine.Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[done]} of {task.fields[whole]}, {task.fields[values]} values"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        whole = written(scenario.duration_us)
        task = bar.add_task(
            scenario.name, total=scenario.duration_us, done="0s", whole=whole, values=0
        )

        def tell(now_us: int, evidence: Evidence) -> None:
            bar.update(task, completed=now_us, done=written(now_us), values=_values(evidence))

        yield tell


def _plain(scenario: Scenario) -> engine.Progress:
    step_us = max(1, scenario.duration_us // PLAIN_LINES)
    due_us = step_us

    def tell(now_us: int, evidence: Evidence) -> None:
        nonlocal due_us
        if now_us >= due_us:
            due_us = now_us - now_us % step_us + step_us
            done, whole = written(now_us), written(scenario.duration_us)
            click.echo(f"{scenario.name}: {done} of {whole}, {_values(evidence)} values", err=True)

    return tell


def _values(evidence: Evidence) -> int:
    return sum(len(device.account.sent) for device in evidence.devices)
