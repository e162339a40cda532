"""MAC commands of devices: what each one changes, and what is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.lorawan.mac_commands import MacCommand
from simulators.platforms.things_stack.network_server.device import Device, UplinkInfo

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack


def handle_commands(
    stack: Stack, device: Device, commands: list[MacCommand], info: UplinkInfo, now_us: int
) -> None:
    """Carry out what an uplink that is not a repetition carries."""
