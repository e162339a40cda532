"""What the network asks devices for, in the order in which it goes into a downlink."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.lorawan.bit_fields import Layout
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.mac_commands import COMMANDS, MacCommand, cid_of, encode
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac import (
    adr_param_setup,
    beacon_freq,
    dev_status,
    dl_channel,
    duty_cycle,
    link_adr,
    new_channel,
    ping_slot_channel,
    rejoin_param_setup,
    rx_param_setup,
    rx_timing_setup,
    tx_param_setup,
)
from simulators.platforms.things_stack.network_server.mac.documents import cid_name
from simulators.platforms.things_stack.network_server.mac.handling import STICKY
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted

# Of the table's order only this matters to devices: channels are added before they are chosen.
SOURCES: tuple[Callable[[Device, int], list[Wanted]], ...] = (
    duty_cycle.wanted,
    tx_param_setup.wanted,
    rx_param_setup.wanted,
    new_channel.wanted,
    link_adr.wanted,
    rx_timing_setup.wanted,
    beacon_freq.wanted,
    ping_slot_channel.wanted,
    dl_channel.wanted,
    adr_param_setup.wanted,
    rejoin_param_setup.wanted,
    dev_status.wanted,
)
_ANSWER_SIZE = {row.cid: 1 + Layout(row.uplink).size for row in COMMANDS if row.uplink}


@dataclass
class Room:
    """Bytes for commands: of this downlink, and of the uplink that will answer it."""

    down: int
    up: int


@dataclass
class Collected:
    """The requests that fit, and whether others have to wait."""

    commands: list[MacCommand] = field(default_factory=list)
    is_complete: bool = True


def collect(device: Device, room: Room, now_us: int) -> Collected:
    """What is asked in one downlink; ``room`` shrinks by it."""
    found = Collected()
    for source in SOURCES:
        is_about_channels = source is link_adr.wanted and not found.is_complete
        if is_about_channels and new_channel.missing(device):
            continue  # masks could name channels that did not fit
        for each in source(device, now_us):
            if not _is_repeated(device, each):
                _add(found, each, room)
    return found


def is_anything(device: Device, now_us: int) -> bool:
    """Whether there is something to ask."""
    return any(
        not _is_repeated(device, each) for source in SOURCES for each in source(device, now_us)
    )


def _is_repeated(device: Device, wanted: Wanted) -> bool:
    """
    Whether the last uplink carried such an answer, which the device repeats till it hears us.

    The next one could be a repetition or mean the new request: so that one waits.
    """
    cid = cid_name(wanted.commands[0])
    if cid not in STICKY:
        return False
    return cid in device.mac_state.get("recent_mac_command_identifiers", ())


def _add(found: Collected, wanted: Wanted, room: Room) -> None:
    try:
        size = sum(len(encode(each)) for each in wanted.commands)
    except LoRaWanError:
        return  # a frequency, say, that a setting may have and no command can carry
    answer = wanted.answers * _ANSWER_SIZE[cid_of(wanted.commands[0])]
    if size > room.down or answer > room.up:
        found.is_complete = False
        return
    room.down -= size
    room.up -= answer
    found.commands += wanted.commands
