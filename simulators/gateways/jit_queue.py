"""
The just-in-time queue of a packet forwarder: which frames it takes, and when each is sent.

Times are the concentrator's 32-bit stamps and are compared as such, so that a stamp of a second ago
is one of more than an hour ahead: too early.

Source: Lora-net/packet_forwarder 4.0.1, lora_pkt_fwd/src/jitqueue.c; Lora-net/sx1302_hal,
packet_forwarder/src/jitqueue.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from simulators.gateways.counter import WRAP

CAPACITY = 32
BEACONS_AHEAD = 3
MARGIN_US = 1_000  # between the end of one frame and the start of the next
START_US = 1_500  # from the concentrator's "send" to the first symbol
BEACON_GUARD_US = 3_000_000
BEACON_RESERVED_US = 2_120_000


class Kind(Enum):
    """How a frame's time was given: by a stamp, by GPS, at once; or it is a beacon."""

    TIMED = "tmst"
    GPS = "tmms"
    IMMEDIATE = "imme"
    BEACON = "beacon"


class Rules(NamedTuple):
    """
    What differs between forwarders.

    ``programming_us``: how long before its time a frame goes to the concentrator. ``lead_us`` of
    it belongs to a frame when it is compared with others.
    """

    programming_us: int
    lead_us: int
    farthest_us: int
    immediate_us: int = 1_000_000  # a frame to be sent at once is sent so much later


PACKET_FORWARDER = Rules(30_000, START_US, (BEACONS_AHEAD + 1) * 128_000_000)
HAL = Rules(50_000, START_US + 50_000, (BEACONS_AHEAD + 1) * 256_000_000)


class Slot(NamedTuple):
    """A frame in the queue: its time, and what has to be free before and after it."""

    tmst: int
    kind: Kind
    before_us: int
    after_us: int


class JitQueue:
    """The frames that wait, or are on air."""

    def __init__(self, rules: Rules = PACKET_FORWARDER) -> None:
        self._rules = rules
        self._slots: list[Slot] = []

    @property
    def slots(self) -> Sequence[Slot]:
        """Everything in the queue, by when it came."""
        return self._slots

    def put(self, kind: Kind, tmst: int, airtime_us: int, present: int) -> Slot | str:
        """
        Take a frame.

        Args:
            tmst: when it is to be sent; an immediate frame gets the first time that is free.
            present: the counter's stamp now.
        Returns:
            Its slot, or the word of TX_ACK that says why not.
        """
        if len(self._slots) >= CAPACITY:
            return "COLLISION_PACKET"  # as the forwarders call a full queue
        slot = self._slot(kind, tmst, airtime_us)
        if kind is Kind.IMMEDIATE:
            slot = self._soonest(slot, present)
        refusal = self._untimely(slot, present) or self._collision(slot)
        if refusal:
            return refusal
        self._slots.append(slot)
        return slot

    def remove(self, slot: Slot) -> None:
        """It was sent, or is not going to be."""
        self._slots.remove(slot)

    def _slot(self, kind: Kind, tmst: int, airtime_us: int) -> Slot:
        if kind is Kind.BEACON:
            return Slot(tmst, kind, self._rules.lead_us + BEACON_GUARD_US, BEACON_RESERVED_US)
        return Slot(tmst, kind, self._rules.lead_us, airtime_us)

    def _soonest(self, slot: Slot, present: int) -> Slot:
        """At once, or behind the first frame that leaves room behind it."""
        candidate = _at(slot, present + self._rules.immediate_us)
        if not any(_overlap(candidate, other, other.before_us) for other in self._slots):
            return candidate
        for behind in sorted(self._slots, key=lambda each: (each.tmst - present) % WRAP):
            gap_us = slot.before_us + self._rules.programming_us + MARGIN_US
            candidate = _at(slot, behind.tmst + behind.after_us + gap_us)
            if not any(_overlap(candidate, other, other.before_us) for other in self._slots):
                break
        return candidate

    def _untimely(self, slot: Slot, present: int) -> str | None:
        ahead_us = (slot.tmst - present) % WRAP
        if ahead_us <= START_US + MARGIN_US + self._rules.programming_us:
            return "TOO_LATE"
        if slot.kind in (Kind.TIMED, Kind.GPS) and ahead_us > self._rules.farthest_us:
            return "TOO_EARLY"
        return None

    def _collision(self, slot: Slot) -> str | None:
        for other in self._slots:
            before_us = other.before_us
            # The guard before a beacon keeps ping slots away, not answers to uplinks.
            if other.kind is Kind.BEACON and slot.kind in (Kind.TIMED, Kind.IMMEDIATE):
                before_us = START_US
            if _overlap(slot, other, before_us):
                is_beacon = other.kind is Kind.BEACON
                return "COLLISION_BEACON" if is_beacon else "COLLISION_PACKET"
        return None


def _at(slot: Slot, tmst: int) -> Slot:
    return slot._replace(tmst=tmst % WRAP)


def _overlap(slot: Slot, other: Slot, other_before_us: int) -> bool:
    behind_us = (slot.tmst - other.tmst) % WRAP
    ahead_us = (other.tmst - slot.tmst) % WRAP
    return (
        behind_us <= slot.before_us + other.after_us + MARGIN_US
        or ahead_us <= other_before_us + slot.after_us + MARGIN_US
    )
