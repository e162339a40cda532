"""
Adaptive data rate, as simple as Semtech's note has it: as fast as the best of twenty frames allows.

Source: Semtech, "LoRaWAN - simple rate adaptation recommended algorithm", revision 1.0.
"""

from __future__ import annotations

from typing import NamedTuple

from simulators.lorawan.modulation import Lora
from simulators.lorawan.regions.region import Region

FRAMES = 20
MARGIN_DB = 10.0
STEP_DB = 3.0
# Signal over noise that a spreading factor needs, SF7 to SF12.
NEEDED_DB = dict(zip(range(7, 13), (-7.5, -10.0, -12.5, -15.0, -17.5, -20.0), strict=True))


class Setting(NamedTuple):
    """What LinkADRReq sets beside channels."""

    data_rate: int
    tx_power: int


def needed_db(region: Region, data_rate: int) -> float:
    """Signal over noise that a frame needs at least."""
    modulation = region.data_rate(data_rate).modulation
    factor = modulation.spreading_factor if isinstance(modulation, Lora) else 7
    return NEEDED_DB[min(max(factor, 7), 12)]


def better(region: Region, present: Setting, best_snr_db: float) -> Setting:
    """The setting that leaves a margin and no more; never a slower data rate."""
    data_rate, tx_power = present
    steps = int((best_snr_db - needed_db(region, data_rate) - MARGIN_DB) // STEP_DB)
    while steps > 0 and data_rate < region.max_adr_data_rate:
        data_rate, steps = data_rate + 1, steps - 1
    weakest = len(region.tx_power_offsets_db) - 1
    while steps > 0 and tx_power < weakest:
        tx_power, steps = tx_power + 1, steps - 1
    while steps < 0 and tx_power > 0:
        tx_power, steps = tx_power - 1, steps + 1
    return Setting(data_rate, tx_power)
