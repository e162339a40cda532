"""What is to be registered: devices and gateways, as values that hold the words of the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class DeviceEntry:
    """
    One end device.

    ``root_keys`` by their names in the API, for a device that joins; ``session_keys`` for one that
    does not: its address comes from the network. ``frequencies_hz``: every uplink channel that such
    a device has from the factory. ``mac_settings`` and ``formatters`` are set besides.
    """

    device_id: str
    dev_eui: str
    join_eui: str
    lorawan_version: str
    lorawan_phy_version: str
    root_keys: dict[str, str] = field(default_factory=dict, repr=False)
    session_keys: dict[str, str] = field(default_factory=dict, repr=False)
    device_class: str = "A"
    ping_slot_periodicity: str = ""
    frequencies_hz: tuple[int, ...] = ()
    mac_settings: Document = field(default_factory=dict)
    formatters: dict[str, str] = field(default_factory=dict)

    @property
    def joins(self) -> bool:
        """Whether it joins over the air."""
        return bool(self.root_keys)

    def ids(self) -> Document:
        """Its identifiers; without a JoinEUI where it joins nothing."""
        ids = {"device_id": self.device_id, "dev_eui": self.dev_eui.upper()}
        return ids | ({"join_eui": self.join_eui.upper()} if self.joins else {})


@dataclass(frozen=True)
class GatewayEntry:
    """One gateway; ``needs_key``: it has to show an API key when it connects."""

    gateway_id: str
    eui: str
    needs_key: bool = False
    enforces_duty_cycle: bool = False


@dataclass(frozen=True)
class Inventory:
    """
    All that a run needs, under its prefix; ``owner`` is ``users/…`` or ``organizations/…``.

    ``webhook``: where the application's messages shall be posted to; empty: nowhere.
    """

    prefix: str
    owner: str
    application_id: str
    frequency_plan_id: str
    devices: tuple[DeviceEntry, ...] = ()
    gateways: tuple[GatewayEntry, ...] = ()
    webhook: str = ""
