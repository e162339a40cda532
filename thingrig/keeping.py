"""What is kept of something that is played: its folder and its trace, however it ends."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from scenarios.files import FileError


def fresh_folder(name: str) -> Path:
    """A folder under ``out``; two runs of one second do not write over each other."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(folder for each in names if not (folder := Path("out") / each).exists())


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """
    A new file in a folder that is made for it.

    Raises:
        FileError: it cannot be.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("wb")
    except OSError as problem:
        raise FileError(
            path, None, f"expected a writable folder; got '{problem.strerror}'"
        ) from problem
    with file:
        yield file


@contextmanager
def ending_is_interrupting() -> Iterator[None]:
    """
    SIGTERM keeps the trace and the results, as Ctrl-C does.

    A script that starts us beside itself has SIGINT ignored, and SIGTERM would be with it.
    """
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    interrupt = signal.getsignal(signal.SIGINT)
    if interrupt is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupt)
