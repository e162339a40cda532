"""Downlinks to devices: when there is one, and what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.platforms.things_stack.network_server.device import Device, UplinkInfo

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack


def after_uplink(stack: Stack, device: Device, info: UplinkInfo, now_us: int) -> None:
    """The windows of an uplink are open, also after a repetition."""
