"""
The storage integration: messages of applications, kept for some days.

Hosted deployments have it, the open source server has not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from simulators.platforms.things_stack.application_server.packages import STORAGE
from simulators.platforms.things_stack.database import Database

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS as_stored (
    number INTEGER PRIMARY KEY, application TEXT NOT NULL, device_id TEXT NOT NULL,
    kind TEXT NOT NULL, f_port INTEGER NOT NULL, received_us INTEGER NOT NULL,
    document BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS as_stored_by_time ON as_stored (application, kind, received_us);
CREATE INDEX IF NOT EXISTS as_stored_by_age ON as_stored (received_us);
"""
DAY_US = 86_400_000_000
RETENTION_US = 30 * DAY_US
_SWEEP_AFTER = 1000  # messages


class Stored(NamedTuple):
    """A message, when it came, and a number that tells it from others of that time."""

    received_us: int
    number: int
    up: Document


class Storage:
    """The rows; nothing is kept unless the deployment has the integration."""

    def __init__(self, stack: Stack, database: Database) -> None:
        self._stack = stack
        self._database = database
        self._since_sweep = 0

    def publish(self, tenant: str, application: str, kind: str, up: Document, now_us: int) -> None:
        """Keep a message if its device or application wants that."""
        device_id = up["end_device_ids"]["device_id"]
        if not self._stack.application.packages.is_on(application, device_id, STORAGE):
            return
        f_port = up[kind].get("f_port", 0)
        query = "INSERT INTO as_stored VALUES (NULL, ?, ?, ?, ?, ?, ?)"
        text = orjson.dumps(up)
        self._database.change(query, application, device_id, kind, f_port, now_us, text)
        self._since_sweep += 1
        if self._since_sweep >= _SWEEP_AFTER:
            self._since_sweep = 0
            query = "DELETE FROM as_stored WHERE received_us < ?"
            self._database.change(query, now_us - RETENTION_US)

    def find(
        self, where: str, values: list[Any], *, is_newest_first: bool, limit: int
    ) -> list[Stored]:
        """Messages that a condition in SQL is true for, at most ``limit``."""
        order = "DESC" if is_newest_first else "ASC"
        query = (
            f"SELECT received_us, number, document FROM as_stored WHERE {where} "
            f"ORDER BY received_us {order}, number {order} LIMIT ?"
        )
        rows = self._database.all(query, *values, limit)
        return [
            Stored(received_us, number, orjson.loads(text)) for received_us, number, text in rows
        ]

    def counts(self, where: str, values: list[Any]) -> dict[str, int]:
        """How many messages of each device a condition is true for."""
        query = f"SELECT device_id, count(*) FROM as_stored WHERE {where} GROUP BY device_id"
        return dict(self._database.all(query, *values))
