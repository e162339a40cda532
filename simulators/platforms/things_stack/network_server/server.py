"""The Network Server's state: devices, whose settings and state are stored apart."""

from __future__ import annotations

import random
from typing import Any

import orjson

from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.device_table import DeviceRow, DeviceTable, table
from simulators.platforms.things_stack.policy import Policy

Document = dict[str, Any]

# What traffic changes; everything else changes only by calls of the API.
STATE = (
    "session", "pending_session", "mac_state", "pending_mac_state", "battery_percentage",
    "downlink_margin", "power_state", "last_dev_status_received_at",
)  # fmt: skip

TABLES = (
    table("ns_device", "state TEXT, dev_addr TEXT, pending_dev_addr TEXT,")
    + """
CREATE INDEX IF NOT EXISTS ns_device_address ON ns_device (dev_addr)
    WHERE dev_addr IS NOT NULL;
CREATE INDEX IF NOT EXISTS ns_device_pending ON ns_device (pending_dev_addr)
    WHERE pending_dev_addr IS NOT NULL;
"""
)


class NetworkServer:
    """Devices of all tenants, which share one space of addresses."""

    def __init__(self, database: Database, policy: Policy, rng: random.Random) -> None:
        self._database = database
        self._policy = policy
        self._rng = rng
        self.devices = DeviceTable(database, "ns_device")

    def state(self, number: int) -> Document:
        """The part of a device that traffic changes."""
        row = self._database.one("SELECT state FROM ns_device WHERE number = ?", number)
        return {} if row is None or row[0] is None else dict(orjson.loads(row[0]))

    def write(self, tenant: str, row: DeviceRow, state: Document) -> None:
        """Store a device with its state, and keep it findable by its addresses."""
        self.devices.write(tenant, row, _columns(state))

    def write_state(self, number: int, state: Document) -> None:
        """Store nothing but the state."""
        columns = _columns(state)
        self._database.change(
            "UPDATE ns_device SET state = ?, dev_addr = ?, pending_dev_addr = ? WHERE number = ?",
            *columns.values(),
            number,
        )

    def new_dev_addr(self) -> str:
        """A random address within this server's prefix."""
        prefix, _, length = self._policy.dev_addr_prefix.partition("/")
        free = 32 - int(length)
        return f"{int(prefix, 16) >> free << free | self._rng.getrandbits(free):08X}"


def _columns(state: Document) -> Document:
    return {
        "state": orjson.dumps(state).decode() if state else None,
        "dev_addr": state.get("session", {}).get("dev_addr"),
        "pending_dev_addr": state.get("pending_session", {}).get("dev_addr"),
    }
