"""``thingrig certify``: judge a target, write results and reports, say the verdict."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

import reports
from conformance.certify import Ended, run_child, useful_jobs
from conformance.choice import Choice, Options, choose
from conformance.profiles import profiles
from conformance.requirement import catalogue
from conformance.verdict import verdict_line
from scenarios.secrets import SecretRegistry
from thingrig.errors import NoJudgement, UsageProblem

PLAIN_LINES = 10


class _SeveralIds(click.Command):
    """Lets ``--only`` take several ids, as in ``--only TIO-RD-001 TIO-RD-002``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(_one_by_one(args)))


def _one_by_one(args: list[str]) -> Iterator[str]:
    """``--only`` before each of its ids; an id is known by its capitals, a profile has none."""
    is_only = False
    for before, word in zip(["", *args], args, strict=False):
        is_id = bool(re.match("[A-Z]+-", word))
        if is_only and is_id and before != "--only":
            yield "--only"
        is_only = word == "--only" or (is_only and (before == "--only" or is_id))
        yield word


@click.command("certify", cls=_SeveralIds)
@click.argument("profile", required=False)
@click.option("--target", metavar="FILE", help="Target file; without it, the embedded server.")
@click.option("--url", metavar="URL", help="Replaces the target file's url.")
@click.option("--only", metavar="ID...", multiple=True, help="Judge only this one, or these.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, metavar="N",
              help="Processes that judge at the same time.")  # fmt: skip
@click.option("--waivers", metavar="FILE", help="Accepted deviations.")
@click.option("--plan", is_flag=True, help="Send nothing; print what a run would do.")
@click.option("--out", metavar="DIR", help="Output folder.  [default: out/<time>-<profile>]")
def command(
    profile: str | None,
    target: str | None,
    url: str | None,
    only: tuple[str, ...],
    jobs: int,
    waivers: str | None,
    plan: bool,
    out: str | None,
) -> None:
    """
    Judge a target by PROFILE: a platform (thethings-io) or a part of it (thethings-io/device).

    Exit code 0: certified; 1: a requirement failed; 3: no judgement possible.
    """
    if profile is None:
        raise UsageProblem(f"expected a profile ({', '.join(profiles(catalogue()))}); got none")
    options = Options(profile, target, url, only, waivers)
    try:
        choice = choose(options)
    except LookupError as problem:
        raise UsageProblem(str(problem.args[0])) from problem
    if plan:
        from conformance.plan import plan_text

        click.echo(plan_text(choice, jobs))
        return
    folder = _folder(out, choice.profile)
    jobs = _useful(choice, jobs)
    with _progress(choice) as tell:
        ended = run_child(choice, options, folder, jobs=jobs, on_line=tell)
    raise SystemExit(_finish(ended, choice, folder))


def _useful(choice: Choice, jobs: int) -> int:
    useful = useful_jobs(choice, jobs)
    if useful < jobs:
        click.echo(f"--jobs {useful}: the target has not enough things for {jobs}", err=True)
    return useful


def _folder(out: str | None, profile: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    folder = Path(out or Path("out", f"{stamp}-{profile.replace('/', '-')}")).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        words = (problem.strerror or str(problem)).lower()
        raise UsageProblem(f"--out: expected a folder that can be written; {words}") from problem
    return folder


def _finish(ended: Ended, choice: Choice, folder: Path) -> int:
    """Print verdict and paths; the exit code."""
    results = folder / "results.jsonl"
    if not results.is_file():
        raise NoJudgement(f"the run ended before it began: {_last(ended, choice)}")
    paths = reports.build(results, folder)
    click.echo(_verdict(ended, choice))
    if why := _mostly_not_run(results):
        click.echo(why)
    for path in (results, *paths):
        click.echo(str(path))
    return ended.exit_code


def _mostly_not_run(results: Path) -> str | None:
    """Why most tests that were not run were not: one missing right can be behind hundreds."""
    reasons: Counter[str] = Counter()
    for line in results.read_bytes().splitlines():
        with suppress(ValueError):  # the last line of a run that was cut off
            test = json.loads(line)
            if test.get("verdict") == "not run" and test.get("reason"):
                reasons[test["reason"]] += 1
    if not reasons:
        return None
    reason, tests = reasons.most_common(1)[0]
    return f"not run, most often ({tests} tests): {reason}"


def _verdict(ended: Ended, choice: Choice) -> str:
    if ended.footer is None:
        why = f" ({_last(ended, choice)})" if ended.words else ""
        return f"inconclusive: the run was interrupted{why}"
    footer = ended.footer
    line = verdict_line(footer["verdict"], footer["counts"], footer["reason"])
    counts = ", ".join(
        f"{footer['counts'][name]} {name}"
        for name in ("pass", "fail", "inconclusive", "error", "not applicable", "not run")
        if footer["counts"][name]
    )
    return f"{choice.profile}: {line}\n{counts or 'nothing was judged'}"


def _last(ended: Ended, choice: Choice) -> str:
    secrets = SecretRegistry()
    choice.target.register_secrets(secrets)
    lines = [line.strip(" !\t") for line in ended.words.splitlines() if line.strip(" !\t")]
    return secrets.redact(lines[-1]) if lines else "the process said nothing"


@contextmanager
def _progress(choice: Choice) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Something to tell each line of the results to: a bar, or a few plain lines."""
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        if sys.stderr.isatty():
            with _bar(choice) as tell:
                yield tell
        else:
            yield _plain(choice)
    finally:
        signal.signal(signal.SIGTERM, previous)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _bar(choice: Choice) -> Iterator[Callable[[dict[str, Any]], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} of {task.total} requirements, {task.fields[failed]} failed"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(choice.profile, total=len(choice.requirements), failed=0)
        seen: dict[str, bool] = {}

        def tell(line: dict[str, Any]) -> None:
            _take_in(seen, line, choice)
            bar.update(task, completed=len(seen), failed=sum(seen.values()))

        yield tell


def _plain(choice: Choice) -> Callable[[dict[str, Any]], None]:
    whole = len(choice.requirements)
    step = max(1, whole // PLAIN_LINES)
    seen: dict[str, bool] = {}
    due = step

    def tell(line: dict[str, Any]) -> None:
        nonlocal due
        _take_in(seen, line, choice)
        if len(seen) >= due:
            due = len(seen) - len(seen) % step + step
            words = f"{len(seen)} of {whole} requirements, {sum(seen.values())} failed"
            click.echo(f"{choice.profile}: {words}", err=True)

    return tell


def _take_in(seen: dict[str, bool], line: dict[str, Any], choice: Choice) -> None:
    """Which requirements have been touched, and whether one of their tests failed."""
    if line.get("type") != "test":
        return
    for each in line["requirements"]:
        if each in choice.requirements:
            seen[each] = seen.get(each, False) or line["verdict"] == "fail"
