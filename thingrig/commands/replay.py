"""``thingrig replay``: play a recorded trace to a target and tell what differs."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson

import thingrig
from conformance import targets
from scenarios import wall
from scenarios.engine import Access
from scenarios.files import FileError
from scenarios.replay import report
from scenarios.replay.player import Manner, Outcome
from scenarios.replay.replaying import replay
from scenarios.replay.script import Script, ScriptError
from scenarios.secrets import SecretRegistry
from scenarios.trace import Trace
from simulators.transports.event_loop import new_event_loop
from thingrig.destination import access_to, destination, tls_to
from thingrig.errors import NoJudgement, UsageProblem
from thingrig.keeping import ending_is_interrupting, fresh_folder, opened
from thingrig.load_rules import check_haste, limited
from thingrig.replay_view import progress_of, summary
from thingrig.run_view import printable
from thingrig.trace_file import readable_trace

EXIT_CODES = {"same": 0, "different": 1, "inconclusive": 3}


@click.command("replay")
@click.argument("trace_path", metavar="TRACE")
@click.option("--target", "target_path", metavar="FILE", help="The platform to play to.")
@click.option("--url", help="Replaces the target file's url.")
@click.option("--speed", metavar="X", default="1", help="How many times faster than recorded.")
@click.option("--rate", type=float, metavar="N", help="At most so many requests per second.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for report and new trace.")
def command(
    trace_path: str,
    target_path: str | None,
    url: str | None,
    speed: str,
    rate: float | None,
    out: Path | None,
) -> int:
    """
    Play TRACE, the trace.jsonl of a run, again and tell what differs from the recording.

    Without a target a fresh embedded server is played to.
    """
    times = _speed(speed)
    trace = readable_trace(Path(trace_path))
    script = _script(trace_path, trace)
    with destination(trace.header["platform"], target_path, url) as found:
        target = limited(found, rate)
        check_haste(target, times)
        return _replayed(trace, script, target, times, out)


def _replayed(
    trace: Trace, script: Script, target: targets.Target, speed: float, out: Path | None
) -> int:
    access = _access(script, target)
    started = datetime.now(UTC)
    name = printable(trace.header["scenario"]).replace("/", "-")
    folder = out or fresh_folder(f"{started:%Y%m%d-%H%M%S}-replay-{name}")
    secrets = SecretRegistry()
    at = wall.Target(target.url, access, tls_to(target), target.max_requests_per_s)
    manner = Manner(
        speed,
        access.product_id,
        tuple(user["password"] for user in target.credential("users", ())),
        has_used_codes=target.kind != "embedded",
    )
    with (
        opened(folder / "trace.jsonl") as new_trace,
        progress_of(name) as progress,
        ending_is_interrupting(),
    ):
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                outcome = runner.run(
                    replay(
                        trace.header, script, at, manner,
                        trace=new_trace, secrets=secrets, progress=progress,
                    )
                )  # fmt: skip
        except wall.UnreachableError as problem:
            raise NoJudgement(printable(str(problem))) from problem
    about = {
        "target": {"kind": target.kind, "url": target.url},
        "speed": speed,
        "started": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        "finished": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    return _told(trace, script, outcome, folder, secrets, about)


def _told(
    trace: Trace,
    script: Script,
    outcome: Outcome,
    folder: Path,
    secrets: SecretRegistry,
    about: dict[str, Any],
) -> int:
    document = secrets.redact(
        report.document(trace, script, outcome, suite_version=thingrig.__version__, about=about)
    )
    path = folder / "replay.json"
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    summary(document)
    click.echo(str(path))
    click.echo(str(folder / "trace.jsonl"))
    return EXIT_CODES[document["verdict"]]


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not (math.isfinite(speed) and speed > 0):
        raise UsageProblem(f"expected --speed to be a number above 0, such as 60; got '{text}'")
    return speed


def _script(path: str, trace: Trace) -> Script:
    try:
        script = Script(trace)
    except ScriptError as problem:
        raise FileError(path, problem.line, printable(str(problem))) from problem
    except RecursionError as problem:
        raise FileError(path, None, "expected a trace; got too deep a nesting") from problem
    if not script.steps:
        raise NoJudgement(f"{path} holds no request to be replayed")
    return script


def _access(script: Script, target: targets.Target) -> Access:
    """
    The target's credentials.

    Raises:
        UsageProblem: they are too few.
    """
    access = access_to(target)
    for kind, has in (
        ("activation_code", len(access.activation_codes)),
        ("thing_token", len(access.thing_tokens)),
    ):
        needed = len(script.given(kind))
        if needed > has:
            what = f"expected a target with {needed} {kind}s, as many as the trace needs"
            raise UsageProblem(f"{what}; got {has}")
    return access
