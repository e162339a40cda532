"""RXTimingSetupReq: how long after an uplink RX1 opens."""

from __future__ import annotations

from simulators.lorawan.mac_commands import RXTimingSetupAns, RXTimingSetupReq
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.handling import Handling, remember
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted


def wanted(device: Device, now_us: int) -> list[Wanted]:
    """The request, where the delay is not what it shall be; 0 and 1 are the same."""
    state = device.mac_state
    desired = state["desired_parameters"].get("rx1_delay") or 1
    if (state["current_parameters"].get("rx1_delay") or 1) == desired:
        return []
    return [Wanted((RXTimingSetupReq(desired),))]


def handle(handling: Handling, command: RXTimingSetupAns) -> None:
    """From this very uplink on the device waits so long."""
    handling.tell("rx_timing_setup.answer")
    for request in handling.requests(command):
        delay = request.get("rx_timing_setup_req", {}).get("delay", 0)
        remember(handling.current, {"rx1_delay": delay})
