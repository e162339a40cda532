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
_MOST_KEPT = 10_000  # applications and devices
_WHERE = "WHERE application = ? AND device_id = ?"


class PackageStore:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[Owner, frozenset[str]] = {}  # of those with traffic

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
        self._kept.pop(owner, None)
        text = orjson.dumps(association).decode()
        self._database.change("REPLACE INTO as_package VALUES (?, ?, ?, ?)", *owner, f_port, text)

    def delete(self, owner: Owner, f_port: int) -> None:
        """Forget an association, if there is one."""
        self._kept.pop(owner, None)
        query = f"DELETE FROM as_package {_WHERE} AND f_port = ?"
        self._database.change(query, *owner, f_port)

    def is_on(self, application: str, device_id: str, package: str) -> bool:
        """Whether a package is switched on for a device, or for its application."""
        return any(package in self._names((application, one)) for one in ("", device_id))

    def _names(self, owner: Owner) -> frozenset[str]:
        names = self._kept.get(owner)
        if names is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            names = frozenset(one.get("package_name", "") for one in self.all(owner))
            self._kept[owner] = names
        return names

    def forget(self) -> None:
        """The database was rolled back."""
        self._kept.clear()
