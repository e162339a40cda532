"""End devices as the Identity Server knows them, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from simulators.platforms.things_stack.database import Database, Row
from simulators.platforms.things_stack.identity.entities import Page

Document = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS is_device (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, application INTEGER NOT NULL,
    device_id TEXT NOT NULL, join_eui TEXT, dev_eui TEXT, name TEXT NOT NULL,
    description TEXT NOT NULL, created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL,
    last_seen_at TEXT, document TEXT NOT NULL, UNIQUE (application, device_id)
);
CREATE UNIQUE INDEX IF NOT EXISTS is_device_euis ON is_device (dev_eui, join_eui, tenant)
    WHERE dev_eui IS NOT NULL AND join_eui IS NOT NULL;
CREATE INDEX IF NOT EXISTS is_device_located ON is_device (application, device_id)
    WHERE instr(document, '"locations":') > 0;
"""
ORDERS = {
    "device_id": "device_id", "join_eui": "join_eui", "dev_eui": "dev_eui", "name": "name",
    "description": "description", "created_at": "created_us", "last_seen_at": "last_seen_at",
}  # fmt: skip


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

    def find(self, application: int, device_id: str) -> DeviceRow | None:
        """The device of that id."""
        row = self._database.one(
            "SELECT number, application, device_id, document FROM is_device "
            "WHERE application = ? AND device_id = ?",
            application,
            device_id,
        )
        return None if row is None else _device(row)

    def locations(self, tenant: str, application_id: str, device_id: str) -> Document:
        """
        Where a device of an application is, by the names of who says so.

        Asked for every device that talks, and few have any: those have an index of their own.
        """
        row = self._database.one(
            "SELECT document FROM is_device WHERE device_id = ? "
            "AND instr(document, '\"locations\":') > 0 AND application IN (SELECT number "
            "FROM is_entity WHERE tenant = ? AND kind = 'application' AND id = ? "
            "AND deleted_us IS NULL)",
            device_id,
            tenant,
            application_id,
        )
        return {} if row is None else orjson.loads(row[0]).get("locations", {})

    def by_euis(self, tenant: str, join_eui: str, dev_eui: str) -> DeviceRow | None:
        """The device with both EUIs; without a JoinEUI nobody is found."""
        row = self._database.one(
            "SELECT number, application, device_id, document FROM is_device "
            "WHERE dev_eui = ? AND join_eui = ? AND tenant = ?",
            dev_eui,
            join_eui,
            tenant,
        )
        return None if row is None else _device(row)

    def count(self, application: int) -> int:
        """How many devices an application has."""
        return self._database.count(
            "SELECT count(*) FROM is_device WHERE application = ?", application
        )

    def page(
        self, application: int, page: Page, *, where: str = "", values: tuple[Any, ...] = ()
    ) -> tuple[list[Document], int]:
        """A page of an application's devices, and how many there are; ``where`` narrows them."""
        condition = f"FROM is_device WHERE application = ?{where}"
        total = self._database.count(f"SELECT count(*) {condition}", application, *values)
        query = f"SELECT document {condition}{page.sql('device_id')}"
        rows = self._database.all(query, application, *values)
        return [orjson.loads(document) for (document,) in rows], total

    def add(self, tenant: str, application: int, document: Document, now_us: int) -> None:
        """A new device."""
        ids = document["ids"]
        self._database.change(
            "INSERT INTO is_device VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            tenant,
            application,
            ids["device_id"],
            ids.get("join_eui"),
            ids.get("dev_eui"),
            document.get("name", ""),
            document.get("description", ""),
            now_us,
            now_us,
            document.get("last_seen_at"),
            orjson.dumps(document).decode(),
        )

    def write(self, number: int, document: Document, now_us: int) -> None:
        """Replace a device's contents; its ids stay."""
        self._database.change(
            "UPDATE is_device SET name = ?, description = ?, updated_us = ?, last_seen_at = ?, "
            "document = ? WHERE number = ?",
            document.get("name", ""),
            document.get("description", ""),
            now_us,
            document.get("last_seen_at"),
            orjson.dumps(document).decode(),
            number,
        )

    def delete(self, number: int) -> None:
        """Forget a device."""
        self._database.change("DELETE FROM is_device WHERE number = ?", number)


def _device(row: Row) -> DeviceRow:
    number, application, device_id, document = row
    return DeviceRow(number, application, device_id, orjson.loads(document))
