"""PingSlotChannelReq: where a device of class B listens in its slots."""

from __future__ import annotations

from simulators.lorawan.mac_commands import PingSlotChannelAns, PingSlotChannelReq
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.handling import Handling, remember
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted

_FREQUENCY, _RATE = "ping_slot_frequency", "ping_slot_data_rate_index_value"


def wanted(device: Device, now_us: int) -> list[Wanted]:
    """The request, for a device that knows class B."""
    if not device.document.get("supports_class_b"):
        return []
    state = device.mac_state
    current, desired = state["current_parameters"], state["desired_parameters"]
    if all(current.get(name) == desired.get(name) for name in (_FREQUENCY, _RATE)):
        return []
    frequency_hz = int(desired.get(_FREQUENCY, "0"))
    return [Wanted((PingSlotChannelReq(frequency_hz, desired.get(_RATE, 0)),))]


def handle(handling: Handling, command: PingSlotChannelAns) -> None:
    """Both, or nothing has changed."""
    is_accepted = command.frequency_ack and command.data_rate_index_ack
    handling.tell(f"ping_slot_channel.answer.{'accept' if is_accepted else 'reject'}", command)
    for request in handling.requests(command):
        values = request.get("ping_slot_channel_req", {})
        if is_accepted:
            remember(handling.current, {_FREQUENCY: values.get("frequency")})
            handling.current[_RATE] = values.get("data_rate_index", 0)
