"""
A table that only grows at its end: of the rows of a number the newest counts.

What many devices change in turn is written side by side this way. In a table with one place for
each device every one of them would cost a page of the write-ahead log, however small its row.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from simulators.platforms.things_stack.database import Database

SLACK = 1000
TOGETHER = 32
EACH = 4  # of the oldest rows for each write: more than come, also while most of them still count

_GONE = b""


def table(name: str) -> str:
    """The SQL that makes a table."""
    return (
        f"CREATE TABLE IF NOT EXISTS {name} "
        "(seq INTEGER PRIMARY KEY, number INTEGER NOT NULL, value BLOB NOT NULL);\n"
    )


class NewestRows:
    """
    Values by number: like all rows they are part of the transaction that is open.

    Where the newest row of a number is, is known in memory: 8 bytes for each number up to the
    highest. Numbers may be used again: after ``delete`` there is a row without a value.
    """

    def __init__(
        self, database: Database, name: str, *, slack: int = SLACK, together: int = TOGETHER
    ) -> None:
        """
        Args:
            name: of a table that ``table`` has made.
            slack: rows that need not count, beside as many as there are that do.
            together: after so many writes the oldest rows are looked at.
        """
        self._connection = database.connection
        self._slack = slack
        self._together = together
        self._all = f"SELECT seq, number, length(value) FROM {name} ORDER BY seq"
        self._select = f"SELECT value FROM {name} WHERE seq = ?"
        self._lowest = f"SELECT min(seq) FROM {name}"
        self._add = f"INSERT INTO {name} VALUES (?, ?, ?)"
        self._oldest = f"SELECT seq, number, value FROM {name} WHERE seq < ?"
        self._delete = f"DELETE FROM {name} WHERE seq < ?"
        self.forget()

    def forget(self) -> None:
        """The database was rolled back: the rows are looked through when they are next needed."""
        self._is_known = False
        self._newest = array("Q")  # by number; 0: none
        self._first = self._next = 1
        self._living = 0
        self._written = 0  # since the oldest rows were looked at

    def know(self) -> None:
        """Find out where the newest rows are, which takes a while with many; at first use else."""
        if self._is_known:
            return
        self.forget()
        for seq, number, length in self._connection.execute(self._all):
            self._next = seq + 1
            self._note(number, seq)
            if not length:
                self._forgot(number)
        row = self._connection.execute(self._lowest).fetchone()
        self._first = row[0] or self._next
        self._is_known = True

    def __len__(self) -> int:
        """How many numbers have a value."""
        self.know()
        return self._living

    # --- values

    def read(self, number: int) -> bytes | None:
        """The value that was written last."""
        seq = self.seq(number)
        if not seq:
            return None
        value: bytes = self._connection.execute(self._select, (seq,)).fetchone()[0]
        return value

    def write(self, number: int, value: bytes) -> None:
        """Set a value, which has at least one byte."""
        self.know()
        self._insert(number, value)
        self._wrote(1)

    def write_all(self, values: Iterable[tuple[int, bytes]]) -> None:
        """Set many values, each of at least one byte."""
        self.know()
        self._wrote(self._insert_all(values))

    def delete(self, number: int) -> None:
        """Forget a value, for ever."""
        if self.seq(number):
            self._insert(number, _GONE)
            self._forgot(number)
            self._wrote(1)

    # --- rows

    def seq(self, number: int) -> int:
        """The row with a number's value; 0: it has none."""
        self.know()
        return self._newest[number] if number < len(self._newest) else 0

    def _insert(self, number: int, value: bytes) -> None:
        seq = self._next
        self._connection.execute(self._add, (seq, number, value))
        self._next = seq + 1
        self._note(number, seq)

    def _insert_all(self, values: Iterable[tuple[int, bytes]]) -> int:
        """How many there were."""
        rows = [(seq, *each) for seq, each in enumerate(values, self._next)]
        self._connection.executemany(self._add, rows)
        self._next += len(rows)
        for seq, number, _ in rows:
            self._note(number, seq)
        return len(rows)

    def _note(self, number: int, seq: int) -> None:
        missing = number + 1 - len(self._newest)
        if missing > 0:
            self._newest.frombytes(bytes(self._newest.itemsize * missing))
        self._living += not self._newest[number]
        self._newest[number] = seq

    def _forgot(self, number: int) -> None:
        self._newest[number] = 0
        self._living -= 1

    def _wrote(self, count: int) -> None:
        """
        Look at the oldest rows when there are too many: those that count go to the end.

        A row without a value is the oldest of its number when its turn comes: nothing that it
        could keep from coming back is left.
        """
        self._written += count
        if self._written < self._together:
            return
        end = min(self._first + EACH * self._written, self._next)
        self._written = 0
        if self._next - self._first <= 2 * self._living + self._slack:
            return
        rows = self._connection.execute(self._oldest, (end,))
        newest = self._newest
        self._insert_all([row[1:] for row in rows if newest[row[1]] == row[0]])
        self._connection.execute(self._delete, (end,))
        self._first = end
