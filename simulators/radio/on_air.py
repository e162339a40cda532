"""Frames on air, kept by frequency as long as they may disturb another one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from simulators.lorawan.modulation import Modulation
from simulators.radio.interference import code_of
from simulators.radio.transmission import Preamble, Transmission, preamble_of, unit_us

# Frames meet in a receiver when this is the same; the coding rate stands in the header.
Tuning = tuple[int, tuple[Any, ...]]

REMEMBERED_US = 10_000  # of frames that are over, for those who listen before they talk


def tuning(frequency_hz: int, modulation: Modulation) -> Tuning:
    """What a receiver must be set to."""
    return (frequency_hz, modulation[:2])


class _Shape(NamedTuple):
    """What frames of one kind have in common; a network has a few dozen kinds."""

    modulation: tuple[Any, ...]
    code: int
    unit_us: int
    preamble: Preamble


@lru_cache(maxsize=256)
def _shape(modulation: Modulation, symbols: int) -> _Shape:
    return _Shape(
        modulation[:2], code_of(modulation), unit_us(modulation), preamble_of(modulation, symbols)
    )


class OnAir:
    """A transmission with what receivers and interference models must know of it."""

    __slots__ = (
        "code", "critical_us", "detection_us", "end_us", "is_over", "levels_dbm", "lock_us",
        "spare_until_us", "start_us", "station", "transmission", "tuning",
    )  # fmt: skip

    def __init__(self, transmission: Transmission, free_symbols: int) -> None:
        """
        Args:
            free_symbols: of the preamble that the interference model leaves unprotected.
        """
        start_us = transmission.start_us
        shape = _shape(transmission.modulation, transmission.preamble)
        preamble = shape.preamble
        self.transmission = transmission
        self.tuning = (transmission.frequency_hz, shape.modulation)
        self.code = shape.code
        self.start_us = start_us
        self.end_us = transmission.end_us
        self.critical_us = start_us + free_symbols * shape.unit_us
        self.spare_until_us = start_us + preamble.spare_us
        self.detection_us = preamble.detection_us
        self.lock_us = start_us + preamble.length_us  # a gateway gives it a demodulator then
        self.is_over = False
        self.levels_dbm: list[float] = []  # at each station
        self.station: int | None = None  # the number of the station that sends it

    def is_caught(self, open_us: int, close_us: int) -> bool:
        """Whether a window holds enough of the preamble."""
        begins_us = max(open_us, self.start_us)
        return begins_us <= self.spare_until_us and begins_us + self.detection_us <= close_us


class Band:
    """The frames of one frequency, in order of their starts."""

    __slots__ = ("frames",)

    def __init__(self) -> None:
        self.frames: list[OnAir] = []

    def add(self, frame: OnAir) -> None:
        """A frame starts; what no longer matters is forgotten."""
        frames = self.frames
        if frames:
            needed_us = frame.start_us - REMEMBERED_US
            for each in frames:
                if not each.is_over:
                    needed_us = min(needed_us, each.start_us)
                    break
            frames[:] = [each for each in frames if each.end_us > needed_us]
        frames.append(frame)

    def overlapping(self, frame: OnAir) -> list[OnAir]:
        """All others that were on air during any part of a frame that ends now."""
        frames = self.frames
        if len(frames) == 1:
            return []
        start_us, end_us = frame.start_us, frame.end_us
        return [
            each
            for each in frames
            if each.end_us > start_us and each.start_us < end_us and each is not frame
        ]
