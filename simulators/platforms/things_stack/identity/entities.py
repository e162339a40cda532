"""
Applications, gateways, clients, organizations and users as rows, and who collaborates on what.

A deleted entity keeps its row, and with it its id, until it is purged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from simulators.platforms.things_stack.database import Database, Row
from simulators.platforms.things_stack.times import unix_us

Document = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS is_entity (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, space TEXT NOT NULL, kind TEXT NOT NULL,
    id TEXT NOT NULL, document TEXT NOT NULL, created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL, deleted_us INTEGER,
    name TEXT NOT NULL DEFAULT '', eui TEXT, email TEXT, state TEXT, is_admin INTEGER,
    password TEXT, UNIQUE (tenant, space, id)
);
CREATE INDEX IF NOT EXISTS is_entity_by_id ON is_entity (tenant, kind, id);
CREATE INDEX IF NOT EXISTS is_entity_by_name ON is_entity (tenant, kind, name, id);
CREATE INDEX IF NOT EXISTS is_entity_by_age ON is_entity (tenant, kind, created_us, id);
CREATE UNIQUE INDEX IF NOT EXISTS is_entity_eui ON is_entity (tenant, eui)
    WHERE eui IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS is_entity_email ON is_entity (tenant, email)
    WHERE email IS NOT NULL;
CREATE INDEX IF NOT EXISTS is_entity_admin ON is_entity (tenant) WHERE is_admin;
CREATE TABLE IF NOT EXISTS is_membership (
    account INTEGER NOT NULL, entity INTEGER NOT NULL, rights INTEGER NOT NULL,
    PRIMARY KEY (account, entity)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS is_membership_by_entity ON is_membership (entity, account);
CREATE TABLE IF NOT EXISTS is_counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
_COLUMNS = "number, tenant, kind, id, document, deleted_us"
_QUALIFIED = ", ".join(f"is_entity.{name}" for name in _COLUMNS.split(", "))


@dataclass
class Entity:
    """One row."""

    number: int
    tenant: str
    kind: str
    id: str
    document: Document
    deleted_us: int | None

    @property
    def uid(self) -> str:
        """Its id, unique over all tenants."""
        return uid(self.tenant, self.id)


@dataclass(frozen=True)
class Page:
    """Which part of a list: a column to order by, and rows from an offset on."""

    column: str
    is_descending: bool
    limit: int
    offset: int

    def sql(self, tie: str = "id") -> str:
        """The end of a query."""
        way = "DESC" if self.is_descending else "ASC"
        order = f"{self.column} {way}" + ("" if self.column == tie else f", {tie}")
        return f" ORDER BY {order} LIMIT {self.limit} OFFSET {self.offset}"


def uid(tenant: str, entity_id: str) -> str:
    """An id that is unique over all tenants."""
    return f"{entity_id}@{tenant}" if tenant else entity_id


class Entities:
    """The rows of every kind."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- entities

    def find(
        self, tenant: str, kind: str, entity_id: str, *, deleted: bool | None = False
    ) -> Entity | None:
        """The entity of that id; ``deleted``: True wants a deleted one, None takes either."""
        row = self._database.one(
            f"SELECT {_COLUMNS} FROM is_entity WHERE tenant = ? AND kind = ? AND id = ?",
            tenant,
            kind,
            entity_id,
        )
        if row is None or (deleted is not None and (row[5] is not None) != deleted):
            return None
        return _entity(row)

    def by_number(self, number: int) -> Entity | None:
        """The entity of that row, unless it is deleted."""
        row = self._database.one(f"SELECT {_COLUMNS} FROM is_entity WHERE number = ?", number)
        return None if row is None or row[5] is not None else _entity(row)

    def by_eui(self, tenant: str, eui: str) -> Entity | None:
        """The gateway with that EUI."""
        row = self._database.one(
            f"SELECT {_COLUMNS} FROM is_entity WHERE tenant = ? AND eui = ?", tenant, eui
        )
        return None if row is None else _entity(row)

    def has_email(self, tenant: str, email: str, *, but: int = 0) -> bool:
        """Whether a user other than ``but`` has that address."""
        query = "SELECT 1 FROM is_entity WHERE tenant = ? AND email = ? AND number <> ?"
        return self._database.one(query, tenant, email.lower(), but) is not None

    def is_taken(self, tenant: str, space: str, entity_id: str) -> bool:
        """Whether an id is in use, be it by something deleted."""
        query = "SELECT 1 FROM is_entity WHERE tenant = ? AND space = ? AND id = ?"
        return self._database.one(query, tenant, space, entity_id) is not None

    def add(self, tenant: str, space: str, kind: str, entity_id: str, created_us: int) -> int:
        """A new row, still without contents; its number."""
        row = self._database.change(
            "INSERT INTO is_entity (tenant, space, kind, id, document, created_us, updated_us) "
            "VALUES (?, ?, ?, ?, '{}', ?, ?)",
            tenant,
            space,
            kind,
            entity_id,
            created_us,
            created_us,
        )
        return int(row.lastrowid or 0)

    def write(self, number: int, document: Document, columns: Document) -> None:
        """Replace an entity's contents; ``columns`` are those its kind is found by."""
        email = columns.get("email")
        self._database.change(
            "UPDATE is_entity SET document = ?, updated_us = ?, name = ?, eui = ?, email = ?, "
            "state = ?, is_admin = ? WHERE number = ?",
            orjson.dumps(document).decode(),
            unix_us(document["updated_at"]),
            document.get("name", ""),
            columns.get("eui"),
            email.lower() if email else None,
            columns.get("state"),
            columns.get("is_admin"),
            number,
        )

    def mark_deleted(self, number: int, deleted_us: int | None) -> None:
        """Delete, or restore with None."""
        self._database.change(
            "UPDATE is_entity SET deleted_us = ? WHERE number = ?", deleted_us, number
        )

    def purge(self, number: int) -> None:
        """Forget an entity and everything that hangs on its row."""
        self._database.change(
            "DELETE FROM is_membership WHERE entity = ? OR account = ?", number, number
        )
        self._database.change("DELETE FROM is_entity WHERE number = ?", number)

    def admins(self, tenant: str) -> int:
        """How many users are admins."""
        query = (
            "SELECT count(*) FROM is_entity WHERE tenant = ? AND is_admin AND deleted_us IS NULL"
        )
        return self._database.count(query, tenant)

    def password(self, number: int) -> str:
        """The stored form of a user's password, "" when there is none."""
        row = self._database.one("SELECT password FROM is_entity WHERE number = ?", number)
        return str(row[0]) if row is not None and row[0] else ""

    def set_password(self, number: int, text: str) -> None:
        """Replace a user's password."""
        self._database.change("UPDATE is_entity SET password = ? WHERE number = ?", text, number)

    # --- lists

    def page(
        self, tenant: str, kind: str, page: Page, *, where: str = "", values: tuple[Any, ...] = ()
    ) -> tuple[list[Entity], int]:
        """A page of all entities of a kind, and how many there are; ``where`` narrows them."""
        condition = f"FROM is_entity WHERE tenant = ? AND kind = ?{where}"
        total = self._database.count(f"SELECT count(*) {condition}", tenant, kind, *values)
        query = f"SELECT {_COLUMNS} {condition}{page.sql()}"
        return [_entity(row) for row in self._database.all(query, tenant, kind, *values)], total

    def page_of(
        self,
        accounts: list[int],
        kind: str,
        page: Page,
        *,
        where: str = "",
        values: tuple[Any, ...] = (),
    ) -> tuple[list[Entity], int]:
        """The same of what these accounts collaborate on."""
        marks = ", ".join("?" * len(accounts))
        condition = (
            f"FROM is_entity WHERE number IN (SELECT entity FROM is_membership "
            f"WHERE account IN ({marks})) AND kind = ?{where}"
        )
        total = self._database.count(f"SELECT count(*) {condition}", *accounts, kind, *values)
        query = f"SELECT {_COLUMNS} {condition}{page.sql()}"
        rows = self._database.all(query, *accounts, kind, *values)
        return [_entity(row) for row in rows], total

    # --- memberships

    def rights(self, account: int, entity: int) -> int:
        """Rights that an account was given on an entity, as they are stored."""
        query = "SELECT rights FROM is_membership WHERE account = ? AND entity = ?"
        return self._database.count(query, account, entity)

    def set_rights(self, account: int, entity: int, rights: int) -> None:
        """Give an account rights on an entity; with none it is no collaborator any more."""
        if rights:
            self._database.change(
                "REPLACE INTO is_membership VALUES (?, ?, ?)", account, entity, rights
            )
        else:
            self._database.change(
                "DELETE FROM is_membership WHERE account = ? AND entity = ?", account, entity
            )

    def chains(self, account: int, entity: int) -> list[tuple[int, int]]:
        """Organizations in between: the account's rights on each, and its rights on the entity."""
        query = (
            "SELECT mine.rights, theirs.rights FROM is_membership AS mine "
            "JOIN is_membership AS theirs ON theirs.account = mine.entity "
            "JOIN is_entity AS organization ON organization.number = mine.entity "
            "WHERE mine.account = ? AND theirs.entity = ? AND organization.deleted_us IS NULL"
        )
        return [(mine, theirs) for mine, theirs in self._database.all(query, account, entity)]

    def organizations(self, account: int) -> list[int]:
        """Organizations that an account is a member of."""
        query = (
            "SELECT entity FROM is_membership JOIN is_entity ON number = entity "
            "WHERE account = ? AND kind = 'organization' AND deleted_us IS NULL"
        )
        return [number for (number,) in self._database.all(query, account)]

    def collaborators(self, entity: int) -> list[tuple[Entity, int]]:
        """Accounts with their rights, by id."""
        query = (
            f"SELECT {_QUALIFIED}, rights FROM is_membership JOIN is_entity ON number = account "
            "WHERE entity = ? AND deleted_us IS NULL ORDER BY id"
        )
        return [(_entity(row[:6]), row[6]) for row in self._database.all(query, entity)]

    # --- numbers that only grow

    def count_up(self, name: str) -> int:
        """The next number of that name, from 0 on."""
        row = self._database.one(
            "INSERT INTO is_counter VALUES (?, 1) "
            "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            name,
        )
        return int(row[0]) - 1 if row is not None else 0


def _entity(row: Row) -> Entity:
    number, tenant, kind, entity_id, document, deleted_us = row
    return Entity(number, tenant, kind, entity_id, orjson.loads(document), deleted_us)
