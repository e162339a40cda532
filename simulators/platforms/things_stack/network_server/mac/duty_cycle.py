"""DutyCycleReq: how much of the time a device may send, over all channels."""

from __future__ import annotations

from simulators.lorawan.mac_commands import DutyCycleAns, DutyCycleReq
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.documents import DUTY_CYCLES
from simulators.platforms.things_stack.network_server.mac.handling import Handling, remember
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted

_NAME, _NONE = "max_duty_cycle", DUTY_CYCLES[0]


def wanted(device: Device, now_us: int) -> list[Wanted]:
    """The request, where the limit is not what it shall be."""
    state = device.mac_state
    desired = state["desired_parameters"].get(_NAME, _NONE)
    if state["current_parameters"].get(_NAME, _NONE) == desired:
        return []
    return [Wanted((DutyCycleReq(DUTY_CYCLES.index(desired)),))]


def handle(handling: Handling, command: DutyCycleAns) -> None:
    """The device keeps to it."""
    handling.tell("duty_cycle.answer")
    for request in handling.requests(command):
        value = request.get("duty_cycle_req", {}).get(_NAME)
        remember(handling.current, {_NAME: value})
