"""DeviceTimeReq: the time at which the uplink ended."""

from __future__ import annotations

from simulators.lorawan.mac_commands import DeviceTimeReq
from simulators.platforms.things_stack.network_server.mac.documents import time_answer
from simulators.platforms.things_stack.network_server.mac.handling import Handling
from simulators.platforms.things_stack.times import unix_us


def handle(handling: Handling, command: DeviceTimeReq) -> None:
    """Answer with what a gateway with GPS saw, else with when the uplink came here."""
    handling.tell("device_time.request")
    info = handling.info
    seen = [each.metadata["gps_time"] for each in info.receptions if "gps_time" in each.metadata]
    handling.answer(time_answer(unix_us(seen[0]) if seen else info.received_us))
    handling.tell("device_time.answer")
