"""DlChannelReq: RX1 in another channel than the uplink's."""

from __future__ import annotations

from simulators.lorawan.mac_commands import DlChannelAns, DlChannelReq
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.handling import Handling, reject
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted


def wanted(device: Device, now_us: int) -> list[Wanted]:
    """A request for each channel that the device has and that is answered elsewhere."""
    if device.region.is_fixed_plan or device.version() < MacVersion.V1_0_2:
        return []
    state = device.mac_state
    rejected = state.get("rejected_frequencies", ())
    current = state["current_parameters"]["channels"]
    desired = state["desired_parameters"]["channels"]
    requests = []
    for index, (is_now, shall_be) in enumerate(zip(current, desired, strict=False)):
        frequency = shall_be.get("downlink_frequency", "0")
        is_there = is_now.get("uplink_frequency") == shall_be.get("uplink_frequency")
        if is_there and is_now.get("downlink_frequency") != frequency and frequency not in rejected:
            requests.append(Wanted((DlChannelReq(index, int(frequency)),)))
    return requests


def handle(handling: Handling, command: DlChannelAns) -> None:
    """Both bits, or nothing has changed."""
    is_accepted = command.frequency_ack and command.uplink_frequency_ack
    handling.tell(f"dl_channel.answer.{'accept' if is_accepted else 'reject'}", command)
    for request in handling.requests(command):
        values = request["dl_channel_req"]
        index, frequency = values.get("channel_index", 0), values["frequency"]
        if is_accepted and index < len(handling.current["channels"]):
            handling.own_channels()[index]["downlink_frequency"] = frequency
        elif not command.frequency_ack:
            reject(handling.device.mac_state, "rejected_frequencies", frequency)
