"""
The SQLite side: one database for all servers, each with tables of its own that no other reads.

Nobody commits here: the shell does, once for all requests that arrived together.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from simulators.platforms.state_file import connect

Row = tuple[Any, ...]

CACHE_KIB = 64 * 1024  # at most; pages come in as they are read


class Database:
    """A connection with the few calls that its users need."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def one(self, query: str, *values: Any) -> Row | None:
        """The first row, or None."""
        row: Row | None = self.connection.execute(query, values).fetchone()
        return row

    def all(self, query: str, *values: Any) -> list[Row]:
        """Every row."""
        return self.connection.execute(query, values).fetchall()

    def change(self, query: str, *values: Any) -> sqlite3.Cursor:
        """Run a statement that changes rows."""
        return self.connection.execute(query, values)

    def count(self, query: str, *values: Any) -> int:
        """The number that a query of one number gives."""
        row = self.one(query, *values)
        return int(row[0]) if row is not None else 0


def open_database(path: Path | None, tables: str) -> sqlite3.Connection:
    """Open the state file, or a database in memory when there is none; make what is missing."""
    connection = connect(path)
    connection.execute("PRAGMA journal_mode = %s" % ("WAL" if path else "OFF"))
    # In a write-ahead log NORMAL survives the death of the process; FULL is for power cuts.
    connection.execute("PRAGMA synchronous = NORMAL")
    # With a million devices the pages above the leaves of their tables are more than the default
    # of two megabytes; to read one again costs as much as to find a row.
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.executescript(tables)
    return connection
