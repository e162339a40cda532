"""``thingrig run``: play a scenario, on the virtual clock or against a platform."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import click
import orjson

import thingrig
from conformance import targets
from scenarios import results
from scenarios.engine import Share
from scenarios.model import Scenario
from scenarios.reading import Setting, read_scenario
from scenarios.run import Run
from scenarios.virtual import play_virtual
from scenarios.wall import UnreachableError
from simulators.devices.options import FleetError
from simulators.transports.event_loop import new_event_loop
from thingrig.destination import access_to, destination, tls_to
from thingrig.errors import NoJudgement, UsageProblem
from thingrig.keeping import ending_is_interrupting, fresh_folder, opened
from thingrig.load_rules import Rules
from thingrig.load_view import watching
from thingrig.lorawan_way import lorawan_way
from thingrig.run_view import printable, progress_of, summary

EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 3}

Play = Callable[..., Run]


@click.command("run")
@click.argument("scenario")
@click.option("--target", "target_path", metavar="FILE", help="The platform to play against.")
@click.option("--url", help="Replaces the target file's url.")
@click.option("--clock", type=click.Choice(["virtual", "wall"]), help="Which time passes.")
@click.option("--duration", metavar="TIME", help="Replaces scenario.duration, such as 60s.")
@click.option("--seed", metavar="N", help="Replaces scenario.seed.")
@click.option("--set", "settings", metavar="PATH=VALUE", multiple=True, help="Replaces a value.")
@click.option("--rate", type=float, metavar="N", help="At most so many requests per second.")
@click.option("--remote-load", is_flag=True, help="Allow a load on a target not on loopback.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for trace and results.")
def command(
    scenario: str,
    target_path: str | None,
    url: str | None,
    clock: str | None,
    duration: str | None,
    seed: str | None,
    settings: tuple[str, ...],
    rate: float | None,
    remote_load: bool,
    out: Path | None,
) -> int:
    """
    Play SCENARIO, the name of one that comes with ThingRig or the path of a file.

    Without a target the clock is virtual and the platform lives in memory; with a target, time is
    real. ``--clock wall`` without a target starts the embedded server.
    """
    has_target = target_path is not None or url is not None
    if has_target and clock == "virtual":
        raise UsageProblem("expected --clock wall with a target; got 'virtual'")
    changes = settings_of(settings, duration=duration, seed=seed)
    played = read_scenario(scenario, changes)
    rules = Rules(rate, remote_load)
    way = WAYS[played.platform]
    with way(played, clock, target_path, url, rules) as (play, target):
        run, paths = _play(played, play, out, target, changes)
    summary(run)
    click.echo(_verdict(run))
    for path in paths:
        click.echo(str(path))
    return EXIT_CODES[run.verdict]


def settings_of(
    pairs: tuple[str, ...], *, duration: str | None = None, seed: str | None = None
) -> list[Setting]:
    """
    What the options change, in the order of ``--set``, then ``--duration`` and ``--seed``.

    Raises:
        UsageProblem: a setting without an equals sign.
    """
    found = []
    for pair in pairs:
        path, equals, value = pair.partition("=")
        if not path or not equals:
            raise UsageProblem(f"expected --set PATH=VALUE; got '{pair}'")
        found.append(Setting(path, value, f"--set {pair}"))
    for name, text in (("duration", duration), ("seed", seed)):
        if text is not None:
            found.append(Setting(f"scenario.{name}", text, f"--{name} {text}"))
    return found


def _play(
    scenario: Scenario,
    play: Play,
    out: Path | None,
    target: dict[str, Any] | None,
    changes: list[Setting],
) -> tuple[Run, list[Path]]:
    started = datetime.now(UTC)
    folder = out or fresh_folder(f"{started:%Y%m%d-%H%M%S}-{scenario.name}")
    with opened(folder / "trace.jsonl") as trace, ending_is_interrupting():
        run = play(scenario, trace=trace, folder=folder)
    about = {
        "target": target,
        "settings": {change.path: change.value for change in changes},
        "started": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        "finished": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    document = results.document(run, suite_version=thingrig.__version__, about=about)
    results_path = folder / "run.json"
    results_path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    paths = [results_path, folder / "trace.jsonl"]
    if "radio" in document:
        from reports.run_page import run_page  # templates take a while to import

        paths.append(folder / "run.html")
        paths[-1].write_text(run_page(document), encoding="utf-8", newline="\n")
    return run, paths


def _verdict(run: Run) -> str:
    reason = f" ({run.reason})" if run.reason else ""
    return f"{run.scenario.name} on the {run.clock} clock: {run.verdict}{reason}"


@contextmanager
def _things_way(
    scenario: Scenario,
    clock: str | None,
    target_path: str | None,
    url: str | None,
    rules: Rules,
) -> Iterator[tuple[Play, dict[str, Any] | None]]:
    """How to play, and what the results say about the target."""
    if target_path is None and url is None and clock != "wall":
        yield _play_virtual, None
        return
    with destination(scenario.platform, target_path, url) as target:
        target = rules.applied(scenario, target)
        is_crew = scenario.load is not None or scenario.workers > 1
        way = _play_crew if is_crew else _play_wall
        play = partial(way, target=target)
        if url is not None and target_path is None:
            play = partial(_play_unknown, play, url)
        yield play, {"kind": target.kind, "url": target.url}


def _play_unknown(play: Play, url: str, scenario: Scenario, **options: Any) -> Run:
    """A platform of which only the address is known may have nothing of what we suppose."""
    run = play(scenario, **options)
    if not results.counts(run.evidence)["acknowledged"]:
        what = f"{url} accepted no value with the built-in credentials"
        raise NoJudgement(f"{what}; name a target file that holds its own")
    return run


def _play_virtual(scenario: Scenario, *, trace: BinaryIO, folder: Path) -> Run:
    with progress_of(scenario) as progress:
        return play_virtual(scenario, trace=trace, progress=progress)


def _play_wall(scenario: Scenario, *, target: targets.Target, trace: BinaryIO, folder: Path) -> Run:
    from scenarios import wall  # sockets and TLS are of no use to the virtual clock

    at = wall.Target(target.url, access_to(target), tls_to(target), target.max_requests_per_s)
    with (
        _without_surprises(),
        asyncio.Runner(loop_factory=new_event_loop) as runner,
        progress_of(scenario) as progress,
    ):
        return runner.run(wall.play_wall(scenario, at, trace=trace, progress=progress))


def _play_crew(scenario: Scenario, *, target: targets.Target, trace: BinaryIO, folder: Path) -> Run:
    from scenarios import crew, worker

    tls_to(target)
    task = worker.Task(
        scenario=scenario,
        url=target.url,
        access=access_to(target),
        ca_file=target.ca_file,
        max_requests_per_s=target.max_requests_per_s,
        share=Share(0, scenario.workers),
        trace=folder,
    )
    with _without_surprises(), watching(scenario) as watch:
        return crew.play_crew(task, folder=folder, trace=trace, watch=watch)


@contextmanager
def _without_surprises() -> Iterator[None]:
    try:
        yield
    except UnreachableError as problem:
        raise NoJudgement(printable(str(problem))) from problem
    except FleetError as problem:
        raise UsageProblem(str(problem)) from problem


# How each platform's scenarios are played.
WAYS: dict[str, Callable[..., AbstractContextManager[tuple[Play, dict[str, Any] | None]]]] = {
    "thethings-io": _things_way,
    "things-stack": lorawan_way,
}
