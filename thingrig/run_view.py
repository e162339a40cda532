"""How a run shows itself: progress while it lasts, a summary when it is over."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from scenarios import results
from scenarios.durations import written
from scenarios.evidence import Evidence
from scenarios.load import breaking_point, measured
from scenarios.lorawan import results as lorawan_results
from scenarios.lorawan.evidence import LorawanEvidence
from scenarios.model import Scenario
from scenarios.run import Run
from thingrig.load_view import steps_table
from thingrig.radio_view import radio_tables

TellProgress = Callable[[int, Any], None]  # the time in µs, and the platform's evidence
PLAIN_WIDTH = 120
PLAIN_LINES = 10
TOLD = 5  # lines about what is left behind
COLOURS = {"pass": "green", "fail": "red", "inconclusive": "yellow"}


@contextmanager
def progress_of(scenario: Scenario) -> Iterator[TellProgress]:
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
    for view in TELLING[run.scenario.platform].tables(run):
        console.print()
        console.print(view)
    for line in TELLING[run.scenario.platform].totals(run):
        console.print(Text(run.secrets.redact(printable(line))))


def printable(text: str) -> str:
    """Text from outside without anything that could move a cursor or change a colour."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


class Telling(NamedTuple):
    """A platform's way to tell a run in lines, and while it lasts in one number with a name."""

    totals: Callable[[Run], list[str]]
    amount: Callable[[Any], int]
    unit: str
    tables: Callable[[Run], list[Table]] = lambda run: []


def _things_totals(run: Run) -> list[str]:
    counts = results.counts(run.evidence)
    return [
        f"{counts['active']} of {counts['devices']} devices active; "
        f"values: {counts['sent']} sent, {counts['acknowledged']} acknowledged, "
        f"{counts['refused']} refused, {counts['failed']} failed; {counts['commands']} commands"
    ]


def _lorawan_totals(run: Run) -> list[str]:
    """Counts, and a paragraph for each join that failed."""
    counts = lorawan_results.counts(run.evidence)
    totals = (
        f"{counts['joined']} of {counts['nodes']} nodes joined; "
        f"uplinks: {counts['uplinks']} sent, {counts['heard']} heard, "
        f"{counts['acknowledged']} of {counts['confirmed']} confirmed ones acknowledged; "
        f"{counts['downlinks']} downlinks"
    )
    failed = []
    if not run.is_interrupted:  # else they only had no time
        failed = [each["why"] for each in lorawan_results.failed_joins(run.evidence)]
    return [totals, *_application_totals(run.evidence), *failed]


def _lorawan_tables(run: Run) -> list[Table]:
    radio = lorawan_results.radio(run.evidence, run.ended_us)
    return radio_tables(radio, nodes=len(run.evidence.nodes))


def _application_totals(evidence: LorawanEvidence) -> list[str]:
    at = evidence.at_network
    if at is None:
        return []
    messages = sum(map(len, at.application.uplinks.values()))
    decoded = sum(each.decoded is not None for us in at.application.uplinks.values() for each in us)
    totals = f"the application got {messages} messages" + (
        f", {decoded} decoded" if decoded else ""
    )
    if at.turns:
        turned = sum(turn.shown_us is not None for turn in at.turns)
        totals += f"; {turned} of {len(at.turns)} turns shown"
    left = [f"left behind: {each}" for each in at.left[:TOLD]]
    more = [f"left behind: {len(at.left) - TOLD} more"] if len(at.left) > TOLD else []
    return [totals, *left, *more]


def _values(evidence: Evidence) -> int:
    return sum(len(device.account.sent) for device in evidence.devices)


def _uplinks(evidence: LorawanEvidence) -> int:
    return sum(counts.sent for counts in evidence.watch.counts.values())


TELLING = {
    "thethings-io": Telling(_things_totals, _values, "values"),
    "things-stack": Telling(_lorawan_totals, _uplinks, "uplinks", _lorawan_tables),
}


@contextmanager
def _bar(scenario: Scenario) -> Iterator[TellProgress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[done]} of {task.fields[whole]}, {task.fields[amount]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        whole = written(scenario.duration_us)
        task = bar.add_task(
            scenario.name, total=scenario.duration_us, done="0s", whole=whole, amount=""
        )

        def tell(now_us: int, evidence: Any) -> None:
            amount = _amount(scenario, evidence)
            bar.update(task, completed=now_us, done=written(now_us), amount=amount)

        yield tell


def _plain(scenario: Scenario) -> TellProgress:
    step_us = max(1, scenario.duration_us // PLAIN_LINES)
    due_us = step_us

    def tell(now_us: int, evidence: Any) -> None:
        nonlocal due_us
        if now_us >= due_us:
            due_us = now_us - now_us % step_us + step_us
            done, whole = written(now_us), written(scenario.duration_us)
            amount = _amount(scenario, evidence)
            click.echo(f"{scenario.name}: {done} of {whole}, {amount}", err=True)

    return tell


def _amount(scenario: Scenario, evidence: Any) -> str:
    telling = TELLING[scenario.platform]
    return f"{telling.amount(evidence)} {telling.unit}"
