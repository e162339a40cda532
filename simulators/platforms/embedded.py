"""A reference server in a child process, for whoever needs one for a while."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import simulators

_READY_S = 10.0
_END_S = 5.0
PASSWORD_COST = 10  # it lives for minutes on loopback: passwords need not hold for years


class EmbeddedError(Exception):
    """The child did not become ready; the message holds its last words."""


@dataclass(frozen=True)
class Embedded:
    """
    A running server.

    Attributes:
        url: scheme, host and port.
        target: the server as a target file's document, credentials included.
        process: the child.
        errors: the file that gets its standard error.
    """

    url: str
    target: dict[str, Any]
    process: subprocess.Popen[str]
    errors: Path


@contextmanager
def embedded_server(
    platform: str = "thethings-io",
    *,
    state: Path | None = None,
    tls: bool = False,
    seed: int = 0,
    deviation: str | None = None,
    provisioning: dict[str, Any] | None = None,
) -> Iterator[Embedded]:
    """
    Start a server on a free loopback port, and end it with the context.

    Args:
        state: folder that outlives the server; a temporary one when None.
        provisioning: a provisioning file's document instead of the built-in one.
    Raises:
        EmbeddedError: the server did not become ready.
    """
    with tempfile.TemporaryDirectory(prefix="thingrig-") as name:
        folder = Path(name)
        options = ["--state", str(state or folder / "state"), "--seed", str(seed)]
        options += ["--password-cost", str(PASSWORD_COST)]
        options += ["--tls"] if tls else []
        options += ["--deviation", deviation] if deviation else []
        if provisioning is not None:
            (folder / "provisioning.json").write_text(json.dumps(provisioning))
            options += ["--provision-json", str(folder / "provisioning.json")]
        process = _start(platform, folder, options)
        try:
            yield _ready(process, folder)
        finally:
            _end(process)


def _start(platform: str, folder: Path, options: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "simulators.platforms", platform, "--until-stdin-ends"]
    command += ["--write-target", str(folder / "target.toml"), *options]
    with open(folder / "errors", "w") as errors:
        return subprocess.Popen(  # noqa: S603 - our own module with our own arguments
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=_environment(),
            start_new_session=True,  # an interrupt from the keyboard is for the parent
        )


def _environment() -> dict[str, str]:
    """Ours, such that the child finds the same packages whatever the working folder is."""
    root = str(Path(simulators.__file__).parents[1])
    path = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def _ready(process: subprocess.Popen[str], folder: Path) -> Embedded:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], _READY_S)
    words = process.stdout.readline().split() if readable else []
    if len(words) != 3 or words[0] != "ready":
        _end(process)
        told = (folder / "errors").read_text().strip().splitlines()
        raise EmbeddedError(f"embedded server did not start: {told[-1] if told else 'no reason'}")
    target = tomllib.loads((folder / "target.toml").read_text())
    return Embedded(words[2], target, process, folder / "errors")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
