"""
MAC commands of the device that wait for its next uplink.

Most go out once; some are repeated in every uplink until something comes from the network.

Source: LoRaWAN 1.0.4, section 5 ("sticky" answers); LoRaWAN 1.1, sections 5.1, 5.9 and 5.14.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

F_OPTS_BYTES = 15
MOST_WAITING = 64  # a device has only so much memory for a network that asks without end


class Until(Enum):
    """How long a command is repeated."""

    SENT = "sent"
    DOWNLINK = "downlink"
    CONFIRMED = "confirmed"


# RXParamSetupAns, RXTimingSetupAns, DlChannelAns; LoRaMac-node repeats TxParamSetupAns and
# PingSlotChannelAns as well.
STICKY: dict[str, frozenset[int]] = {
    "spec": frozenset((0x05, 0x08, 0x0A)),
    "loramac-node": frozenset((0x05, 0x08, 0x0A, 0x09, 0x11)),
}
# ResetInd, RekeyInd, DeviceModeInd: until the command of the same number comes back.
INDICATIONS = frozenset((0x01, 0x0B, 0x20))


class Waiting(NamedTuple):
    """One command with its CID, and until when it is repeated."""

    command: bytes
    until: Until


class MacQueue:
    """The commands in the order in which they were put in."""

    __slots__ = ("_sticky", "_waiting")

    def __init__(self, sticky: frozenset[int]) -> None:
        self._sticky = sticky
        self._waiting: tuple[Waiting, ...] = ()

    def put(self, command: bytes) -> None:
        """Append a command: its CID and what follows; lost when too many wait already."""
        cid = command[0]
        if len(self._waiting) >= MOST_WAITING:
            return
        if cid in INDICATIONS:
            self.confirm(cid)
            until = Until.CONFIRMED
        else:
            until = Until.DOWNLINK if cid in self._sticky else Until.SENT
        self._waiting = (*self._waiting, Waiting(command, until))

    def __len__(self) -> int:
        """Bytes of all that waits."""
        return sum(len(each.command) for each in self._waiting)

    def take(self, room: int) -> bytes:
        """As many whole commands as fit, in their order; those to be repeated stay."""
        if not self._waiting:
            return b""
        taken = b""
        kept: list[Waiting] = []
        for number, each in enumerate(self._waiting):
            if len(taken) + len(each.command) > room:
                kept += self._waiting[number:]
                break
            taken += each.command
            if each.until is not Until.SENT:
                kept.append(each)
        self._waiting = tuple(kept)
        return taken

    def downlink_came(self) -> None:
        """The network has heard the sticky answers."""
        if self._waiting:
            self._waiting = tuple(
                each for each in self._waiting if each.until is not Until.DOWNLINK
            )

    def confirm(self, cid: int) -> None:
        """The network has confirmed an indication."""
        self._waiting = tuple(
            each
            for each in self._waiting
            if each.until is not Until.CONFIRMED or each.command[0] != cid
        )
