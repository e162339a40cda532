"""``thingrig clean``: remove what an interrupted run left, as far as the platform can."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from conformance.desk import ControllerDesk
from conformance.ledger import ID_STAYS, REMOVABLE, Ledger, LedgerEnd, read_ledger
from conformance.platforms import find_platform
from conformance.run import Run
from conformance.targets import Target, read_target
from scenarios.files import FileError
from thingrig.errors import NoJudgement, UsageProblem

NAME = "ledger.jsonl"
STATES = {None: "removed", ID_STAYS: "deleted"}  # what need not be tried again is noted


@click.command("clean")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--target", metavar="FILE", required=True, help="The target file of the run.")
@click.option("--url", metavar="URL", help="Replaces the target file's url.")
def command(ledger: Path, target: str, url: str | None) -> int:
    """
    Remove what the run of LEDGER created; tell what remains.

    LEDGER is the file, or the run's folder.

    Exit code 1: something that can be removed is still there.
    """
    path = ledger / NAME if ledger.is_dir() else ledger
    header, entries = _read(path)
    reached = read_target(target, url=url)
    _check_same(path, header, reached, is_moved=url is not None)
    _check_reachable(reached)
    cleaned = []
    with closing(_end_of(path)) as end:
        for each in find_platform(reached.platform).clean(reached, entries):
            cleaned.append(each)
            state = "removed" if each.why_left is None else f"remains: {each.why_left}"
            click.echo(f"{each.kind}  {each.what}  {state}")
            if each.entry is not None and each.why_left in STATES:
                end.mark(each.entry, STATES[each.why_left])
    if not cleaned:
        click.echo("nothing was left")
    stays = [each for each in cleaned if each.why_left not in (None, ID_STAYS)]
    return int(any(each.kind in REMOVABLE for each in stays))


def _read(ledger: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        return read_ledger(ledger)
    except OSError as problem:
        words = (problem.strerror or str(problem)).lower()
        raise FileError(ledger, None, f"expected a readable file; got {words!r}") from problem
    except ValueError as problem:
        line, _, message = str(problem).partition(": ")
        raise FileError(ledger, int(line), message) from problem


def _end_of(path: Path) -> LedgerEnd:
    try:
        return LedgerEnd(path)
    except OSError as problem:
        words = (problem.strerror or str(problem)).lower()
        raise FileError(path, None, f"expected a writable file; got {words!r}") from problem


def _check_same(ledger: Path, header: dict[str, Any], target: Target, *, is_moved: bool) -> None:
    """Another server knows nothing of these objects, which would look as if they were removed."""
    platform, url = header.get("platform"), header.get("url")
    if platform not in (None, target.platform):
        what = f"expected a target of platform {platform}, as {ledger}"
        raise UsageProblem(f"{what}; got '{target.platform}'")
    if url not in (None, target.url) and not is_moved:
        what = f"expected the target at {url}, as {ledger}"
        raise UsageProblem(f"{what}; got {target.url}; if it has moved, add --url {target.url}")


def _check_reachable(target: Target) -> None:
    with closing(Ledger(Path("/dev/null"), {})) as nothing:
        reason = Run(target, ControllerDesk(target, nothing), "").preflight()
    if reason:
        raise NoJudgement(reason)
