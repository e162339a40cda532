"""
Downlinks of applications that a gateway has taken and not yet told of.

They have left the queue, and gateways keep them in memory: when the process ends, nobody knows what
became of them. So each has a row for as long as that may be asked. Confirmed ones need none, the
device itself tells.
"""

from __future__ import annotations

from typing import NamedTuple

import orjson

from simulators.platforms.things_stack.agenda import Agenda, Ticket
from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.messages import Document

TABLES = """
CREATE TABLE IF NOT EXISTS ns_in_flight (
    name TEXT PRIMARY KEY, number INTEGER NOT NULL, item TEXT NOT NULL, told TEXT NOT NULL
);
"""
_UNTOLD_US = 5_000_000  # after its time a frame counts as sent by a gateway that tells nothing


class Lost(NamedTuple):
    """An item of which nothing is known any more; ``number`` is its device's."""

    number: int
    item: Document
    told: list[str]


class InFlight:
    """The rows; each is found by a correlation id that no other downlink has."""

    def __init__(self, database: Database, agenda: Agenda) -> None:
        self._database = database
        self._agenda = agenda
        self._tickets: dict[str, Ticket] = {}

    def add(self, name: str, lost: Lost, at_us: int) -> None:
        """An item will be sent at that time."""
        self._database.change(
            "REPLACE INTO ns_in_flight VALUES (?, ?, ?, ?)",
            name, lost.number, orjson.dumps(lost.item).decode(), orjson.dumps(lost.told).decode(),
        )  # fmt: skip
        self._tickets[name] = self._agenda.at(at_us + _UNTOLD_US, lambda _: self.remove(name))

    def remove(self, name: str) -> None:
        """It is known what became of it, or it will not be."""
        ticket = self._tickets.pop(name, None)
        if ticket is not None:
            ticket.cancel()
            self._database.change("DELETE FROM ns_in_flight WHERE name = ?", name)

    def take_all(self) -> list[Lost]:
        """Those of a process that has ended, in the order they were taken."""
        rows = self._database.all("SELECT number, item, told FROM ns_in_flight ORDER BY rowid")
        self._database.change("DELETE FROM ns_in_flight")
        return [Lost(number, orjson.loads(item), orjson.loads(told)) for number, item, told in rows]
