"""
A server's own table of devices: documents, found by application and id, and by both EUIs.

Each server has one of its own under a name of its own, and may add columns to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.errors import StackError

Document = dict[str, Any]
NO_COLUMNS: Document = {}


def table(name: str, more: str = "") -> str:
    """The SQL that makes a table; ``more``: further columns, each followed by a comma."""
    return f"""
CREATE TABLE IF NOT EXISTS {name} (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, application TEXT NOT NULL,
    device_id TEXT NOT NULL, join_eui TEXT, dev_eui TEXT, document TEXT NOT NULL,
    {more} UNIQUE (application, device_id)
);
CREATE UNIQUE INDEX IF NOT EXISTS {name}_euis ON {name} (dev_eui, join_eui, tenant)
    WHERE dev_eui IS NOT NULL AND join_eui IS NOT NULL;
"""


@dataclass
class DeviceRow:
    """
    One row; ``number`` 0 when it is new.

    ``application`` is the application's id, unique over all tenants.
    """

    number: int
    application: str
    device_id: str
    document: Document


class DeviceTable:
    """The rows."""

    def __init__(self, database: Database, name: str) -> None:
        self.database = database
        self.name = name

    def find(self, application: str, device_id: str) -> DeviceRow | None:
        """The device of that id in an application."""
        row = self.database.one(
            f"SELECT number, document FROM {self.name} WHERE application = ? AND device_id = ?",
            application,
            device_id,
        )
        return None if row is None else DeviceRow(row[0], application, device_id, _loads(row[1]))

    def by_euis(self, tenant: str, join_eui: str, dev_eui: str) -> DeviceRow | None:
        """The device with both EUIs, in capitals."""
        row = self.database.one(
            f"SELECT number, application, device_id, document FROM {self.name} "
            "WHERE dev_eui = ? AND join_eui = ? AND tenant = ?",
            dev_eui,
            join_eui,
            tenant,
        )
        return None if row is None else DeviceRow(row[0], row[1], row[2], _loads(row[3]))

    def write(self, tenant: str, row: DeviceRow, columns: Document = NO_COLUMNS) -> None:
        """Add a row or replace it; its ids never change."""
        ids = row.document["ids"]
        values = {"document": orjson.dumps(row.document).decode(), **columns}
        if row.number:
            sets = ", ".join(f"{name} = ?" for name in values)
            query = f"UPDATE {self.name} SET {sets} WHERE number = ?"
            self.database.change(query, *values.values(), row.number)
            return
        values |= {
            "tenant": tenant,
            "application": row.application,
            "device_id": row.device_id,
            "join_eui": ids.get("join_eui"),
            "dev_eui": ids.get("dev_eui"),
        }
        marks = ", ".join("?" * len(values))
        query = f"INSERT INTO {self.name} ({', '.join(values)}) VALUES ({marks})"
        row.number = int(self.database.change(query, *values.values()).lastrowid or 0)

    def delete(self, row: DeviceRow) -> None:
        """Forget a row."""
        self.database.change(f"DELETE FROM {self.name} WHERE number = ?", row.number)

    def check_new(self, tenant: str, ids: Document) -> None:
        """
        Let no two devices have the same EUIs.

        Raises:
            StackError: ``end_device_euis_taken``.
        """
        join_eui, dev_eui = ids.get("join_eui"), ids.get("dev_eui")
        if not join_eui or not dev_eui:
            return
        other = self.by_euis(tenant, join_eui, dev_eui)
        if other is not None:
            attributes = {
                "join_eui": join_eui,
                "dev_eui": dev_eui,
                "device_id": other.device_id,
                "application_id": other.document["ids"]["application_ids"]["application_id"],
            }
            raise StackError("pkg/internal/registry:end_device_euis_taken", attributes)


def _loads(document: str) -> Document:
    loaded: Document = orjson.loads(document)
    return loaded


def check_same_euis(server: str, stored: Document, given: Document, paths: list[str]) -> None:
    """
    Let EUIs stay what they are.

    Args:
        server: ``joinserver``, as errors name it.
        stored, given: the ids.
    Raises:
        StackError: ``read_only_field``.
    """
    for name in ("join_eui", "dev_eui"):
        is_masked = f"ids.{name}" in paths or "ids" in paths
        if is_masked and stored.get(name) != given.get(name):
            raise StackError(f"pkg/{server}/redis:read_only_field", {"field": f"ids.{name}"})
