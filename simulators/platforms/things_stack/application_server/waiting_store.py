"""Messages that wait for a script, as rows: a kill must not lose what was taken already."""

from __future__ import annotations

from typing import Any

import orjson

from simulators.platforms.things_stack.database import Database

Document = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS as_waiting (
    number INTEGER PRIMARY KEY, is_begun INTEGER NOT NULL, document BLOB NOT NULL
);
"""


class WaitingStore:
    """
    The rows, in the order in which messages came.

    What is begun has changed all that it changes, and waits for its own script; the rest waits for
    its turn.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last = database.count("SELECT coalesce(max(number), 0) FROM as_waiting")

    def add(self, document: Document, *, is_begun: bool) -> int:
        """Keep a message; its number is not used again."""
        self._last += 1
        query = "INSERT INTO as_waiting VALUES (?, ?, ?)"
        self._database.change(query, self._last, is_begun, orjson.dumps(document))
        return self._last

    def begin(self, number: int) -> None:
        """It is a message's turn, and it waits for its own script."""
        self._database.change("UPDATE as_waiting SET is_begun = 1 WHERE number = ?", number)

    def drop(self, number: int) -> None:
        """A message has gone where it goes."""
        self._database.change("DELETE FROM as_waiting WHERE number = ?", number)

    def take_all(self) -> list[tuple[bool, Document]]:
        """Everything that an earlier process left, which is then no longer kept."""
        query = "SELECT is_begun, document FROM as_waiting ORDER BY number"
        rows = self._database.all(query)
        self._database.change("DELETE FROM as_waiting")
        return [(bool(is_begun), orjson.loads(text)) for is_begun, text in rows]
