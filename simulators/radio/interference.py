"""
What becomes of frames that overlap on one frequency: named models, each a table and a timing rule.

The threshold is how many dB a wanted frame must be above an interferer, by the spreading factors of
both. The vectorised path applies the same models to arrays.

Frequencies count as the same or not; neighbours do not disturb each other. Frames of either
direction disturb alike, as in ns-3 and FLoRa. FSK disturbs FSK as like spreading factors do, and
LoRa not at all: no source has figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from simulators.lorawan.modulation import Fsk, Modulation

LOWEST, HIGHEST = 7, 12  # the tables' spreading factors; SF5 and SF6 are taken for SF7
FSK = 0
CODES = 13  # 0 is FSK, 5 to 12 are spreading factors
NEVER_DISTURBED = -math.inf
ALWAYS_LOST = math.inf

Table = tuple[tuple[float, ...], ...]


class Overlapping(Protocol):
    """What a model must know of a frame."""

    @property
    def start_us(self) -> int: ...
    @property
    def end_us(self) -> int: ...
    @property
    def code(self) -> int:
        """The spreading factor, or 0 for FSK."""

    @property
    def critical_us(self) -> int:
        """From when on an overlap does harm: the model's ``critical_us`` of this frame."""


@dataclass(frozen=True, slots=True)
class InterferenceModel:
    """
    Capture thresholds and a timing rule.

    Args:
        thresholds_db: row: wanted SF7 to SF12, column: interferer SF7 to SF12.
        free_symbols: of the wanted frame's preamble that an interferer may cover without harm.
        is_mutual: an overlap that spares the later frame so spares the earlier one, too.
        is_accumulated: the energy of all interferers of one spreading factor counts, over the
            time that they overlap; otherwise each is compared by its power alone.
        counts_unheard: frames below the receiver's sensitivity disturb, too.
    """

    name: str
    source: str
    thresholds_db: Table
    free_symbols: int = 0
    is_mutual: bool = False
    is_accumulated: bool = False
    counts_unheard: bool = True

    def threshold_db(self, wanted: int, interferer: int) -> float:
        """By the codes of two frames."""
        if FSK in (wanted, interferer) and wanted != interferer:
            return NEVER_DISTURBED
        row, column = _place(wanted), _place(interferer)
        if row == column and wanted != interferer:  # SF5, SF6 and SF7 share a row, not a symbol
            return self.thresholds_db[0][1]
        return self.thresholds_db[row][column]

    def threshold_table(self) -> Table:
        """Thresholds by the codes of wanted frame and interferer."""
        codes = range(CODES)
        return tuple(tuple(self.threshold_db(row, column) for column in codes) for row in codes)

    @property
    def is_orthogonal(self) -> bool:
        """Whether only frames of one spreading factor disturb each other."""
        return all(
            self.thresholds_db[row][column] == NEVER_DISTURBED
            for row in range(len(self.thresholds_db))
            for column in range(len(self.thresholds_db))
            if row != column
        )


class Judge:
    """A model ready for use: whether a frame survives those that overlap with it."""

    __slots__ = ("_is_mutual", "_ratios", "_thresholds_db", "free_symbols", "model", "survives")

    def __init__(self, model: InterferenceModel) -> None:
        self.model = model
        self.free_symbols = model.free_symbols
        self._is_mutual = model.is_mutual
        self._thresholds_db = model.threshold_table()
        self._ratios = tuple(tuple(ratio(db) for db in row) for row in self._thresholds_db)
        self.survives = self._survives_energy if model.is_accumulated else self._survives_each

    def does_harm(self, interferer: Overlapping, wanted: Overlapping) -> bool:
        """Whether an overlap of the two touches what the timing rule protects."""
        return interferer.end_us > wanted.critical_us and (
            not self._is_mutual or wanted.end_us > interferer.critical_us
        )

    def _survives_each(
        self, wanted: Overlapping, dbm: float, others: Iterable[tuple[Overlapping, float]]
    ) -> bool:
        row = self._thresholds_db[wanted.code]
        return not any(
            dbm - other_dbm < row[other.code] and self.does_harm(other, wanted)
            for other, other_dbm in others
        )

    def _survives_energy(
        self, wanted: Overlapping, dbm: float, others: Iterable[tuple[Overlapping, float]]
    ) -> bool:
        ratios = self._ratios[wanted.code]
        start_us, end_us = wanted.start_us, wanted.end_us
        energies: dict[int, float] = {}  # of interferers by code, over the wanted frame's power: us
        for other, other_dbm in others:
            code = other.code
            if ratios[code] and (not self.free_symbols or self.does_harm(other, wanted)):
                overlap_us = min(end_us, other.end_us) - max(start_us, other.start_us)
                energy = 10.0 ** ((other_dbm - dbm) / 10.0) * overlap_us
                energies[code] = energies.get(code, 0.0) + energy
        lasts_us = end_us - start_us
        return all(lasts_us >= ratios[code] * energy for code, energy in energies.items())


def ratio(db: float) -> float:
    """Ratio that a level in dB means; of -inf it is 0."""
    return float(10.0 ** (db / 10.0))


def code_of(modulation: Modulation) -> int:
    """The spreading factor, or 0 for FSK."""
    return FSK if isinstance(modulation, Fsk) else modulation.spreading_factor


def _place(code: int) -> int:
    return min(max(code, LOWEST), HIGHEST) - LOWEST


def _same_only(threshold_db: float) -> Table:
    size = range(HIGHEST - LOWEST + 1)
    return tuple(
        tuple(threshold_db if row == column else NEVER_DISTURBED for column in size) for row in size
    )


def _table(*rows: Sequence[float]) -> Table:
    return tuple(tuple(float(each) for each in row) for row in rows)


INTERFERENCE_MODELS = {
    model.name: model
    for model in (
        InterferenceModel(
            "aloha",
            "pure ALOHA: any overlap of like spreading factors loses both frames",
            _same_only(ALWAYS_LOST),
            # LoRaSim's simple mode, too: what is too weak to be received does no harm.
            counts_unheard=False,
        ),
        InterferenceModel(
            "lorasim",
            "LoRaSim 0.2.1, full collision check: 6 dB capture, three free preamble symbols",
            _same_only(6.0),
            free_symbols=3,
            is_mutual=True,
            counts_unheard=False,
        ),
        InterferenceModel(
            "goursaud",
            "Goursaud and Gorce 2015, as in ns-3 lorawan: energy over the overlap",
            _table(
                (6, -16, -18, -19, -19, -20),
                (-24, 6, -20, -22, -22, -22),
                (-27, -27, 6, -23, -25, -25),
                (-30, -30, -30, 6, -26, -28),
                (-33, -33, -33, -33, 6, -29),
                (-36, -36, -36, -36, -36, 6),
            ),
            is_accumulated=True,
        ),
        InterferenceModel(
            "croce",
            "Croce et al. 2018, as in FLoRa: two free preamble symbols",
            _table(
                (1, -8, -9, -9, -9, -9),
                (-11, 1, -11, -12, -13, -13),
                (-15, -13, 1, -13, -14, -15),
                (-19, -18, -17, 1, -17, -18),
                (-22, -22, -21, -20, 1, -20),
                (-25, -25, -25, -24, -23, 1),
            ),
            free_symbols=2,
        ),
    )
}
