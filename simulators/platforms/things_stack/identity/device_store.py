"""End devices as the Identity Server knows them, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from simulators.platforms.things_stack.database import Database, Row
from simulators.platforms.things_stack.identity import last_seen
from simulators.platforms.things_stack.identity.entities import Page
from simulators.platforms.things_stack.identity.last_seen import LastSeen
from simulators.platforms.things_stack.times import time_text

Document = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS is_device (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, application INTEGER NOT NULL,
    device_id TEXT NOT NULL, join_eui TEXT, dev_eui TEXT, name TEXT NOT NULL,
    description TEXT NOT NULL, created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL,
    document TEXT NOT NULL, UNIQUE (application, device_id)
);
CREATE UNIQUE INDEX IF NOT EXISTS is_device_euis ON is_device (dev_eui, join_eui, tenant)
    WHERE dev_eui IS NOT NULL AND join_eui IS NOT NULL;
CREATE INDEX IF NOT EXISTS is_device_located ON is_device (application, device_id)
    WHERE instr(document, '"locations":') > 0;
CREATE TABLE IF NOT EXISTS is_activity (
    device INTEGER PRIMARY KEY, activated_us INTEGER, activated_at TEXT
);
"""
TABLES += last_seen.TABLES
ORDERS = {
    "device_id": "device_id", "join_eui": "join_eui", "dev_eui": "dev_eui", "name": "name",
    "description": "description", "created_at": "created_us", "last_seen_at": last_seen.AT,
}  # fmt: skip
# What talking changes is kept apart: rows are small then.
_DEVICES = "is_device LEFT JOIN is_activity ON device = number"
_COLUMNS = "number, application, device_id, document, activated_us, activated_at"
UPDATED_US = "max(updated_us, ifnull(activated_us, 0))"
_APPLICATION = (
    "FROM is_entity WHERE tenant = ? AND kind = 'application' AND id = ? AND deleted_us IS NULL"
)
_WHOSE = f"device_id = ? AND application IN (SELECT number {_APPLICATION})"


@dataclass
class DeviceRow:
    """One row."""

    number: int
    application: int
    device_id: str
    document: Document


