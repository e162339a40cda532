"""NewChannelReq: channels beside those that exist from the start."""

from __future__ import annotations

from typing import Any

from simulators.lorawan.mac_commands import NewChannelAns, NewChannelReq
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.handling import Handling, reject
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted

Document = dict[str, Any]

_RATES = ("min_data_rate_index", "max_data_rate_index")


def wanted(device: Device, now_us: int) -> list[Wanted]:
    """A request for each channel that is missing or another one."""
    return [Wanted((request,)) for request in missing(device)]


def missing(device: Device) -> list[NewChannelReq]:
    """The requests; none in a region whose channels are all given."""
    if device.region.is_fixed_plan:
        return []
    state = device.mac_state
    current = state["current_parameters"]["channels"]
    requests = []
    for index, channel in enumerate(state["desired_parameters"]["channels"]):
        if index < len(current) and _same(current[index], channel):
            continue
        if index < device.region.max_channels and not _is_rejected(state, channel):
            frequency_hz = int(channel.get("uplink_frequency", "0"))
            rates = [channel.get(name, 0) for name in _RATES]
            requests.append(NewChannelReq(index, frequency_hz, *rates))
    return requests


def _same(one: Document, other: Document) -> bool:
    return all(one.get(name) == other.get(name) for name in ("uplink_frequency", *_RATES))


def _is_rejected(state: Document, channel: Document) -> bool:
    frequency = channel.get("uplink_frequency", "0")
    if frequency in state.get("rejected_frequencies", ()):
        return True
    ranges = state.get("rejected_data_rate_ranges", {}).get(frequency, {}).get("ranges", ())
    return _range(channel) in ranges


def _range(channel: Document) -> Document:
    return {name: channel[name] for name in _RATES if channel.get(name)}


def handle(handling: Handling, command: NewChannelAns) -> None:
    """The channel is there and in use, or the device has no use for it."""
    is_accepted = command.frequency_ack and command.data_rate_ack
    handling.tell(f"new_channel.answer.{'accept' if is_accepted else 'reject'}", command)
    for request in handling.requests(command):
        values = request["new_channel_req"]
        if is_accepted:
            _add(handling.own_channels(), values)
        else:
            _reject(handling.device.mac_state, command, values)


def _add(channels: list[Document], values: Document) -> None:
    index, frequency = values.get("channel_index", 0), values.get("frequency", "0")
    while len(channels) <= index:
        channels.append({"downlink_frequency": frequency})
    if frequency == "0":
        channels[index].pop("enable_uplink", None)
        channels[index].pop("uplink_frequency", None)
        return
    channels[index] = {
        "uplink_frequency": frequency,
        "downlink_frequency": frequency,
        **_range(values),
        "enable_uplink": True,
    }


def _reject(state: Document, command: NewChannelAns, values: Document) -> None:
    frequency = values.get("frequency", "0")
    if frequency == "0":
        return
    if not command.frequency_ack:
        reject(state, "rejected_frequencies", frequency)
    if not command.data_rate_ack:
        kept = state.setdefault("rejected_data_rate_ranges", {})
        ranges = kept.setdefault(frequency, {"ranges": []})["ranges"]
        if _range(values) not in ranges:
            ranges.append(_range(values))
