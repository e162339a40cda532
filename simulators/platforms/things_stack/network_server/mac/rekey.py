"""RekeyInd: a device of 1.1 uses the keys of its join."""

from __future__ import annotations

from simulators.lorawan.mac_commands import RekeyConf, RekeyInd
from simulators.platforms.things_stack.network_server.mac.handling import Handling


def handle(handling: Handling, command: RekeyInd) -> None:
    """Confirm, as often as it is told; the session has become the current one before."""
    handling.tell("rekey.indication", command)
    if not handling.device.document.get("supports_join"):
        return
    answer = RekeyConf(min(command.minor_version, 1))
    handling.answer(answer)
    handling.tell("rekey.confirmation", answer)
