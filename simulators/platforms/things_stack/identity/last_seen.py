"""When devices were last seen, by the numbers of their rows; it changes with every uplink."""

from __future__ import annotations

from collections.abc import Sequence

from simulators.platforms.things_stack import newest_rows
from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.newest_rows import NewestRows

TABLES = newest_rows.table("is_seen")
AT = "(SELECT value FROM is_seen WHERE seq = is_seen_seq(is_device.number))"  # for ordering by it


class LastSeen:
    """Times in the form of answers, which sort as text."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = NewestRows(database, "is_seen")
        self._latest = ""  # no device was seen later; "": it has to be found out
        database.connection.create_function("is_seen_seq", 1, self._rows.seq)

    def read(self, number: int) -> str | None:
        """The time of one device."""
        value = self._rows.read(number)
        return None if value is None else value.decode()

    def write(self, number: int, seen_at: str | None) -> None:
        """Set the time of one device, or forget it."""
        if seen_at is None:
            self._rows.delete(number)
        else:
            self._rows.write(number, seen_at.encode())
            self._latest = self._latest and max(self._latest, seen_at)

    def note(self, seen: Sequence[tuple[int, str]]) -> None:
        """Set the times of many devices, but of none that was seen later."""
        latest = self._known_latest()
        # Nearly always a time is later than all others: what the device had need not be read.
        self._rows.write_all(
            (number, seen_at.encode())
            for number, seen_at in seen
            if seen_at >= latest or seen_at > (self.read(number) or "")
        )
        self._latest = max(latest, *(seen_at for _, seen_at in seen)) if seen else latest

    def _known_latest(self) -> str:
        if not self._latest:
            row = self._database.one("SELECT max(value) FROM is_seen")
            self._latest = row[0].decode() if row is not None and row[0] else ""
        return self._latest

    def resume(self) -> None:
        """Find out what is to be at hand when devices are seen."""
        self._rows.know()
        self._known_latest()

    def forget(self) -> None:
        """The database was rolled back."""
        self._rows.forget()
        self._latest = ""
