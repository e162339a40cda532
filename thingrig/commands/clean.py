"""``thingrig clean``: remove what an interrupted run left, as far as the platform can."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from conformance.desk import ControllerDesk
from conformance.ledger import ID_STAYS, REMOVABLE, Ledger, read_ledger
from conformance.platforms import find_platform
from conformance.run import Run
from conformance.targets import Target, read_target
from scenarios.files import FileError
from thingrig.errors import NoJudgement


@click.command("clean")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--target", metavar="FILE", required=True, help="The target file of the run.")
@click.option("--url", metavar="URL", help="Replaces the target file's url.")
def command(ledger: Path, target: str, url: str | None) -> None:
    """
    Remove what the run of LEDGER created; tell what remains.

    Exit code 1: something that can be removed is still there.
    """
    entries = _entries(ledger)
    reached = read_target(target, url=url)
    _check_reachable(reached)
    cleaned = list(find_platform(reached.platform).clean(reached, entries))
    for each in cleaned:
        state = "removed" if each.why_left is None else f"remains: {each.why_left}"
        click.echo(f"{each.kind}  {each.what}  {state}")
    if not cleaned:
        click.echo("nothing was left")
    raise SystemExit(
        any(each.kind in REMOVABLE and each.why_left not in (None, ID_STAYS) for each in cleaned)
    )


def _entries(ledger: Path) -> list[dict[str, Any]]:
    try:
        return read_ledger(ledger)[1]
    except OSError as problem:
        words = (problem.strerror or str(problem)).lower()
        raise FileError(ledger, None, f"expected a readable file; got {words!r}") from problem
    except ValueError as problem:
        line, _, message = str(problem).partition(": ")
        raise FileError(ledger, int(line), message) from problem


def _check_reachable(target: Target) -> None:
    with closing(Ledger(Path("/dev/null"), {})) as nothing:
        reason = Run(target, ControllerDesk(target, nothing), "").preflight()
    if reason:
        raise NoJudgement(reason)
