"""
The SQLite side of the reference server: tables, and what is remembered of them between requests.

Never commits: the shell does, once for all requests that arrived together. What is remembered
(things, resource numbers) can be forgotten at any time, after a rollback for example.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import orjson

from simulators.platforms.state_file import connect

_TABLES = """
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS product (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activation_code (
    number INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, product TEXT NOT NULL, thing INTEGER
);
CREATE TABLE IF NOT EXISTS thing (
    number INTEGER PRIMARY KEY, thing_token TEXT NOT NULL UNIQUE, thing_id TEXT NOT NULL UNIQUE,
    product TEXT NOT NULL, provisioned INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS resource (
    number INTEGER PRIMARY KEY, thing INTEGER NOT NULL, key TEXT NOT NULL, UNIQUE (thing, key)
);
CREATE TABLE IF NOT EXISTS value (
    resource INTEGER NOT NULL, unix_ms INTEGER NOT NULL, sequence INTEGER NOT NULL,
    value TEXT NOT NULL, geo TEXT,
    PRIMARY KEY (resource, unix_ms, sequence)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (
    thing INTEGER NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (thing, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tag (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, thing INTEGER NOT NULL,
    name TEXT NOT NULL, UNIQUE (thing, name)
);
CREATE TABLE IF NOT EXISTS firmware (
    id TEXT PRIMARY KEY, product TEXT NOT NULL, mcu TEXT NOT NULL, version TEXT NOT NULL,
    image BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS function (
    name TEXT PRIMARY KEY, returns TEXT NOT NULL, result TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS app (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, is_official INTEGER NOT NULL,
    session_s REAL
);
CREATE TABLE IF NOT EXISTS user (
    number INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, password TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS account (
    number INTEGER PRIMARY KEY, app INTEGER NOT NULL, user INTEGER NOT NULL,
    settings TEXT NOT NULL, UNIQUE (app, user)
);
CREATE TABLE IF NOT EXISTS session (
    token TEXT PRIMARY KEY, account INTEGER NOT NULL, expires_us INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_by_end ON session (expires_us);
CREATE TABLE IF NOT EXISTS link (thing INTEGER PRIMARY KEY, user INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS link_by_user ON link (user);
CREATE TABLE IF NOT EXISTS share (
    thing INTEGER NOT NULL, resource TEXT NOT NULL, user INTEGER NOT NULL,
    granter INTEGER NOT NULL, flags INTEGER NOT NULL,
    PRIMARY KEY (thing, resource, user, granter)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS share_by_user ON share (user);
CREATE TABLE IF NOT EXISTS app_grant (
    account INTEGER NOT NULL, thing INTEGER NOT NULL, resource TEXT NOT NULL,
    flags INTEGER NOT NULL, PRIMARY KEY (account, thing, resource)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS confirmation (
    token TEXT PRIMARY KEY, account INTEGER NOT NULL, user INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS confirmation_by_account ON confirmation (account);
CREATE TABLE IF NOT EXISTS confirmation_item (
    token TEXT NOT NULL, thing INTEGER NOT NULL, resource TEXT NOT NULL, flags INTEGER NOT NULL,
    PRIMARY KEY (token, thing, resource)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS confirmation_by_thing ON confirmation_item (thing);
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, recipient TEXT NOT NULL, subject TEXT NOT NULL,
    text TEXT NOT NULL, path TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS object (
    app INTEGER NOT NULL, owner INTEGER NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL,
    document TEXT NOT NULL, PRIMARY KEY (app, owner, collection, id)
) WITHOUT ROWID;
"""
_SEQUENCE_BLOCK = 1 << 20  # sequence numbers claimed at once; a kill loses the rest of a block
_INSERT_VALUE = "INSERT INTO value VALUES (?, ?, ?, ?, ?)"

Row = tuple[str, int, str, str | None]  # key, unix ms, value as JSON, geo as JSON


def open_database(path: Path | None) -> sqlite3.Connection:
    """Open the state file, or a database in memory when there is none."""
    connection = connect(path)
    connection.execute("PRAGMA journal_mode = %s" % ("WAL" if path else "OFF"))
    # In a write-ahead log NORMAL survives the death of the process; FULL is for power cuts.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(_TABLES)
    return connection


class Thing(msgspec.Struct):
    """A thing as remembered: its number in the tables, and the numbers of its resources."""

    number: int
    thing_token: str
    thing_id: str
    product: str
    resources: dict[str, int]


class Store:
    """Things, values and states of one server."""

    def __init__(
        self, connection: sqlite3.Connection, *, show: Callable[[str], Any] = orjson.Fragment
    ) -> None:
        """``show`` turns stored JSON text into what answers carry: spliced in, or a value."""
        self.connection = connection
        self.show = show
        self._cursor = connection.cursor()
        self._things: dict[str, Thing] = {}
        self._sequence = self._sequence_end = 0

    def forget(self) -> None:
        """Remember nothing: the tables were rolled back."""
        self._things.clear()
        self._sequence = self._sequence_end = 0

    def one(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        row: tuple[Any, ...] | None = self.connection.execute(query, values).fetchone()
        return row

    def all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Every row."""
        return self.connection.execute(query, values).fetchall()

    def change(self, query: str, *values: Any) -> sqlite3.Cursor:
        """Run a statement that changes rows."""
        return self.connection.execute(query, values)

    def thing(self, thing_token: str) -> Thing | None:
        """The thing of that token."""
        thing = self._things.get(thing_token)
        return thing if thing is not None else self._remember(thing_token)

    def thing_of_id(self, thing_id: str) -> Thing | None:
        """The thing of that id."""
        row = self.one("SELECT thing_token FROM thing WHERE thing_id = ?", thing_id)
        return None if row is None else self.thing(row[0])

    def _remember(self, thing_token: str) -> Thing | None:
        row = self.one(
            "SELECT number, thing_token, thing_id, product FROM thing WHERE thing_token = ?",
            thing_token,
        )
        if row is None:
            return None
        resources = dict(self.all("SELECT key, number FROM resource WHERE thing = ?", row[0]))
        thing = self._things[thing_token] = Thing(row[0], row[1], row[2], row[3], resources)
        return thing

    def add_values(self, thing: Thing, rows: list[Row]) -> None:
        """Store rows in this order: of equal datetimes the later one counts as newer."""
        numbered = [
            (
                thing.resources.get(key) or self._resource(thing, key),
                unix_ms,
                self._next(),
                value,
                geo,
            )
            for key, unix_ms, value, geo in rows
        ]
        if len(numbered) == 1:
            self._cursor.execute(_INSERT_VALUE, numbered[0])
        else:
            self._cursor.executemany(_INSERT_VALUE, numbered)

    def _resource(self, thing: Thing, key: str) -> int:
        row = self.change("INSERT INTO resource VALUES (NULL, ?, ?)", thing.number, key)
        number = thing.resources[key] = int(row.lastrowid or 0)
        return number

    def _next(self) -> int:
        if self._sequence == self._sequence_end:
            self._claim()
        self._sequence += 1
        return self._sequence

    def _claim(self) -> None:
        row = self.one(
            "INSERT INTO counter VALUES ('sequence', ?) "
            "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value RETURNING value",
            _SEQUENCE_BLOCK,
        )
        self._sequence_end = int(row[0]) if row else 0
        self._sequence = self._sequence_end - _SEQUENCE_BLOCK

    def state(self, thing: Thing, name: str) -> str | None:
        """JSON text of a state such as ``$geo``, or None when never set."""
        row = self.one(
            "SELECT document FROM state WHERE thing = ? AND name = ?", thing.number, name
        )
        return None if row is None else str(row[0])

    def set_states(self, thing: Thing, states: Iterable[tuple[str, str]]) -> None:
        """Replace states by name."""
        for name, document in states:
            self.change("REPLACE INTO state VALUES (?, ?, ?)", thing.number, name, document)
