"""LinkADRReq: channels, data rate, power and repetitions, as one block."""

from __future__ import annotations

from typing import Any

from simulators.lorawan.mac_commands import LinkADRAns, LinkADRReq
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac import new_channel
from simulators.platforms.things_stack.network_server.mac.channel_masks import masks
from simulators.platforms.things_stack.network_server.mac.documents import command as command_of
from simulators.platforms.things_stack.network_server.mac.handling import (
    Handling,
    reject,
    remember,
)
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted

Document = dict[str, Any]

_RATE, _POWER, _REPEATS = "adr_data_rate_index", "adr_tx_power_index", "adr_nb_trans"
_KEEP = 15
_BAD_RATES, _BAD_POWERS = "rejected_adr_data_rate_indexes", "rejected_adr_tx_power_indexes"


def wanted(device: Device, now_us: int) -> list[Wanted]:
    """The block, where channels or what ADR sets are not what they shall be."""
    if device.document.get("multicast"):
        return []
    state = device.mac_state
    current, desired = state["current_parameters"], state["desired_parameters"]
    coming = sum(1 << each.channel_index for each in new_channel.missing(device))
    defined = _defined(current["channels"]) | coming
    is_on = _enabled(current["channels"]) | coming
    shall_be = _enabled(desired["channels"]) & defined
    repeats = desired.get(_REPEATS) or 1
    is_same = is_on == shall_be and repeats == (current.get(_REPEATS) or 1)
    values = _values(device, is_needed=not is_same)
    if not shall_be or values is None:
        return []
    version = device.version()
    block = masks(device.region, is_on, shall_be, defined)
    commands = tuple(
        LinkADRReq(values[1], values[0], mask, repeats, control) for control, mask in block
    )
    return [Wanted(commands, 1 if version >= MacVersion.V1_1 else len(commands))]


def _values(device: Device, *, is_needed: bool) -> tuple[int, int] | None:
    """
    Data rate and power to ask for; None when there is nothing to ask.

    What the device has rejected is not asked again; if there is more to say, it keeps what it has.
    """
    state = device.mac_state
    current, desired = state["current_parameters"], state["desired_parameters"]
    now = current.get(_RATE, 0), current.get(_POWER, 0)
    rate, power = desired.get(_RATE, 0), desired.get(_POWER, 0)
    is_rejected = rate in state.get(_BAD_RATES, ()) or power in state.get(_BAD_POWERS, ())
    if is_rejected:
        rate, power = now
    if (rate, power) == now and not is_needed:
        return None
    if device.version() >= MacVersion.V1_0_4:
        rate = _KEEP if rate == now[0] and _KEEP not in state.get(_BAD_RATES, ()) else rate
        power = _KEEP if power == now[1] and _KEEP not in state.get(_BAD_POWERS, ()) else power
    return rate, power


def _enabled(channels: list[Document]) -> int:
    return sum(1 << at for at, each in enumerate(channels) if each.get("enable_uplink"))


def _defined(channels: list[Document]) -> int:
    return sum(1 << at for at, each in enumerate(channels) if "uplink_frequency" in each)


def handle(handling: Handling, command: LinkADRAns) -> None:
    """
    All of a block holds, or nothing.

    Before 1.0.2 each request has its own answer; from then on one tells about the block, and its
    repetitions up to 1.0.4 say the same.
    """
    is_accepted = (
        command.channel_mask_ack and command.data_rate_index_ack and command.tx_power_index_ack
    )
    handling.tell(f"link_adr.answer.{'accept' if is_accepted else 'reject'}", command)
    is_block = handling.device.version() >= MacVersion.V1_0_2
    found = handling.requests(command, all_of_them=is_block)
    if not found:
        return
    requests = [each for each in map(command_of, found) if isinstance(each, LinkADRReq)]
    if is_accepted:
        _switch(handling, requests)
        _adopt(handling, requests[-1])
    else:
        _remember_rejected(handling.device.mac_state, command, requests[-1])


def _switch(handling: Handling, requests: list[LinkADRReq]) -> None:
    channels = handling.own_channels()
    enabled, defined = _enabled(channels), _defined(channels)
    for each in requests:
        after = handling.device.region.ch_mask(
            enabled, each.channel_mask_control, each.channel_mask, defined
        )
        enabled = enabled if after is None else after
    for number, channel in enumerate(channels):
        remember(channel, {"enable_uplink": bool(enabled >> number & 1)})


def _adopt(handling: Handling, request: LinkADRReq) -> None:
    """What the request names holds; what was heard before tells nothing of it."""
    current, keeps = handling.current, handling.device.version() >= MacVersion.V1_0_4
    told = {_RATE: request.data_rate_index, _POWER: request.tx_power_index}
    told = {name: value for name, value in told.items() if not (keeps and value == _KEEP)}
    remember(current, told)
    if request.nb_trans and current.get(_REPEATS) != request.nb_trans:
        told[_REPEATS] = current[_REPEATS] = request.nb_trans
    if told:
        changed = {"last_adr_change_f_cnt_up": handling.info.f_cnt}
        remember(handling.device.mac_state, changed)


def _remember_rejected(state: Document, command: LinkADRAns, request: LinkADRReq) -> None:
    if not command.data_rate_index_ack:
        reject(state, _BAD_RATES, request.data_rate_index)
    if not command.tx_power_index_ack:
        reject(state, _BAD_POWERS, request.tx_power_index)
