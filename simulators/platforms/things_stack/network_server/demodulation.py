"""How weak a signal may be."""

from __future__ import annotations

from simulators.lorawan.modulation import Lora

_AT_SF7_DB, _STEP_DB, _DOUBLED_DB = -7.5, 2.5, 3.0
_NARROW_HZ = 125_000


def floor_db(modulation: Lora) -> float:
    """The least SNR that can be demodulated: each doubling of the bandwidth costs 3 dB."""
    floor = _AT_SF7_DB - _STEP_DB * (modulation.spreading_factor - 7)
    width = modulation.bandwidth_hz
    while width > _NARROW_HZ:
        floor, width = floor + _DOUBLED_DB, width // 2
    return floor
