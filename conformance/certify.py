"""
``certify`` as a child process: pytest with a configuration, a root and plugins of its own.

Nothing of the user's folder or shell changes a verdict; the child works in the output folder.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from conformance.choice import Choice, Options
from conformance.platforms import find_platform
from conformance.requirement import PACKAGE
from conformance.results import read_footer

POLL_S = 0.1
GRACE_S = 60.0
"""How long an interrupted child may take to put away what it has created."""


class Ended(NamedTuple):
    """
    How a run ended.

    ``footer`` is None when it did not come to its end; ``words`` are the child's last then, and
    empty when the user interrupted it.
    """

    exit_code: int
    footer: dict[str, Any] | None
    words: str


def run_child(
    choice: Choice,
    options: Options,
    out: Path,
    *,
    jobs: int = 1,
    on_line: Callable[[dict[str, Any]], None] = lambda line: None,
) -> Ended:
    """
    Judge in a child process, and tell each line of its results as it appears.

    Exit code 3 whenever there is no footer: an interrupted run certifies nothing.
    """
    results = out / "results.jsonl"
    results.unlink(missing_ok=True)
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as words,
        _lifeline() as lifeline,
    ):
        process = subprocess.Popen(  # noqa: S603 - our own interpreter with our own arguments
            [*arguments(choice, options, out, jobs), "--lifeline", str(lifeline)],
            cwd=out,
            env=environment(dict(os.environ)),
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that an interrupt reaches it once, from us
            pass_fds=[lifeline],
        )
        is_whole = _follow(process, results, on_line)
        words.seek(0)
        last = words.read()[-2000:] if is_whole else ""
    footer = read_footer(results)
    return Ended(process.returncode if footer else 3, footer, last)


def useful_jobs(choice: Choice, jobs: int) -> int:
    """How many processes find things of their own, so that verdicts do not depend on the number."""
    return find_platform(choice.platform).useful_jobs(choice, jobs)


def arguments(choice: Choice, options: Options, out: Path, jobs: int) -> list[str]:
    """The child's command line."""
    folder = PACKAGE / choice.platform.replace("-", "_")
    found = [sys.executable, "-P", "-m", "pytest", "-c", str(PACKAGE / "run.ini")]
    found += ["--rootdir", str(PACKAGE.parent), "--noconftest", "--continue-on-collection-errors"]
    found += ["-p", "conformance.plugin", "-p", "xdist.plugin", "-p", "allure_pytest.plugin"]
    found += ["--profile", choice.profile, "--out", str(out)]
    found += ["--alluredir", str(out / "allure-results"), "--clean-alluredir", "-q"]
    for name in ("target", "waivers", "catalogue"):
        if value := getattr(options, name):
            found += [f"--{name}", str(Path(value).resolve())]
    found += ["--url", options.url] if options.url else []
    for each in options.only:
        found += ["--only", each]
    found += ["-n", str(jobs), "--dist", "loadscope"] if jobs > 1 else []
    return [*found, str(folder)]


def environment(shell: dict[str, str]) -> dict[str, str]:
    """The user's environment without what pytest or Python would take orders from."""
    kept = {name: value for name, value in shell.items() if not name.startswith("PYTEST_")}
    ours = [str(PACKAGE.parent)]
    theirs = [each for each in shell.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(each)]
    return {
        **kept,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join([*ours, *theirs]),
        "PYTHONSAFEPATH": "1",  # for xdist's workers, who do not inherit -P
    }


@contextmanager
def _lifeline() -> Iterator[int]:
    """
    The end of a pipe at which a child sees that we are gone, even when we are killed.

    The other end is ours alone, and is closed by whatever ends us.
    """
    theirs, ours = os.pipe()
    try:
        yield theirs
    finally:
        os.close(theirs)
        os.close(ours)


def _follow(
    process: subprocess.Popen[bytes], results: Path, on_line: Callable[[dict[str, Any]], None]
) -> bool:
    """
    Until the child ends; an interrupt is passed on once, and the child may tidy up.

    Returns:
        Whether nobody interrupted it.
    """
    lines = _new_lines(results)
    try:
        while process.poll() is None:
            for line in next(lines):
                on_line(line)
            time.sleep(POLL_S)
        for line in next(lines):
            on_line(line)
        return True
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(GRACE_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()
        return False


def _new_lines(results: Path) -> Iterator[list[dict[str, Any]]]:
    """Each time: the whole lines that have come since."""
    place = 0
    while True:
        data = results.read_bytes()[place:] if results.is_file() else b""
        whole = data[: data.rfind(b"\n") + 1]
        place += len(whole)
        yield [json.loads(line) for line in whole.split(b"\n") if line]
