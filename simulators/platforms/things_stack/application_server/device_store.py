"""The rows of the Application Server's devices, and those of them that are in memory."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.application_server.at_hand import AtHand
from simulators.platforms.things_stack.application_server.device import Device
from simulators.platforms.things_stack.application_server.remembered import NOTHING, Remembered
from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.device_table import DeviceRow, DeviceTable

Document = dict[str, Any]


class Devices(DeviceTable):
    """The table of devices, those of them that are at hand, and what is remembered of others."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "as_device")
        self.at_hand = AtHand()
        self.remembered = Remembered()

    def device(self, tenant: str, application: str, device_id: str) -> Device | None:
        """The device of that id, for working with its traffic."""
        key = _key(application, device_id)
        device = self.at_hand.get(key)
        if device is not None:
            return device
        said, traits = self.remembered.recall(key)
        row = None
        if traits is None:
            row = self.find(application, device_id)
            if row is None:
                return None
            self.remembered.add(key, row.document)
        device = Device(self, tenant, application, device_id, said=said, traits=traits, row=row)
        for left in self.at_hand.add(key, device, is_back=said != NOTHING):
            self._leave(*left)
        return device

    def _leave(self, key: str, device: Device) -> None:
        said = device.heard()
        if said != device.said:
            self.remembered.note(key, said)

    def save(self, device: Device) -> None:
        """Store what traffic has changed of a device."""
        super().write(device.tenant, device.row)
        self.remembered.changed(_key(device.application, device.device_id))

    def write(self, tenant: str, row: DeviceRow, columns: Document | None = None) -> None:
        """See DeviceTable."""
        super().write(tenant, row, columns or {})
        self._void(row)

    def delete(self, row: DeviceRow) -> None:
        """See DeviceTable."""
        super().delete(row)
        self._void(row)

    def _void(self, row: DeviceRow) -> None:
        key = _key(row.application, row.device_id)
        self.at_hand.drop(key)
        self.remembered.drop(key)

    def moved(self, application: str, device_id: str) -> None:
        """What the Identity Server has said of a device is true no more."""
        key = _key(application, device_id)
        device = self.at_hand.peek(key)
        if device is not None:
            device.hear(NOTHING)
        self.remembered.note(key, NOTHING)

    def forget(self) -> None:
        """The database was rolled back."""
        self.at_hand.clear()
        self.remembered.clear()


def _key(application: str, device_id: str) -> str:
    return f"{application}.{device_id}"  # no id has a dot
