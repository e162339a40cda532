"""The Network Server's part of the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.network_server import devices
from simulators.platforms.things_stack.network_server.mac_settings import default_settings
from simulators.platforms.things_stack.plans import plan, region_of

Document = dict[str, Any]


def generate_dev_addr(call: Call) -> Document:
    """An address for a device that does not join."""
    return {"dev_addr": call.stack.network.new_dev_addr()}


def get_prefixes(call: Call) -> Document:
    """Addresses that this server is responsible for."""
    return {"dev_addr_prefixes": [call.stack.policy.dev_addr_prefix]}


def get_net_id(call: Call) -> Document:
    """The number of the network."""
    return {"net_id": call.stack.policy.net_id}


def get_default_mac_settings(call: Call) -> Document:
    """What holds for a device of a plan and version that says nothing."""
    found = plan(call.message.get("frequency_plan_id", ""))
    version = call.message.get("lorawan_phy_version", "PHY_UNKNOWN")
    return default_settings(region_of(found["band_id"], version), found)


HANDLERS: dict[str, Callable[[Call], Document]] = {
    "Ns/GenerateDevAddr": generate_dev_addr,
    "Ns/GetDefaultMACSettings": get_default_mac_settings,
    "Ns/GetDeviceAddressPrefixes": get_prefixes,
    "Ns/GetNetID": get_net_id,
    "NsEndDeviceBatchRegistry/Delete": devices.delete_batch,
    "NsEndDeviceRegistry/Delete": devices.delete_device,
    "NsEndDeviceRegistry/Get": devices.get_device,
    "NsEndDeviceRegistry/ResetFactoryDefaults": devices.reset_factory_defaults,
    "NsEndDeviceRegistry/Set": devices.set_device,
}
