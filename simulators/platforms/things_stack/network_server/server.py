"""The Network Server's state: devices, whose settings and state are stored apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.device_table import DeviceRow, DeviceTable, table
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Downlink, Uplink

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

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

    def __init__(self, stack: Stack, database: Database) -> None:
        self._stack = stack
        self._database = database
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

    def handle_uplink(self, uplink: Uplink, now_us: int) -> None:
        """
        Take a frame that a gateway has heard.

        Raises:
            StackError: it is refused at once.
        """
        raise StackError("pkg/networkserver:device_not_found")

    def handle_tx_ack(self, downlink: Downlink, result: str, now_us: int) -> None:
        """A gateway has sent a downlink, or tells why it has not."""

    def push(
        self, tenant: str, application: str, device_id: str, items: list[Document], now_us: int
    ) -> None:
        """
        Add downlinks of an application to a device's queue.

        Raises:
            StackError: they do not fit, or not this device.
        """
        raise StackError("pkg/networkserver:device_not_found")

    def replace(
        self, tenant: str, application: str, device_id: str, items: list[Document], now_us: int
    ) -> None:
        """As ``push``, after emptying the queue."""
        raise StackError("pkg/networkserver:device_not_found")

    def queue(self, tenant: str, application: str, device_id: str) -> list[Document]:
        """The downlinks that wait, first the next one."""
        return []

    def resume(self, now_us: int) -> None:
        """Put into the agenda what was to be done when the process ended."""

    def forget(self) -> None:
        """The database was rolled back."""

    def new_dev_addr(self) -> str:
        """A random address within this server's prefix."""
        prefix, _, length = self._stack.policy.dev_addr_prefix.partition("/")
        free = 32 - int(length)
        return f"{int(prefix, 16) >> free << free | self._stack.rng.getrandbits(free):08X}"


def _columns(state: Document) -> Document:
    return {
        "state": orjson.dumps(state).decode() if state else None,
        "dev_addr": state.get("session", {}).get("dev_addr"),
        "pending_dev_addr": state.get("pending_session", {}).get("dev_addr"),
    }
