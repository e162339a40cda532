"""RejoinParamSetupReq: when a device of 1.1 sends a rejoin request by itself."""

from __future__ import annotations

from simulators.lorawan.mac_commands import RejoinParamSetupAns, RejoinParamSetupReq
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.documents import (
    REJOIN_COUNTS,
    REJOIN_TIMES,
)
from simulators.platforms.things_stack.network_server.mac.handling import Handling, remember
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted

_COUNT, _TIME = "rejoin_count_periodicity", "rejoin_time_periodicity"


def wanted(device: Device, now_us: int) -> list[Wanted]:
    """The request, where one of both is not what it shall be."""
    state = device.mac_state
    current, desired = state["current_parameters"], state["desired_parameters"]
    same = all(current.get(name) == desired.get(name) for name in (_COUNT, _TIME))
    if same or device.version() < MacVersion.V1_1:
        return []
    count = REJOIN_COUNTS.index(desired.get(_COUNT, REJOIN_COUNTS[0]))
    time = REJOIN_TIMES.index(desired.get(_TIME, REJOIN_TIMES[0]))
    return [Wanted((RejoinParamSetupReq(count, time),))]


def handle(handling: Handling, command: RejoinParamSetupAns) -> None:
    """The count always holds; the time only where the device can tell it."""
    handling.tell("rejoin_param_setup.answer", command)
    for request in handling.requests(command):
        values = request.get("rejoin_param_setup_req", {})
        remember(handling.current, {_COUNT: values.get("max_count_exponent")})
        if command.max_time_exponent_ack:
            remember(handling.current, {_TIME: values.get("max_time_exponent")})
