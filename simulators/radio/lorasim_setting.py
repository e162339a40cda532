"""
The experiments of LoRaSim: radio settings, where nodes and gateways stand, power and current.

Source: Bor, Roedig, Voigt, Alonso, "Do LoRa Low-Power Wide-Area Networks Scale?", MSWiM 2016, and
the authors' program loraDir.py 0.2.1 (loraDirMulBS.py for several gateways).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.modulation import Lora
from simulators.radio.path_loss import PATH_LOSSES
from simulators.radio.sensitivity import SENSITIVITIES

PAYLOAD_BYTES = 20
FULL_POWER_DBM = 14
LEAST_POWER_DBM = 2
MEAN_GAP_US = 1_000_000_000  # 16.7 minutes, from the end of a frame to the start of the next one
APART_M = 10.0
VOLTS = 3.0
# mA while sending at -2 dBm, -1 dBm, ... 20 dBm.
CURRENTS_MA = (
    22, 22, 22, 23, 24, 24, 24, 25, 25, 25, 25, 26, 31, 32, 34, 35, 44, 82, 85, 90, 105, 115, 125,
)  # fmt: skip
LOWEST_CURRENT_DBM = -2

LOSS = PATH_LOSSES["lorasim"]
SENSITIVITY = SENSITIVITIES["lorasim"]
ALL_SETTINGS = tuple(
    Lora(factor, bandwidth) for factor in range(7, 13) for bandwidth in (125_000, 250_000, 500_000)
)

# Gateways in rows of so many, so many rows; one alone stands in the middle of a disc.
GRIDS = {2: (2, 1), 3: (3, 1), 4: (2, 2), 6: (3, 2), 8: (4, 2), 24: (8, 3)}


@dataclass(frozen=True, slots=True)
class Experiment:
    """
    One of LoRaSim's radio settings.

    Args:
        modulation: of all nodes; None: for each node the fastest that reaches a gateway.
        reach_dbm: sensitivity from which the radius of the disc follows.
        saves_power: nodes send no louder than they must.
    """

    number: int
    title: str
    modulation: Lora | None
    reach_dbm: float
    frequencies_hz: tuple[int, ...] = (860_000_000,)
    saves_power: bool = False

    @property
    def radius_m(self) -> float:
        """
        How far out nodes stand.

        LoRaSim inverts its path loss, which uses the decadic logarithm, with powers of e. So the
        disc is much smaller than what the link budget allows, and nobody is ever too far away.
        """
        budget_db = FULL_POWER_DBM - self.reach_dbm - LOSS.reference_db
        return LOSS.reference_m * math.exp(budget_db / (10 * LOSS.exponent))


_THREE = (860_000_000, 864_000_000, 868_000_000)
_SLOWEST = Lora(12, 125_000, "4/8")
# Experiments 0, 1 and 4 send at 125 kHz, but LoRaSim takes the sensitivity of 250 kHz for them.
EXPERIMENTS = (
    Experiment(0, "SN1: SF12, 125 kHz, 4/8", _SLOWEST, -132.25),
    Experiment(1, "SN1 on three channels", _SLOWEST, -132.25, _THREE),
    Experiment(2, "SN2: SF6, 500 kHz, 4/5", Lora(6, 500_000), -112.0),
    Experiment(3, "SN4: each node its fastest setting", None, -134.5),
    Experiment(4, "SN3: SF12, 125 kHz, 4/5", Lora(12, 125_000), -132.25),
    Experiment(5, "SN5: as SN4, with no more power than needed", None, -134.5, saves_power=True),
)


@dataclass(frozen=True, slots=True)
class Node:
    """One node as placed: how it sends, and how strong it arrives at each gateway."""

    modulation: Lora
    frequency_hz: int
    airtime_us: int
    power_dbm: int
    levels_dbm: tuple[float, ...]

    @property
    def energy_j(self) -> float:
        """What one frame costs."""
        return self.airtime_us * current_ma(self.power_dbm) * VOLTS / 1e9


class Field:
    """The ground of one run, filled with one node after the other."""

    def __init__(self, experiment: Experiment, gateways: int) -> None:
        """
        Raises:
            ValueError: a number of gateways for which LoRaSim has no layout.
        """
        if gateways != 1 and gateways not in GRIDS:
            known = ", ".join(str(each) for each in (1, *GRIDS))
            raise ValueError(f"expected a number of gateways among {known}; got {gateways}")
        self._experiment = experiment
        self._has_disc = gateways == 1
        radius_m = experiment.radius_m
        self._size_m = (math.sqrt(3) * radius_m, radius_m)  # the ground of several gateways
        self.gateways = [(0.0, 0.0)] if self._has_disc else self._grid(*GRIDS[gateways])
        self._first: list[tuple[float, float]] = []

    def place(self, rng: random.Random) -> Node:
        """The next node."""
        place = self._free_place(rng)
        frequency_hz = rng.choice(self._experiment.frequencies_hz)
        losses = [LOSS.loss_db(math.dist(place, each)) for each in self.gateways]
        best_dbm = FULL_POWER_DBM - min(losses)
        modulation, spare_db = self._modulation(best_dbm)
        power_dbm = FULL_POWER_DBM
        if self._experiment.saves_power:
            power_dbm = max(LEAST_POWER_DBM, FULL_POWER_DBM - math.floor(spare_db))
        return Node(
            modulation,
            frequency_hz,
            airtime_us(modulation),
            power_dbm,
            tuple(power_dbm - loss for loss in losses),
        )

    def _modulation(self, best_dbm: float) -> tuple[Lora, float]:
        """The node's setting, and by how much it is stronger than it must be."""
        if self._experiment.modulation is not None:
            return self._experiment.modulation, 0.0
        reaching = [each for each in ALL_SETTINGS if SENSITIVITY.dbm(each) < best_dbm]
        fastest = min(reaching, key=airtime_us)
        return fastest, best_dbm - SENSITIVITY.dbm(fastest)

    def _free_place(self, rng: random.Random) -> tuple[float, float]:
        """
        Ten metres or more from one of the nodes before it.

        From *one*: that is what LoRaSim checks, and the only way to get 1600 nodes onto its disc.
        """
        while True:
            place = self._any_place(rng)
            others = self._first
            if not others or any(math.dist(place, each) >= APART_M for each in others):
                others.append(place)
                return place

    def _any_place(self, rng: random.Random) -> tuple[float, float]:
        if not self._has_disc:
            return (rng.uniform(0, self._size_m[0]), rng.uniform(0, self._size_m[1]))
        distance_m = self._experiment.radius_m * math.sqrt(rng.random())
        angle = rng.uniform(0, 2 * math.pi)
        return (distance_m * math.cos(angle), distance_m * math.sin(angle))

    def _grid(self, columns: int, rows: int) -> list[tuple[float, float]]:
        wide_m, high_m = self._size_m
        return [
            ((column + 1) * wide_m / (columns + 1), (row + 1) * high_m / (rows + 1))
            for row in range(rows)
            for column in range(columns)
        ]


def airtime_us(modulation: Lora) -> int:
    """Of LoRaSim's frame: optimised for low rates at 125 kHz alone, no header at SF6."""
    factor, bandwidth_hz, _ = modulation
    return time_on_air_us(
        modulation,
        PAYLOAD_BYTES,
        implicit_header=factor == 6,
        ldro=factor >= 11 and bandwidth_hz == 125_000,
    )


def current_ma(power_dbm: int) -> int:
    """What sending takes."""
    return CURRENTS_MA[power_dbm - LOWEST_CURRENT_DBM]
