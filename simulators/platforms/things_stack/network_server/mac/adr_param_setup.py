"""ADRParamSetupReq: after how many uplinks without an answer a device of 1.1 slows down."""

from __future__ import annotations

from simulators.lorawan.mac_commands import ADRParamSetupAns, ADRParamSetupReq
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.documents import (
    ADR_ACK_DELAYS,
    ADR_ACK_LIMITS,
)
from simulators.platforms.things_stack.network_server.mac.handling import Handling
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted

_LIMIT, _DELAY = "adr_ack_limit_exponent", "adr_ack_delay_exponent"


def wanted(device: Device, now_us: int) -> list[Wanted]:
    """The request, where one of both is not what it shall be."""
    state = device.mac_state
    current, desired = state["current_parameters"], state["desired_parameters"]
    same = all(current.get(name) == desired.get(name, current.get(name)) for name in _NAMES)
    if same or device.version() < MacVersion.V1_1:
        return []
    delay = ADR_ACK_DELAYS.index(desired.get(_DELAY, current.get(_DELAY, ADR_ACK_DELAYS[5])))
    limit = ADR_ACK_LIMITS.index(desired.get(_LIMIT, current.get(_LIMIT, ADR_ACK_LIMITS[6])))
    return [Wanted((ADRParamSetupReq(delay, limit),))]


_NAMES = (_LIMIT, _DELAY)


def handle(handling: Handling, command: ADRParamSetupAns) -> None:
    """The device counts like that."""
    handling.tell("adr_param_setup.answer")
    for request in handling.requests(command):
        values = request.get("adr_param_setup_req", {})
        handling.current[_LIMIT] = values.get(_LIMIT, ADR_ACK_LIMITS[0])
        handling.current[_DELAY] = values.get(_DELAY, ADR_ACK_DELAYS[0])
