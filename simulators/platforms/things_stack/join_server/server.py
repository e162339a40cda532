"""The Join Server's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.device_table import DeviceTable, table
from simulators.platforms.things_stack.join_server import joins
from simulators.platforms.things_stack.messages import JoinAnswer, JoinRequest

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

TABLES = (
    table("js_device")
    + """
CREATE TABLE IF NOT EXISTS js_settings (
    application TEXT PRIMARY KEY, document TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS js_session (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, dev_eui TEXT NOT NULL,
    session_key_id TEXT NOT NULL, app_s_key BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS js_session_device ON js_session (dev_eui, session_key_id);
"""
)
_MOST_SESSIONS = 10  # of a device, whose keys can still be asked for


class JoinServer:
    """Devices with their root keys, and settings of applications."""

    def __init__(self, stack: Stack, database: Database) -> None:
        self._stack = stack
        self._database = database
        self.devices = DeviceTable(database, "js_device")

    def settings(self, application: str) -> Document | None:
        """Activation settings of an application."""
        row = self._database.one(
            "SELECT document FROM js_settings WHERE application = ?", application
        )
        return None if row is None else orjson.loads(row[0])

    def set_settings(self, application: str, document: Document) -> None:
        """Replace an application's activation settings."""
        text = orjson.dumps(document).decode()
        self._database.change("REPLACE INTO js_settings VALUES (?, ?)", application, text)

    def delete_settings(self, application: str) -> bool:
        """Forget an application's activation settings; False when there are none."""
        query = "DELETE FROM js_settings WHERE application = ?"
        return self._database.change(query, application).rowcount > 0

    def handle_join(self, request: JoinRequest, now_us: int) -> JoinAnswer:
        """
        Let a device in.

        Raises:
            StackError: why not.
        """
        return joins.handle(self._stack, request, now_us)

    def keep_session(self, tenant: str, dev_eui: str, answer: JoinAnswer) -> None:
        """Keep the application's key of a new session, and forget that of a very old one."""
        self._database.change(
            "INSERT INTO js_session (tenant, dev_eui, session_key_id, app_s_key) "
            "VALUES (?, ?, ?, ?)",
            tenant, dev_eui, answer.session_key_id, answer.keys.app_s_key,
        )  # fmt: skip
        self._database.change(
            "DELETE FROM js_session WHERE number IN (SELECT number FROM js_session "
            "WHERE dev_eui = ? AND tenant = ? ORDER BY number DESC LIMIT -1 OFFSET ?)",
            dev_eui, tenant, _MOST_SESSIONS,
        )  # fmt: skip

    def app_s_key(self, tenant: str, dev_eui: str, session_key_id: str) -> bytes | None:
        """The application session key of a session that began with a join."""
        row = self._database.one(
            "SELECT app_s_key FROM js_session "
            "WHERE dev_eui = ? AND session_key_id = ? AND tenant = ?",
            dev_eui, session_key_id, tenant,
        )  # fmt: skip
        return None if row is None else bytes(row[0])
