"""
Many devices at once, past the API: what its calls would leave behind, without their checks.

For set-ups of loads; devices that do not join, all alike but for ids, address and keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simulators.platforms.things_stack.device_table import DeviceRow
from simulators.platforms.things_stack.identity.entities import uid
from simulators.platforms.things_stack.network_server.mac_settings import mac_state
from simulators.platforms.things_stack.plans import plan, region_of
from simulators.platforms.things_stack.stack import Stack
from simulators.platforms.things_stack.times import time_text

Document = dict[str, Any]


class BulkDevice(NamedTuple):
    """One device of 1.0.x; EUI and address in capital hex."""

    device_id: str
    dev_eui: str
    dev_addr: str
    nwk_s_key: bytes
    app_s_key: bytes


@dataclass(frozen=True)
class Kind:
    """What all of them have in common."""

    frequency_plan_id: str = "EU_863_870"
    lorawan_version: str = "MAC_V1_0_3"
    lorawan_phy_version: str = "PHY_V1_0_3_REV_A"
    mac_settings: Document = field(default_factory=dict)

    def settings(self) -> Document:
        """As the Network Server stores them."""
        settings: Document = {
            "frequency_plan_id": self.frequency_plan_id,
            "lorawan_version": self.lorawan_version,
            "lorawan_phy_version": self.lorawan_phy_version,
        }
        return settings | ({"mac_settings": self.mac_settings} if self.mac_settings else {})


def load(
    stack: Stack,
    application_id: str,
    devices: Iterable[BulkDevice],
    kind: Kind,
    *,
    now_us: int,
    tenant: str = "",
) -> None:
    """
    Add devices to an application that exists, on all servers; the caller commits.

    Raises:
        KeyError: there is no such application.
    """
    application = stack.identity.entities.find(tenant, "application", application_id)
    if application is None:
        raise KeyError(application_id)
    owner, now, settings = uid(tenant, application_id), time_text(now_us), kind.settings()
    band = plan(kind.frequency_plan_id)
    region = region_of(band["band_id"], kind.lorawan_phy_version)
    state = mac_state(settings, region, band)
    for each in devices:
        ids = {
            "device_id": each.device_id,
            "application_ids": {"application_id": application_id},
            "dev_eui": each.dev_eui,
        }
        document = {"ids": ids, "created_at": now, "updated_at": now}
        stack.identity.devices.add(tenant, application.number, document, now_us)
        row = DeviceRow(0, owner, each.device_id, document | settings)
        stack.network.write(tenant, row, {"session": _network(each, now), "mac_state": state})
        addressed = {**document, "ids": {**ids, "dev_addr": each.dev_addr}}
        row = DeviceRow(0, owner, each.device_id, addressed | {"session": _application(each)})
        stack.application.devices.write(tenant, row)


def _network(device: BulkDevice, now: str) -> Document:
    key = {"key": device.nwk_s_key.hex().upper()}
    keys = dict.fromkeys(("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key"), key)
    return {"dev_addr": device.dev_addr, "keys": keys, "started_at": now}


def _application(device: BulkDevice) -> Document:
    key = {"key": device.app_s_key.hex().upper()}
    return {"dev_addr": device.dev_addr, "keys": {"app_s_key": key}}
