"""The Network Server's state: devices, whose settings and state are stored apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.device_table import DeviceRow
from simulators.platforms.things_stack.messages import Downlink, Uplink
from simulators.platforms.things_stack.network_server.device_store import DeviceStore
from simulators.platforms.things_stack.network_server.downlinks import Downlinks
from simulators.platforms.things_stack.network_server.uplinks import Uplinks

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

# What traffic changes; everything else changes only by calls of the API.
STATE = (
    "session", "pending_session", "mac_state", "pending_mac_state", "battery_percentage",
    "downlink_margin", "power_state", "last_dev_status_received_at",
)  # fmt: skip


class NetworkServer:
    """Devices of all tenants, which share one space of addresses."""

    def __init__(self, stack: Stack, database: Database) -> None:
        self._stack = stack
        self.devices = DeviceStore(database)
        self._uplinks = Uplinks(stack, self.devices)
        self.downlinks = Downlinks(stack, database, self.devices)

    def state(self, number: int) -> Document:
        """The part of a device that traffic changes."""
        return self.devices.state(number)

    def write(self, tenant: str, row: DeviceRow, state: Document) -> None:
        """Store a device with its state, and keep it findable by its addresses."""
        self.devices.store(tenant, row, state)

    def handle_uplink(self, uplink: Uplink, now_us: int) -> None:
        """
        Take a frame that a gateway has heard.

        Raises:
            StackError: it is refused at once.
        """
        self._uplinks.handle(uplink, now_us)

    def handle_tx_ack(self, downlink: Downlink, result: str, now_us: int) -> None:
        """A gateway has sent a downlink, or tells why it has not."""
        self.downlinks.sent.handle_tx_ack(downlink, result, now_us)

    def push(
        self, tenant: str, application: str, device_id: str, items: list[Document], now_us: int
    ) -> None:
        """
        Add downlinks of an application to a device's queue.

        Raises:
            StackError: they do not fit, or not this device.
        """
        self.downlinks.push(application, device_id, items, now_us, replaces=False)

    def replace(
        self, tenant: str, application: str, device_id: str, items: list[Document], now_us: int
    ) -> None:
        """As ``push``, after emptying the queue."""
        self.downlinks.push(application, device_id, items, now_us, replaces=True)

    def queue(self, tenant: str, application: str, device_id: str) -> list[Document]:
        """
        The downlinks that wait, first the next one.

        Raises:
            StackError: there is no such device.
        """
        return self.downlinks.queue(application, device_id)

    def resume(self, now_us: int) -> None:
        """Put into the agenda what was to be done when the process ended."""
        self.devices.resume()
        self.downlinks.resume(now_us)

    def flush(self) -> None:
        """Write what has changed in memory; called before anything leaves."""
        self.devices.flush()

    def forget(self) -> None:
        """The database was rolled back."""
        self.devices.forget()
        self.downlinks.forget()

    def new_dev_addr(self) -> str:
        """A random address within this server's prefix."""
        prefix, _, length = self._stack.policy.dev_addr_prefix.partition("/")
        free = 32 - int(length)
        return f"{int(prefix, 16) >> free << free | self._stack.rng.getrandbits(free):08X}"
