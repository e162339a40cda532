"""PingSlotInfoReq: how often a device of class B listens."""

from __future__ import annotations

from simulators.lorawan.mac_commands import PingSlotInfoAns, PingSlotInfoReq
from simulators.platforms.things_stack.network_server.mac.documents import PING_PERIODS
from simulators.platforms.things_stack.network_server.mac.handling import Handling


def handle(handling: Handling, command: PingSlotInfoReq) -> None:
    """Take it, unless the device is in class B already: then it may not change."""
    handling.tell("ping_slot_info.request", command)
    state = handling.device.mac_state
    if state.get("device_class") == "CLASS_B":
        return
    state["ping_slot_periodicity"] = PING_PERIODS[command.periodicity]
    handling.answer(PingSlotInfoAns())
    handling.tell("ping_slot_info.answer")
