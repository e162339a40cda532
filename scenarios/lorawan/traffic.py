"""
What became of every data frame: of uplinks at the gateways, of downlinks at their nodes.

Listens to the medium and to what gateways tell of themselves. A frame is known by its address and
counter; repetitions are the same frame.
"""

from __future__ import annotations

from base64 import b64decode
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from simulators.lorawan.frames import FType
from simulators.radio.transmission import Reception, Transmission

Key = tuple[str, int]  # DevAddr, the 16 bits of the counter that are on air

REMEMBERED = 4096  # what gateways have sent on, until it is acknowledged; downlinks on air
UP = (FType.UNCONFIRMED_UP, FType.CONFIRMED_UP)
DOWN = (FType.UNCONFIRMED_DOWN, FType.CONFIRMED_DOWN)
SHORTEST = 12
HEADER = 8


@dataclass(slots=True)
class UplinkNote:
    """One uplink; ``losses`` say why each gateway did not get the last transmission of it."""

    node: str
    key: Key
    phy: bytes
    start_us: int
    end_us: int
    transmissions: int = 1
    heard_by: set[str] = field(default_factory=set)
    forwarded_us: int | None = None  # a server has acknowledged it
    losses: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class DownlinkNote:
    """
    One downlink on air; ``outcome``: received, a reason of the medium, or nothing at all.

    ``after_us``: how long after its node's last uplink it began, negative while that one lasted.
    """

    gateway: str
    node: str | None
    key: Key
    phy: bytes
    start_us: int
    end_us: int
    after_us: int | None = None
    is_drowned: bool = False  # its node sent an uplink of its own meanwhile
    outcome: str = ""

    @property
    def has_port(self) -> bool:
        """Whether it is the application's, or the network's on port 0."""
        return len(self.phy) > SHORTEST + (self.phy[5] & 0xF)


RECEIVED = "received"


class Traffic:
    """Notes of all data frames, in the order in which they were first on air."""

    def __init__(self) -> None:
        self.uplinks: dict[Key, UplinkNote] = {}
        self.downlinks: list[DownlinkNote] = []
        self._node_of: dict[str, str] = {}
        self._ended_us: dict[str, int] = {}  # the last uplink, by node
        self._on_air: OrderedDict[Transmission, DownlinkNote] = OrderedDict()
        self._pushed: OrderedDict[tuple[str, int], list[Key]] = OrderedDict()

    # What the medium tells.

    def transmitted(self, sent: Transmission) -> None:
        """A frame starts."""
        key = key_of(sent.payload)
        if key is None:
            return
        if sent.is_downlink:
            self._down(sent, key)
            return
        self._node_of[key[0]] = sent.sender
        self._ended_us[sent.sender] = sent.end_us
        note = self.uplinks.get(key)
        if note is None:
            self.uplinks[key] = UplinkNote(
                sent.sender, key, sent.payload, sent.start_us, sent.end_us
            )
        else:
            note.transmissions += 1
            note.end_us = sent.end_us
            note.losses.clear()
        self._disturb(sent)

    def heard(self, receiver: str, reception: Reception) -> None:
        """A receiver got a frame."""
        sent = reception.transmission
        if sent.is_downlink:
            self._down_ended(receiver, sent, RECEIVED)
        elif (note := self._uplink(sent.payload)) is not None:
            note.heard_by.add(receiver)

    def lost(self, receiver: str, sent: Transmission, reason: str) -> None:
        """It did not."""
        if sent.is_downlink:
            self._down_ended(receiver, sent, reason)
        elif (note := self._uplink(sent.payload)) is not None:
            note.losses[receiver] = reason

    def _uplink(self, phy: bytes) -> UplinkNote | None:
        key = key_of(phy)
        return None if key is None else self.uplinks.get(key)

    def _down(self, sent: Transmission, key: Key) -> None:
        node = self._node_of.get(key[0])
        note = DownlinkNote(sent.sender, node, key, sent.payload, sent.start_us, sent.end_us)
        ended_us = self._ended_us.get(node or "")
        note.after_us = None if ended_us is None else sent.start_us - ended_us
        self.downlinks.append(note)
        _remember(self._on_air, sent, note)

    def _disturb(self, sent: Transmission) -> None:
        """A node that sends hears nothing."""
        for note in reversed(self._on_air.values()):
            if note.end_us <= sent.start_us:
                break
            if note.node == sent.sender:
                note.is_drowned = True

    def _down_ended(self, receiver: str, sent: Transmission, outcome: str) -> None:
        note = self._on_air.get(sent)
        if note is None or note.node != receiver:
            return
        # A window that opens too late, after one that was busy with another frame, adds nothing.
        if outcome == RECEIVED or not note.outcome:
            note.outcome = outcome

    # What gateways tell.

    def pushed(self, gateway: str, token: int, packets: list[dict[str, Any]]) -> None:
        """A packet forwarder has sent frames on."""
        keys = [key for each in packets if (key := key_of(b64decode(each["data"]))) is not None]
        _remember(self._pushed, (gateway, token), keys)

    def acknowledged(self, gateway: str, token: int, now_us: int) -> None:
        """Its server has them."""
        for key in self._pushed.pop((gateway, token), ()):
            self._forwarded(key, now_us)

    def told(self, message: dict[str, Any], now_us: int) -> None:
        """A station has sent a data frame on: what it sent arrived, or the connection ends."""
        address, counter = message.get("DevAddr"), message.get("FCnt")
        if isinstance(address, int) and isinstance(counter, int):
            self._forwarded((f"{address & 0xFFFFFFFF:08x}", counter & 0xFFFF), now_us)

    def _forwarded(self, key: Key, now_us: int) -> None:
        note = self.uplinks.get(key)
        if note is not None and note.forwarded_us is None:
            note.forwarded_us = now_us


def key_of(phy: bytes) -> Key | None:
    """Address and counter of a data frame; None for anything else."""
    if len(phy) < SHORTEST or phy[0] >> 5 not in (*UP, *DOWN):
        return None
    return phy[4:0:-1].hex(), phy[6] | phy[7] << 8


def payload_of(phy: bytes) -> bytes:
    """FRMPayload of a data frame, as it was on air."""
    return phy[HEADER + (phy[5] & 0xF) + 1 : -4]


def _remember(table: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    table[key] = value
    if len(table) > REMEMBERED:
        table.popitem(last=False)
