"""What the Identity Server gets to know of devices that talk: since when, when last, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.application_server.device import Device
from simulators.platforms.things_stack.application_server.remembered import NOBODY

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

_FLUSH_US = 10_000_000
_MOST_SEEN = 5000  # devices, then they are told at once


class EndDeviceMetadata:
    """Tells at once what is new about a device, and together when devices were last seen."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._seen: dict[int, str] = {}  # by the numbers of their rows there
        self._is_planned = False

    def talked(self, device: Device, message: Document, received_at: str, now_us: int) -> None:
        """A device has sent an uplink: from its first one on it is activated."""
        if not device.is_activated:
            device.is_activated = True
            devices = self._stack.identity.devices
            if devices.activate(*_key(device), received_at, now_us):
                self._tell(device, message, "activated_at", now_us)
                return
        self.seen(device, received_at, now_us)

    def seen(self, device: Device, received_at: str, now_us: int) -> None:
        """A device has sent something that the network took at that time."""
        if not device.registration:
            device.registration = self._stack.identity.devices.number(*_key(device)) or NOBODY
        if device.registration == NOBODY:
            return
        self._seen[device.registration] = received_at
        if len(self._seen) >= _MOST_SEEN:
            self._flush()
        elif not self._is_planned:
            self._is_planned = True
            self._stack.agenda.at(now_us + _FLUSH_US, self._due)

    def located(self, device: Device, message: Document, locations: Document, now_us: int) -> None:
        """Keep where a device is, beside what others say of it."""
        if self._stack.identity.devices.locate(*_key(device), locations, now_us):
            device.locations = None
            self._tell(device, message, "locations", now_us)

    def _due(self, now_us: int) -> None:
        self._is_planned = False
        self._flush()

    def _flush(self) -> None:
        seen, self._seen = self._seen, {}
        self._stack.identity.devices.see(list(seen.items()))

    def gone(self, registration: int) -> None:
        """A device is registered no more: another one may get its number."""
        self._seen.pop(registration, None)

    def forget(self) -> None:
        """The database was rolled back: perhaps some were registered in vain."""
        self._seen.clear()

    def _tell(self, device: Device, message: Document, path: str, now_us: int) -> None:
        self._stack.events.publish(
            "end_device.update",
            {"device_ids": device.ids},
            [path],
            tenant=device.tenant,
            now_us=now_us,
            correlation_ids=message["correlation_ids"],
        )


def _key(device: Device) -> tuple[str, str, str]:
    """Its tenant, application and id."""
    return device.tenant, device.application_id, device.device_id
