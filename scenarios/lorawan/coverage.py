"""
How well a network is heard: of everything that nodes sent, what arrived, and why the rest did not.

Listens to the medium. Every transmission counts, join requests and repetitions too: this is about
the air, not about messages. Distances are to the nearest gateway when the frame was sent.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simulators.clock import MICROSECONDS
from simulators.lorawan.modulation import datr
from simulators.radio.transmission import Position, Reception, Transmission

STEP_M = 50  # the finest distance that is told
MOST_BANDS = 8
WIDTHS_M = tuple(first * 10**power for power in range(2, 7) for first in (1, 2, 5))
FAR = ("too weak", "not listened")  # such a gateway had no part in the loss


@dataclass
class Tally:
    """Frames that were sent, those that some gateway heard, and why the others were lost."""

    sent: int = 0
    delivered: int = 0
    airtime_us: int = 0
    lost: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count what another one has counted."""
        self.sent += other.sent
        self.delivered += other.delivered
        self.airtime_us += other.airtime_us
        self.lost += other.lost

    def document(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "sent": self.sent,
            "delivered": self.delivered,
            "airtime_s": round(self.airtime_us / MICROSECONDS, 3),
            "lost": dict(sorted(self.lost.items())),
        }


@dataclass
class Hearing:
    """
    One gateway: frames it heard, those that nobody else did, why it lost others, what it sent.

    Frames that were too weak for it, or on no channel of its own, are not its losses.
    """

    heard: int = 0
    alone: int = 0
    downlinks: int = 0
    airtime_us: int = 0
    lost: Counter[str] = field(default_factory=Counter)


class Frame(NamedTuple):
    """One transmission, and what gateways made of it so far."""

    sent: Transmission
    heard: list[str]
    lost: dict[str, str]


class Coverage:
    """Observer of the medium for one run."""

    def __init__(self, gateways: Mapping[str, Position]) -> None:
        self._gateways = gateways
        self._last: dict[str, Frame] = {}  # by sender, which sends one frame at a time
        self._by_rate: dict[str, Tally] = {}
        self._by_distance: dict[int, Tally] = {}
        self._by_channel: dict[int, Tally] = {}
        self._hearing = {name: Hearing() for name in gateways}

    def transmitted(self, sent: Transmission) -> None:
        """A frame starts."""
        if sent.is_downlink:
            if (hearing := self._hearing.get(sent.sender)) is not None:
                hearing.downlinks += 1
                hearing.airtime_us += sent.end_us - sent.start_us
            return
        if (before := self._last.get(sent.sender)) is not None:
            self._count(before)
        self._last[sent.sender] = Frame(sent, [], {})

    def heard(self, receiver: str, reception: Reception) -> None:
        """A gateway got a frame."""
        frame = self._last.get(reception.transmission.sender)
        if frame is not None and frame.sent is reception.transmission:
            frame.heard.append(receiver)

    def lost(self, receiver: str, sent: Transmission, reason: str) -> None:
        """It did not."""
        frame = self._last.get(sent.sender)
        if frame is not None and frame.sent is sent:
            frame.lost[receiver] = reason

    def document(self, end_us: int) -> dict[str, Any]:
        """
        Everything that was on air before ``end_us``, in tables for run.json.

        To be asked when all is over: frames that are still on air are forgotten.
        """
        for frame in self._last.values():
            if frame.sent.end_us <= end_us:
                self._count(frame)
        self._last.clear()
        total = Tally()
        for tally in self._by_rate.values():
            total.add(tally)
        rates = sorted(self._by_rate.items(), key=lambda item: _by_speed(item[0]))
        return {
            **total.document(),
            "by_data_rate": [{"data_rate": name, **tally.document()} for name, tally in rates],
            "by_distance": self._bands(),
            "by_channel": [
                {"frequency_hz": hz, "busy": round(tally.airtime_us / max(1, end_us), 6)}
                | tally.document()
                for hz, tally in sorted(self._by_channel.items())
            ],
            "by_gateway": [self._gateway(name, end_us) for name in self._gateways],
        }

    def _count(self, frame: Frame) -> None:
        sent = frame.sent
        tally = Tally(1, bool(frame.heard), sent.end_us - sent.start_us)
        if not frame.heard:
            reasons = frame.lost.values()
            tally.lost[max(reasons, key=most_telling, default="no gateway was on")] += 1
        step = int(self._distance_m(sent.position) // STEP_M)
        rate = str(datr(sent.modulation))
        self._by_rate.setdefault(rate, Tally()).add(tally)
        self._by_distance.setdefault(step, Tally()).add(tally)
        self._by_channel.setdefault(sent.frequency_hz, Tally()).add(tally)
        for name in frame.heard:
            self._hearing[name].heard += 1
            self._hearing[name].alone += len(frame.heard) == 1
        for name, reason in frame.lost.items():
            if reason not in FAR:
                self._hearing[name].lost[reason] += 1

    def _distance_m(self, position: Position) -> float:
        return min(math.dist(position, each) for each in self._gateways.values())

    def _bands(self) -> list[dict[str, Any]]:
        """Distances in bands of one width, as few as can be read."""
        farthest_m = (max(self._by_distance, default=0) + 1) * STEP_M
        width_m = next(each for each in WIDTHS_M if farthest_m <= each * MOST_BANDS)
        bands: dict[int, Tally] = {}
        for step, tally in sorted(self._by_distance.items()):
            bands.setdefault(step * STEP_M // width_m, Tally()).add(tally)
        return [
            {"from_m": band * width_m, "to_m": (band + 1) * width_m, **tally.document()}
            for band, tally in bands.items()
        ]

    def _gateway(self, name: str, end_us: int) -> dict[str, Any]:
        hearing = self._hearing[name]
        return {
            "name": name,
            "heard": hearing.heard,
            "alone": hearing.alone,
            "lost": dict(sorted(hearing.lost.items())),
            "downlinks": hearing.downlinks,
            "sending": round(hearing.airtime_us / max(1, end_us), 6),
        }


def most_telling(reason: str) -> tuple[bool, str]:
    """The gateway that was nearest to hearing a frame tells why it was lost."""
    return reason not in FAR, reason


def _by_speed(name: str) -> tuple[bool, Sequence[int]]:
    return not name.startswith("SF"), [int(part) for part in name[2:].split("BW") if part.isdigit()]
