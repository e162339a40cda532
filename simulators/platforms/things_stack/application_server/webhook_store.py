"""Webhooks as rows, and those of them that want a kind of message."""

from __future__ import annotations

from typing import Any

import orjson

from simulators.platforms.things_stack.database import Database

Document = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS as_webhook (
    application TEXT NOT NULL, webhook_id TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (application, webhook_id)
) WITHOUT ROWID;
"""
_MOST_KEPT = 10_000  # applications


class WebhookStore:
    """The rows; applications by unique id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[str, list[Document]] = {}  # of applications with traffic

    def all(self, application: str) -> list[Document]:
        """All webhooks of an application, by id."""
        query = "SELECT document FROM as_webhook WHERE application = ? ORDER BY webhook_id"
        return [orjson.loads(text) for (text,) in self._database.all(query, application)]

    def wanting(self, application: str, kind: str) -> list[Document]:
        """Webhooks that shall be called for a kind of message; not to be changed."""
        kept = self._kept.get(application)
        if kept is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            kept = self._kept[application] = self.all(application)
        return [one for one in kept if kind in one and not one.get("paused")] if kept else kept

    def find(self, application: str, webhook_id: str) -> Document | None:
        """One webhook."""
        query = "SELECT document FROM as_webhook WHERE application = ? AND webhook_id = ?"
        row = self._database.one(query, application, webhook_id)
        return None if row is None else orjson.loads(row[0])

    def write(self, application: str, webhook_id: str, webhook: Document) -> None:
        """Add or replace a webhook."""
        self._kept.pop(application, None)
        text = orjson.dumps(webhook).decode()
        query = "REPLACE INTO as_webhook VALUES (?, ?, ?)"
        self._database.change(query, application, webhook_id, text)

    def delete(self, application: str, webhook_id: str) -> None:
        """Forget a webhook, if there is one."""
        self._kept.pop(application, None)
        query = "DELETE FROM as_webhook WHERE application = ? AND webhook_id = ?"
        self._database.change(query, application, webhook_id)

    def forget(self) -> None:
        """The database was rolled back."""
        self._kept.clear()
