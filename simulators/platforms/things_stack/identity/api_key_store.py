"""API keys as rows: everything but the secret, of which there is a hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulators.platforms.things_stack import rights as sets
from simulators.platforms.things_stack.database import Database, Row
from simulators.platforms.things_stack.identity.entities import Page
from simulators.platforms.things_stack.times import time_text

Document = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS is_api_key (
    id TEXT NOT NULL, tenant TEXT NOT NULL, entity INTEGER NOT NULL, digest BLOB NOT NULL,
    name TEXT NOT NULL, rights INTEGER NOT NULL, created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL, expires_us INTEGER, PRIMARY KEY (id, tenant)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS is_api_key_by_entity ON is_api_key (entity, id);
"""
_COLUMNS = "id, entity, digest, name, rights, created_us, updated_us, expires_us"
ORDERS = {
    "api_key_id": "id", "name": "name", "created_at": "created_us", "expires_at": "expires_us",
}  # fmt: skip


@dataclass
class ApiKey:
    """One row; ``rights`` as they were given, without what they stand for."""

    id: str
    entity: int
    digest: bytes
    name: str
    rights: int
    created_us: int
    updated_us: int
    expires_us: int | None

    def document(self, *, rights: int | None = None) -> Document:
        """As the API shows it, without the secret."""
        document: Document = {"id": self.id}
        if self.name:
            document["name"] = self.name
        shown = sets.names(self.rights if rights is None else rights)
        if shown:
            document["rights"] = shown
        document["created_at"] = time_text(self.created_us)
        document["updated_at"] = time_text(self.updated_us)
        if self.expires_us is not None:
            document["expires_at"] = time_text(self.expires_us)
        return document


class ApiKeyStore:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, tenant: str, key_id: str) -> ApiKey | None:
        """The key of that id."""
        row = self._database.one(
            f"SELECT {_COLUMNS} FROM is_api_key WHERE id = ? AND tenant = ?", key_id, tenant
        )
        return None if row is None else ApiKey(*row)

    def page(self, entity: int, page: Page) -> tuple[list[ApiKey], int]:
        """A page of an entity's keys, and how many there are."""
        total = self._database.count("SELECT count(*) FROM is_api_key WHERE entity = ?", entity)
        query = f"SELECT {_COLUMNS} FROM is_api_key WHERE entity = ?{page.sql()}"
        rows: list[Row] = self._database.all(query, entity)
        return [ApiKey(*row) for row in rows], total

    def write(self, tenant: str, key: ApiKey) -> None:
        """Add a key or replace it."""
        self._database.change(
            f"REPLACE INTO is_api_key (tenant, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            tenant,
            key.id,
            key.entity,
            key.digest,
            key.name,
            key.rights,
            key.created_us,
            key.updated_us,
            key.expires_us,
        )

    def delete(self, tenant: str, key_id: str) -> None:
        """Forget a key."""
        self._database.change("DELETE FROM is_api_key WHERE id = ? AND tenant = ?", key_id, tenant)

    def purge(self, entity: int) -> None:
        """Forget all keys of an entity."""
        self._database.change("DELETE FROM is_api_key WHERE entity = ?", entity)
