"""Adaptive data rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.platforms.things_stack.network_server.device import Device, UplinkInfo

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack


def note_uplink(stack: Stack, device: Device, info: UplinkInfo) -> None:
    """Look at an uplink that is not a repetition; it stands in ``device.traffic`` already."""
