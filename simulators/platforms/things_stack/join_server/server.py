"""The Join Server's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.device_table import DeviceTable, table
from simulators.platforms.things_stack.errors import StackError
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
"""
)


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
        raise StackError("pkg/joinserver:device_not_found")

    def app_s_key(self, tenant: str, dev_eui: str, session_key_id: str) -> bytes | None:
        """The application session key of a session that began with a join."""
        return None
