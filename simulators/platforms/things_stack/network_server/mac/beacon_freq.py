"""BeaconFreqReq: where a device of class B looks for beacons."""

from __future__ import annotations

from simulators.lorawan.mac_commands import BeaconFreqAns, BeaconFreqReq
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.handling import Handling, remember
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted

_NAME = "beacon_frequency"


def wanted(device: Device, now_us: int) -> list[Wanted]:
    """The request, for a device that knows class B."""
    state = device.mac_state
    desired = state["desired_parameters"].get(_NAME)
    is_same = state["current_parameters"].get(_NAME) == desired
    if is_same or not device.document.get("supports_class_b"):
        return []
    return [Wanted((BeaconFreqReq(int(desired or "0")),))]


def handle(handling: Handling, command: BeaconFreqAns) -> None:
    """The device looks there, or where it did before."""
    is_accepted = command.frequency_ack
    handling.tell(f"beacon_freq.answer.{'accept' if is_accepted else 'reject'}", command)
    for request in handling.requests(command):
        if is_accepted:
            values = request.get("beacon_freq_req", {})
            remember(handling.current, {_NAME: values.get("frequency")})
