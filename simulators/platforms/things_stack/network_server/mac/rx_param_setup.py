"""RXParamSetupReq: where RX2 is, and how much slower RX1 answers."""

from __future__ import annotations

from simulators.lorawan.mac_commands import RXParamSetupAns, RXParamSetupReq
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.handling import (
    Handling,
    reject,
    remember,
)
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted

_NAMES = ("rx2_data_rate_index", "rx1_data_rate_offset", "rx2_frequency")


def wanted(device: Device, now_us: int) -> list[Wanted]:
    """The request, unless the device does not take the frequency."""
    state = device.mac_state
    current, desired = state["current_parameters"], state["desired_parameters"]
    if all(current.get(name) == desired.get(name) for name in _NAMES):
        return []
    frequency = desired.get("rx2_frequency", "0")
    if frequency in state.get("rejected_frequencies", ()):
        return []
    request = RXParamSetupReq(
        desired.get("rx2_data_rate_index", 0),
        desired.get("rx1_data_rate_offset", 0),
        int(frequency),
    )
    return [Wanted((request,))]


def handle(handling: Handling, command: RXParamSetupAns) -> None:
    """All of it holds, or nothing."""
    is_accepted = (
        command.rx2_frequency_ack
        and command.rx2_data_rate_index_ack
        and command.rx1_data_rate_offset_ack
    )
    handling.tell(f"rx_param_setup.answer.{'accept' if is_accepted else 'reject'}", command)
    for request in handling.requests(command):
        values = request["rx_param_setup_req"]
        if is_accepted:
            remember(handling.current, {name: values.get(name) for name in _NAMES})
        elif not command.rx2_frequency_ack:
            reject(handling.device.mac_state, "rejected_frequencies", values["rx2_frequency"])
