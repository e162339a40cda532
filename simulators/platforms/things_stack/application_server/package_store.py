"""Which packages are switched on, as rows."""

from __future__ import annotations

from typing import Any, TypeAlias

import orjson

from simulators.platforms.things_stack.database import Database

Document = dict[str, Any]
Owner: TypeAlias = "tuple[str, str]"  # an application's unique id; "" or the id of a device

TABLES = """
CREATE TABLE IF NOT EXISTS as_package (
    application TEXT NOT NULL, device_id TEXT NOT NULL, f_port INTEGER NOT NULL,
    document TEXT NOT NULL, PRIMARY KEY (application, device_id, f_port)
) WITHOUT ROWID;
"""
_MOST_KEPT = 10_000  # applications
_WHERE = "WHERE application = ? AND device_id = ?"


class PackageStore:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Of applications with traffic, by device: nearly all of them have none.
        self._kept: dict[str, dict[str, frozenset[str]]] = {}

    def find(self, owner: Owner, f_port: int) -> Document | None:
        """One association."""
        query = f"SELECT document FROM as_package {_WHERE} AND f_port = ?"
        row = self._database.one(query, *owner, f_port)
        return None if row is None else orjson.loads(row[0])

    def all(self, owner: Owner) -> list[Document]:
        """All associations, by port."""
        query = f"SELECT document FROM as_package {_WHERE} ORDER BY f_port"
        return [orjson.loads(text) for (text,) in self._database.all(query, *owner)]

    def write(self, owner: Owner, f_port: int, association: Document) -> None:
        """Add or replace an association."""
        text = orjson.dumps(association).decode()
        self._database.change("REPLACE INTO as_package VALUES (?, ?, ?, ?)", *owner, f_port, text)
        self._changed(owner)

    def delete(self, owner: Owner, f_port: int) -> None:
        """Forget an association, if there is one."""
        query = f"DELETE FROM as_package {_WHERE} AND f_port = ?"
        self._database.change(query, *owner, f_port)
        self._changed(owner)

    def is_on(self, application: str, device_id: str, package: str) -> bool:
        """Whether a package is switched on for a device, or for its application."""
        names = self._kept.get(application)
        if names is None:
            names = self._names(application)
        return any(package in names[one] for one in ("", device_id) if one in names)

    def _names(self, application: str) -> dict[str, frozenset[str]]:
        """Names of packages by device, "" for all."""
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        query = "SELECT DISTINCT device_id FROM as_package WHERE application = ?"
        names = self._kept[application] = {}
        for (device_id,) in self._database.all(query, application):
            self._changed((application, device_id))
        return names

    def _changed(self, owner: Owner) -> None:
        application, device_id = owner
        names = self._kept.get(application)
        if names is None:
            return
        found = frozenset(one.get("package_name", "") for one in self.all(owner))
        if found:
            names[device_id] = found
        else:
            names.pop(device_id, None)

    def forget(self) -> None:
        """The database was rolled back."""
        self._kept.clear()
