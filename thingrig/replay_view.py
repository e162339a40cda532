"""How a replay shows itself: progress while it lasts, what differs when it is over."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from scenarios.replay.player import Progress as Tell
from thingrig.run_view import PLAIN_LINES, PLAIN_WIDTH, printable

COLOURS = {"same": "green", "different": "red", "inconclusive": "yellow"}
LONGEST = 60  # characters of a value in the table; the report has all of it


@contextmanager
def progress_of(name: str) -> Iterator[Tell]:
    """Something to tell the progress to: a bar on a terminal, a few plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield _plain(name)
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def summary(document: dict[str, Any]) -> None:
    """Print the differences of a report, what was compared, and the verdict."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    if document["differences"]:
        console.print(_table(document["differences"]))
    counts, latency = document["counts"], document["latency_ms"]
    told = f"{counts['compared']} of {counts['requests']} answers compared"
    told += f", {counts['documents']} documents of {counts['streams']} streams"
    if counts["unplayed"]:
        told += f"; {counts['unplayed']} not played for want of a secret"
    console.print(Text(told))
    if latency["replayed"] is not None:
        console.print(Text(f"answers after {_times(latency['replayed'])}"
                           f"; recorded {_times(latency['recorded'])}"))  # fmt: skip
    if document["uncertain"]:
        count = sum(each["count"] for each in document["uncertain"])
        console.print(Text(f"{count} more read while the same was being written: left to chance"))
    reason = f" ({printable(document['reason'])})" if document["reason"] else ""
    verdict = Text(document["verdict"], style=COLOURS[document["verdict"]])
    head = f"{printable(document['trace']['scenario'])} at {document['speed']:g} times its speed: "
    console.print(Text(head) + verdict + Text(reason), soft_wrap=True)


def _table(differences: list[dict[str, Any]]) -> Table:
    table = Table(title=None, box=None, pad_edge=False)
    for heading in ("differs", "times", "in", "recorded", "replayed", "first in line"):
        table.add_column(heading, overflow="fold")
    for each in differences:
        first, where = each["first"], f" {each['where']}" if each["where"] else ""
        row = [each["kind"], str(each["count"]), each["endpoint"] + where]
        row += [_shown(first["recorded"]), _shown(first["replayed"]), str(first["line"])]
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def _shown(side: dict[str, Any]) -> str:
    if not side:
        return "nothing"
    text = json.dumps(side["value"], ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _times(latency: dict[str, float]) -> str:
    return f"{latency['p50']:.1f} ms (p99 {latency['p99']:.1f}, most {latency['max']:.1f})"


def _plain(name: str) -> Tell:
    told = 0

    def tell(done: int, whole: int) -> None:
        nonlocal told
        share = (done + 1) * PLAIN_LINES // whole
        if share > told:
            told = share
            click.echo(f"{name}: {done + 1} of {whole} steps", err=True)

    return tell
