"""ResetInd: a device of 1.1 without join has lost what the network told it."""

from __future__ import annotations

from simulators.lorawan.mac_commands import ResetConf, ResetInd
from simulators.platforms.things_stack.network_server.mac.handling import Handling
from simulators.platforms.things_stack.network_server.mac_settings import mac_state


def handle(handling: Handling, command: ResetInd) -> None:
    """Begin with the parameters of the start; who joins has no use for this command."""
    handling.tell("reset.indication", command)
    device = handling.device
    if device.document.get("supports_join"):
        return
    device.state["mac_state"] = mac_state(device.document, device.region, device.plan)
    answer = ResetConf(min(command.minor_version, 1))
    handling.answer(answer)
    handling.tell("reset.confirmation", answer)