class DeviceStore:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen = LastSeen(database)

    def find(self, application: int, device_id: str) -> DeviceRow | None:
        """The device of that id."""
        row = self._database.one(
            f"SELECT {_COLUMNS} FROM {_DEVICES} WHERE application = ? AND device_id = ?",
            application,
            device_id,
        )
        return None if row is None else self._device(row)

    def locations(self, tenant: str, application_id: str, device_id: str) -> Document:
        """
        Where a device of an application is, by the names of who says so.

        Asked for every device that talks, and few have any: those have an index of their own.
        """
        row = self._database.one(
            "SELECT document FROM is_device INDEXED BY is_device_located "
            f"WHERE instr(document, '\"locations\":') > 0 AND {_WHOSE}",
            device_id,
            tenant,
            application_id,
        )
        return {} if row is None else orjson.loads(row[0]).get("locations", {})

    def by_euis(self, tenant: str, join_eui: str, dev_eui: str) -> DeviceRow | None:
        """The device with both EUIs; without a JoinEUI nobody is found."""
        row = self._database.one(
            f"SELECT {_COLUMNS} FROM {_DEVICES} WHERE dev_eui = ? AND join_eui = ? AND tenant = ?",
            dev_eui,
            join_eui,
            tenant,
        )
        return None if row is None else self._device(row)

    def count(self, application: int) -> int:
        """How many devices an application has."""
        return self._database.count(
            "SELECT count(*) FROM is_device WHERE application = ?", application
        )

    def page(
        self, application: int, page: Page, *, where: str = "", values: tuple[Any, ...] = ()
    ) -> tuple[list[Document], int]:
        """A page of an application's devices, and how many there are; ``where`` narrows them."""
        condition = f"FROM {_DEVICES} WHERE application = ?{where}"
        total = self._database.count(f"SELECT count(*) {condition}", application, *values)
        query = f"SELECT {_COLUMNS} {condition}{page.sql('device_id')}"
        rows = self._database.all(query, application, *values)
        return [self._device(row).document for row in rows], total

    def add(self, tenant: str, application: int, document: Document, now_us: int) -> None:
        """A new device."""
        ids = document["ids"]
        added = self._database.change(
            "INSERT INTO is_device VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            tenant,
            application,
            ids["device_id"],
            ids.get("join_eui"),
            ids.get("dev_eui"),
            document.get("name", ""),
            document.get("description", ""),
            now_us,
            now_us,
            orjson.dumps(document).decode(),
        )
        assert added.lastrowid is not None
        if "activated_at" in document:
            self._write_activated(added.lastrowid, document)
        self._seen.write(added.lastrowid, document.get("last_seen_at"))

    def write(self, number: int, document: Document, now_us: int) -> None:
        """Replace a device's contents; its ids stay."""
        self._database.change(
            "UPDATE is_device SET name = ?, description = ?, updated_us = ?, document = ? "
            "WHERE number = ?",
            document.get("name", ""),
            document.get("description", ""),
            now_us,
            orjson.dumps(document).decode(),
            number,
        )
        self._write_activated(number, document)
        self._seen.write(number, document.get("last_seen_at"))

    def _write_activated(self, number: int, document: Document) -> None:
        activated_at = document.get("activated_at")
        self._database.change("REPLACE INTO is_activity VALUES (?, NULL, ?)", number, activated_at)

    def activate(
        self, tenant: str, application_id: str, device_id: str, seen_at: str, now_us: int
    ) -> bool:
        """A device talks for the first time; False when it did before, or is not there."""
        row = self._database.one(
            f"INSERT INTO is_activity SELECT number, ?, ? FROM is_device WHERE {_WHOSE} "
            "ON CONFLICT (device) DO UPDATE SET activated_us = excluded.activated_us, "
            "activated_at = excluded.activated_at WHERE activated_at IS NULL RETURNING device",
            now_us, time_text(now_us), device_id, tenant, application_id,
        )  # fmt: skip
        if row is None:
            return False
        self._seen.note([(row[0], seen_at)])
        return True

    def number(self, tenant: str, application_id: str, device_id: str) -> int:
        """The row of a device, 0 without one; after ``delete`` another one may get its number."""
        query = f"SELECT number FROM is_device WHERE {_WHOSE}"
        return self._database.count(query, device_id, tenant, application_id)

    def see(self, seen: Sequence[tuple[int, str]]) -> None:
        """When devices, by the numbers of their rows, were last seen, unless that was later."""
        self._seen.note(seen)

    def locate(
        self, tenant: str, application_id: str, device_id: str, locations: Document, now_us: int
    ) -> bool:
        """Change where a device is, by the names of who says so; False when it is not there."""
        query = f"SELECT {_COLUMNS} FROM {_DEVICES} WHERE {_WHOSE}"
        row = self._database.one(query, device_id, tenant, application_id)
        if row is None:
            return False
        device = self._device(row)
        document = device.document
        document["locations"] = document.get("locations", {}) | locations
        document["updated_at"] = time_text(now_us)
        self.write(device.number, document, now_us)
        return True

    def delete(self, number: int) -> None:
        """Forget a device."""
        self._database.change("DELETE FROM is_device WHERE number = ?", number)
        self._database.change("DELETE FROM is_activity WHERE device = ?", number)
        self._seen.write(number, None)

    def resume(self) -> None:
        """Read what the first to be seen would have to wait for."""
        self._seen.resume()

    def forget(self) -> None:
        """The database was rolled back."""
        self._seen.forget()

    def _device(self, row: Row) -> DeviceRow:
        number, application, device_id, text, activated_us, activated_at = row
        document = orjson.loads(text)
        if activated_us is not None:  # since when nobody has written the document
            document["updated_at"] = time_text(activated_us)
        activity = {"activated_at": activated_at, "last_seen_at": self._seen.read(number)}
        document |= {name: value for name, value in activity.items() if value is not None}
        return DeviceRow(number, application, device_id, document)
