"""The SQLite file that a server keeps its state in, used by one process at a time."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import IO, Any

from simulators.platforms.locks import locked


class _Alone(sqlite3.Connection):
    """A connection that holds the lock of its file until it is closed."""

    lock: IO[str] | None = None

    def close(self) -> None:
        super().close()
        if self.lock is not None:
            self.lock.close()  # only now: the log is written back by then


def connect(path: Path | None) -> sqlite3.Connection:
    """
    Open a state file for this process alone, or a database in memory when there is none.

    Two servers on one file would each go by what they remember of it. The lock is of the system: it
    ends with the process, however that ends.

    Raises:
        OSError: another process uses the file, or it cannot be locked.
        sqlite3.Error: it cannot be opened.
    """
    if path is None:
        return sqlite3.connect(":memory:")
    lock = _locked(path)
    try:
        connection = sqlite3.connect(path, factory=_Alone)
    except sqlite3.Error:
        lock.close()
        raise
    connection.lock = lock
    return connection


def why(problem: OSError | sqlite3.Error) -> str:
    """What is wrong with a state file, without numbers and paths."""
    words: Any = getattr(problem, "strerror", None)
    return str(words or problem)


def _locked(path: Path) -> IO[str]:
    """
    A lock beside the file that a link leads to, so that both names are one.

    Not on the file itself: some systems make its lock and SQLite's one.
    """
    real = path.resolve()
    return locked(real.with_name(f"{real.name}-lock"), "a state file of this process alone")
