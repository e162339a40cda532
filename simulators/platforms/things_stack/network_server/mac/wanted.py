"""What the network has to ask a device: commands that belong together, and their answers."""

from __future__ import annotations

from typing import NamedTuple

from simulators.lorawan.mac_commands import MacCommand


class Wanted(NamedTuple):
    """
    Requests that are sent in one frame or not at all.

    ``answers`` is the number of commands that the device answers with.
    """

    commands: tuple[MacCommand, ...]
    answers: int = 1
