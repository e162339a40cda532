"""
How much weaker a frame gets on its way: named models, and shadowing on top of them.

All four models are straight lines over the logarithm of the distance. They disagree by tens of dB:
the same layout reaches 100 m with one and 8 km with another, so every report names its model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.radio.transmission import Position
from simulators.randomness import RandomStreams

CLOSEST_M = 1.0  # nearer than this the models mean nothing


@dataclass(frozen=True, slots=True)
class PathLoss:
    """Loss in dB: ``reference_db`` at ``reference_m``, then 10 ``exponent`` dB a decade."""

    name: str
    reference_db: float
    reference_m: float
    exponent: float
    measured_sigma_db: float  # of the shadowing around the line; 0: not told
    source: str

    def loss_db(self, distance_m: float) -> float:
        """What is lost over ``distance_m``; closer than a metre counts as a metre."""
        decades = math.log10(max(distance_m, CLOSEST_M) / self.reference_m)
        return self.reference_db + 10 * self.exponent * decades


PATH_LOSSES = {
    model.name: model
    for model in (
        PathLoss("lorasim", 127.41, 40.0, 2.08, 3.57, "LoRaSim 0.2.1, loraDir.py; FLoRa's default"),
        PathLoss("log-distance", 7.7, 1.0, 3.76, 0.0, "ns-3 lorawan, examples"),
        # 128.95 dB less the 2 dB of the antenna that the measurement had.
        PathLoss("oulu", 126.95, 1000.0, 2.32, 7.8, "FLoRa, LoRaPathLossOulu"),
        PathLoss("hata", 127.5, 1000.0, 3.52, 0.0, "FLoRa, LoRaHataOkumura"),
    )
}


def distance_m(one: Position, other: Position) -> float:
    """Straight line between two places."""
    return math.dist(one, other)


class Shadowing:
    """
    Hills, walls and people: a normal deviation in dB from the model's line.

    A link's deviation depends on the seed and the two names alone: the same in both directions, and
    a new node changes nothing for the others. With ``is_per_frame`` it is drawn anew for each
    frame, from the moment it starts.
    """

    __slots__ = ("_streams", "is_per_frame", "sigma_db")

    def __init__(
        self, streams: RandomStreams, *, sigma_db: float, is_per_frame: bool = False
    ) -> None:
        if sigma_db < 0:
            raise ValueError(f"expected a sigma of 0 dB or more; got {sigma_db}")
        self._streams = streams
        self.sigma_db = sigma_db
        self.is_per_frame = is_per_frame

    def link_db(self, one: str, other: str) -> float:
        """What the link between two names loses beyond the model, each time."""
        first, second = sorted((one, other))
        return self._drawn("link", first, second)

    def frame_db(self, sender: str, receiver: str, start_us: int) -> float:
        """What one frame loses beyond the model."""
        return self._drawn("frame", sender, receiver, start_us)

    def _drawn(self, *name: str | int) -> float:
        return self._streams.stream("shadowing", *name).gauss(0.0, self.sigma_db)
