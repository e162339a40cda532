"""
A process that judges one server after the other, each with fresh children of its own.

What takes most of a short run, importing and reading the catalogue, is done once: here, before
there is a thread or an event loop. The server and the judge are then forked from this process, so
that nothing of one run reaches another. Run as a script it reads jobs, a line of JSON each, and
answers each with a line; it ends with its input.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import conformance
from conformance.marks import requirement_tests
from conformance.requirement import PACKAGE, REQUIREMENTS, catalogue
from scenarios.files import mistakes_in
from simulators.platforms.embedded import PASSWORD_COST
from simulators.platforms.platform import Settings
from simulators.platforms.serving import PLATFORMS, find_platform, serve

LONGEST_S = 300
OUR_FAULT = 70


def main() -> None:
    """Judge what the input says until it ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what anybody prints is no answer
    prepare()
    for line in sys.stdin:
        print(json.dumps(judge(**json.loads(line))), file=answers)


def prepare() -> None:
    """Import and read whatever servers and judges need."""
    _import_all(conformance)
    for name in PLATFORMS:
        find_platform(name)
        _import_all(sys.modules[f"simulators.platforms.{name.replace('-', '_')}"])
    catalogue(REQUIREMENTS)
    requirement_tests()
    mistakes_in({}, "target")
    pytest.main(["-c", str(PACKAGE / "run.ini"), "--version"])
    if (number := threading.active_count()) != 1:
        raise RuntimeError(f"expected no thread before the first fork; got {number - 1}")
    gc.collect()
    gc.freeze()  # or every collection of a child would copy the pages of all this


def _import_all(package: ModuleType) -> None:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)


def judge(platform: str, deviation: str | None, only: list[str], out: str) -> dict[str, Any]:
    """
    Judge a server with one deviation, or none, by some requirements, or all.

    Returns:
        The judge's ``exit_code``; its words and the server's lie in ``out``, beside the results.
    """
    with _served(platform, deviation, Path(out)):
        judging = _fork(lambda: _run_tests(platform, only, Path(out)), Path(out, "words"))
        _, status = os.waitpid(judging, 0)
    return {"exit_code": os.waitstatus_to_exitcode(status)}


@contextmanager
def _served(platform: str, deviation: str | None, out: Path) -> Iterator[None]:
    """The server while the context lasts, or while this process does."""
    stdin, lifeline = os.pipe()
    told, ready = os.pipe()

    def run() -> int:
        os.dup2(stdin, 0)
        os.close(lifeline)
        settings = Settings(
            deviation=deviation,
            password_cost=PASSWORD_COST,
            write_target=out / "target.toml",
            until_stdin_ends=True,
        )
        serve([platform], settings, lambda line: _write(ready, line))
        return 0

    server = _fork(run, out / "errors")
    os.close(stdin)
    os.close(ready)
    try:
        os.set_inheritable(lifeline, False)
        os.read(told, 1024)  # empty when it has died: the judge will say that nobody answers
        yield
    finally:
        os.close(told)
        os.close(lifeline)
        os.kill(server, signal.SIGTERM)
        os.waitpid(server, 0)


def _write(place: int, line: str) -> None:
    os.write(place, line.encode())


def _run_tests(platform: str, only: list[str], out: Path) -> int:
    """As ``certify`` does; only files with a test that is wanted are collected."""
    signal.alarm(LONGEST_S)
    os.chdir(out)
    arguments = ["-c", str(PACKAGE / "run.ini"), "--rootdir", str(PACKAGE.parent), "--noconftest"]
    arguments += ["-q", "--tb=native", "-p", "conformance.plugin", "--profile", platform]
    arguments += ["--target", str(out / "target.toml"), "--out", str(out)]
    for name in only:
        arguments += ["--only", name]
    return int(pytest.main([*arguments, *_files(platform, only)]))


def _files(platform: str, only: list[str]) -> list[str]:
    if not only:
        return [str(PACKAGE / platform.replace("-", "_"))]
    tests = requirement_tests()
    names = {test.partition("::")[0] for each in only for test in tests.get(each, ())}
    return [str(PACKAGE.parent / name) for name in sorted(names)]


def _fork(act: Callable[[], int], words: Path) -> int:
    """A child that does one thing and says into a file whatever it says; its process id."""
    if child := os.fork():
        return child
    code = OUR_FAULT
    try:
        place = os.open(words, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(place, 1)
        os.dup2(place, 2)
        code = act()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
