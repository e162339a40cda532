"""
The receiving side of a gateway: what it listens to, its demodulators, and that it is half duplex.

Decided when a frame ends, about the moments that mattered; no event of its own is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from heapq import heappop, heappush
from typing import Protocol

from simulators.lorawan.modulation import Fsk, Modulation
from simulators.radio.interference import Judge
from simulators.radio.on_air import OnAir, Tuning
from simulators.radio.sensitivity import Sensitivity
from simulators.radio.transmission import Position, Reception, Transmission

MULTI_SF_BANDWIDTH_HZ = 125_000
DEMODULATORS = 8  # of an SX1301, for its multi-SF channels; the others have one each


class Loss(StrEnum):
    """Why a frame did not arrive."""

    NOT_LISTENED = "not listened"  # no channel of the receiver is set to it
    TOO_WEAK = "too weak"
    HALF_DUPLEX = "half duplex"  # the receiver was sending
    NO_DEMODULATOR = "no demodulator"  # all were busy
    COLLISION = "collision"
    WINDOW_MISSED = "window missed"  # the receiver was tuned to it, at another time


class Receiver(Protocol):
    """A gateway as the medium sees it; all calls come at the end of a frame."""

    @property
    def name(self) -> str: ...
    @property
    def position(self) -> Position: ...
    def heard(self, reception: Reception) -> None:
        """An uplink arrived."""

    def lost(self, transmission: Transmission, reason: str) -> None:
        """An uplink did not arrive; ``reason`` is a Loss."""


Listens = Callable[[int, Modulation], bool]


class Station:
    """A receiver on the medium."""

    def __init__(
        self,
        receiver: Receiver,
        judge: Judge,
        *,
        listens: Listens | None,
        sensitivity: Sensitivity,
        demodulators: int,
    ) -> None:
        self.receiver = receiver
        self.is_on = True
        self._judge = judge
        self._listens = listens
        self._sensitivity = sensitivity
        self._least_dbm: dict[Tuning, float | None] = {}  # None: no channel for it
        self._limits = {"multi": demodulators, "single": 1, "fsk": 1}
        self._busy_until_us: dict[str, list[int]] = {pool: [] for pool in self._limits}
        self._noticed: list[tuple[int, int, OnAir]] = []  # by the moment of locking
        self._count = 0
        # Every frame that it can hear, until its end; a Loss once its fate is sealed.
        self._hearing: dict[OnAir, Loss | None] = {}
        self._sends_until_us = 0

    def least_dbm(self, frame: OnAir) -> float | None:
        """The least power at which it would receive such a frame; None: not listened to."""
        key = frame.tuning
        if key not in self._least_dbm:
            modulation = frame.transmission.modulation
            is_heard = self._listens is None or self._listens(key[0], modulation)
            self._least_dbm[key] = self._sensitivity.dbm(modulation) if is_heard else None
        return self._least_dbm[key]

    def notice(self, frame: OnAir, level_dbm: float) -> None:
        """An uplink starts."""
        least_dbm = self.least_dbm(frame)
        if least_dbm is None or level_dbm < least_dbm or not self.is_on:
            return
        if self._sends_until_us > frame.spare_until_us:
            self._hearing[frame] = Loss.HALF_DUPLEX
            return
        self._hearing[frame] = None
        self._count += 1
        heappush(self._noticed, (frame.lock_us, self._count, frame))

    def send(self, now_us: int, end_us: int) -> None:
        """It sends: whatever it was receiving is lost to it, and its demodulators become free."""
        self._lock(now_us)
        for busy in self._busy_until_us.values():
            busy.clear()
        self._sends_until_us = max(end_us, self._sends_until_us)
        for frame, fate in self._hearing.items():
            if fate is None and frame.spare_until_us < end_us and frame.end_us > now_us:
                self._hearing[frame] = Loss.HALF_DUPLEX

    def outcome(
        self, frame: OnAir, level_dbm: float, others: list[tuple[OnAir, float]]
    ) -> Loss | None:
        """What became of an uplink that ends now; None: it was received."""
        if frame not in self._hearing:
            is_known = self.is_on and self.least_dbm(frame) is not None
            return Loss.TOO_WEAK if is_known else Loss.NOT_LISTENED
        self._lock(frame.lock_us)
        fate = self._hearing.pop(frame)
        if fate is None and others and not self._survives(frame, level_dbm, others):
            return Loss.COLLISION
        return fate

    def _survives(self, frame: OnAir, level_dbm: float, others: list[tuple[OnAir, float]]) -> bool:
        if not self._judge.model.counts_unheard:
            others = [each for each in others if self._is_heard(*each)]
        return self._judge.survives(frame, level_dbm, others)

    def _is_heard(self, frame: OnAir, level_dbm: float) -> bool:
        return level_dbm >= self._sensitivity.dbm(frame.transmission.modulation)

    def _lock(self, until_us: int) -> None:
        """Give demodulators to noticed frames, in the order in which their preambles end."""
        noticed = self._noticed
        while noticed and noticed[0][0] <= until_us:
            lock_us, _, frame = heappop(noticed)
            if self._hearing.get(frame, Loss.NOT_LISTENED) is not None:
                continue
            pool = _pool(frame.transmission.modulation)
            busy = [end_us for end_us in self._busy_until_us[pool] if end_us > lock_us]
            if len(busy) < self._limits[pool]:
                busy.append(frame.end_us)
            else:
                self._hearing[frame] = Loss.NO_DEMODULATOR
            self._busy_until_us[pool] = busy


def _pool(modulation: Modulation) -> str:
    if isinstance(modulation, Fsk):
        return "fsk"
    return "multi" if modulation.bandwidth_hz == MULTI_SF_BANDWIDTH_HZ else "single"
