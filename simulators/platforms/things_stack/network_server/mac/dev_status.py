"""DevStatusReq: battery, and how well the device hears."""

from __future__ import annotations

from simulators.lorawan.mac_commands import DevStatusAns, DevStatusReq
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.handling import Handling, remember
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted
from simulators.platforms.things_stack.network_server.mac_settings import (
    STATUS_COUNT_PERIODICITY,
    STATUS_TIME_PERIODICITY,
)
from simulators.platforms.things_stack.times import parse_duration, time_text, unix_us

NEVER = 1 << 62
_EXTERNAL, _UNKNOWN, _FULL = 0, 255, 254


def due(device: Device) -> tuple[int, int]:
    """At which counter of uplinks and at which time the status is asked for next."""
    every = device.setting("status_count_periodicity", STATUS_COUNT_PERIODICITY)
    after_us = parse_duration(device.setting("status_time_periodicity", STATUS_TIME_PERIODICITY))
    after_us //= 1000
    last = device.state.get("last_dev_status_received_at")
    if last is None:
        return (0, 0) if every or after_us else (NEVER, NEVER)
    f_cnt = device.mac_state.get("last_dev_status_f_cnt_up", 0) + every if every else NEVER
    return f_cnt, unix_us(last) + after_us if after_us else NEVER


def wanted(device: Device, now_us: int) -> list[Wanted]:
    """The request, when it is time."""
    f_cnt, at_us = due(device)
    is_due = device.traffic.f_cnt_up >= f_cnt or now_us >= at_us
    return [Wanted((DevStatusReq(),))] if is_due else []


def handle(handling: Handling, command: DevStatusAns) -> None:
    """
    Note what the device tells.

    The stack takes the lower five bits of a negative margin for inverted: -1 becomes -32.
    """
    device = handling.device
    margin = command.margin if command.margin >= 0 else -33 - command.margin
    told = DevStatusAns(command.battery, margin)
    handling.tell("dev_status.answer", told)
    if not handling.requests(command):
        return
    state = device.state
    state.pop("battery_percentage", None)
    state.pop("power_state", None)
    if command.battery == _EXTERNAL:
        state["power_state"] = "POWER_EXTERNAL"
    elif command.battery != _UNKNOWN:
        state["power_state"] = "POWER_BATTERY"
        state["battery_percentage"] = (command.battery - 1) / (_FULL - 1)
    remember(state, {"downlink_margin": margin})
    state["last_dev_status_received_at"] = time_text(handling.info.received_us)
    remember(device.mac_state, {"last_dev_status_f_cnt_up": handling.info.f_cnt})
