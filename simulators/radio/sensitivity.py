"""
How weak a frame may be: named receivers, and the noise that a signal-to-noise ratio is told over.

Rows are spreading factors; where a source tells 125 kHz alone, wider bandwidths follow from their
noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from simulators.lorawan.modulation import Fsk, Modulation

THERMAL_NOISE_DBM_PER_HZ = -174.0
NOISE_FIGURE_DB = 6.0
STEP_DB = 2.5  # between neighbouring spreading factors, where a source has no row
# FSK at 50 kbit/s with 25 kHz deviation: 100 kHz wide, about 10 dB above the noise. Computed, not
# measured: none of the sources has a figure.
FSK_BANDWIDTH_HZ = 100_000
FSK_DEMODULATION_DB = 10.0
SNR_LIMIT_DB = 31.75  # what a radio's signed register of quarter decibels can say


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Least power by spreading factor, at 125 kHz or at 125, 250 and 500 kHz."""

    name: str
    rows: dict[int, tuple[float, ...]]
    source: str

    def dbm(self, modulation: Modulation) -> float:
        """The least power at which a frame is received."""
        if isinstance(modulation, Fsk):
            return noise_dbm(FSK_BANDWIDTH_HZ) + FSK_DEMODULATION_DB
        factor, bandwidth_hz, _ = modulation
        nearest = min(max(factor, min(self.rows)), max(self.rows))
        row = self.rows[nearest]
        column = {125_000: 0, 250_000: 1, 500_000: 2}.get(bandwidth_hz)
        if column is None or column >= len(row):
            told = row[0] + 10 * math.log10(bandwidth_hz / 125_000)
        else:
            told = row[column]
        return told + STEP_DB * (nearest - factor)


def _single(*dbm: float) -> dict[int, tuple[float, ...]]:
    return {factor: (each,) for factor, each in enumerate(dbm, start=7)}


SENSITIVITIES = {
    profile.name: profile
    for profile in (
        Sensitivity(
            "sx1301",
            _single(-130.0, -132.5, -135.0, -137.5, -140.0, -142.5),
            "a gateway; ns-3 lorawan",
        ),
        Sensitivity(
            "sx1272",
            _single(-124.0, -127.0, -130.0, -133.0, -135.0, -137.0),
            "an end device; ns-3 lorawan",
        ),
        Sensitivity(
            "flora",
            {
                6: (-121.0, -118.0, -111.0),
                7: (-124.0, -122.0, -116.0),
                8: (-127.0, -125.0, -119.0),
                9: (-130.0, -128.0, -122.0),
                10: (-133.0, -130.0, -125.0),
                11: (-135.0, -132.0, -128.0),
                12: (-137.0, -135.0, -129.0),
            },
            "Semtech SX1272 datasheet as in FLoRa",
        ),
        Sensitivity(
            "lorasim",
            {
                7: (-126.5, -124.25, -120.75),
                8: (-127.25, -126.75, -124.0),
                9: (-131.25, -128.25, -127.5),
                10: (-132.75, -130.25, -128.75),
                11: (-134.5, -132.75, -128.75),
                12: (-133.25, -132.25, -132.25),
            },
            "measured, Bor et al., MSWiM 2016, table 3",
        ),
    )
}


@lru_cache(maxsize=64)
def noise_dbm(bandwidth_hz: int, noise_figure_db: float = NOISE_FIGURE_DB) -> float:
    """Power of the noise in a bandwidth."""
    return THERMAL_NOISE_DBM_PER_HZ + 10 * math.log10(bandwidth_hz) + noise_figure_db


def snr_db(rssi_dbm: float, modulation: Modulation) -> float:
    """Signal over noise, as far as a radio's register can say it."""
    wide_hz = FSK_BANDWIDTH_HZ if isinstance(modulation, Fsk) else modulation.bandwidth_hz
    return max(-SNR_LIMIT_DB, min(SNR_LIMIT_DB, rssi_dbm - noise_dbm(wide_hz)))
