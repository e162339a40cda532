"""
A frame on air, what a receiver makes of it, and how much of its preamble a receiver needs.

Times in µs on the clock, frequencies in Hz, power in dBm, positions in metres.
"""

from __future__ import annotations

from typing import NamedTuple

from simulators.lorawan.airtime import symbol_us
from simulators.lorawan.modulation import Fsk, Modulation

Position = tuple[float, float, float]

# Preamble symbols that a receiver must hear. LoRa: the last five, as in LoRaSim; FSK: two bytes,
# the preamble detector's reset value (Semtech SX1276 datasheet, RegPreambleDetect).
LORA_DETECTION_SYMBOLS = 5
FSK_DETECTION_BYTES = 2
LORA_PREAMBLE_SYMBOLS = 8
FSK_PREAMBLE_BYTES = 5


class Transmission(NamedTuple):
    """One frame on air; ``power_dbm`` is EIRP, ``preamble`` counts programmed symbols (LoRa)."""

    sender: str
    start_us: int
    end_us: int
    frequency_hz: int
    modulation: Modulation
    power_dbm: float
    payload: bytes
    is_downlink: bool
    position: Position
    preamble: int = LORA_PREAMBLE_SYMBOLS


class Reception(NamedTuple):
    """A frame that a receiver got right, and how strong it was there."""

    transmission: Transmission
    rssi_dbm: float
    snr_db: float


class Preamble(NamedTuple):
    """The beginning of a frame: what may be missed of it, and what it takes to notice it."""

    spare_us: int  # from the start on; whoever begins to listen later does not get the frame
    detection_us: int  # of listening, until the receiver stays with the frame
    length_us: int


def preamble_of(modulation: Modulation, symbols: int = LORA_PREAMBLE_SYMBOLS) -> Preamble:
    """The preamble's times; an FSK frame always has LoRaWAN's five bytes."""
    if isinstance(modulation, Fsk):
        each_us = unit_us(modulation)
        needed, symbols = FSK_DETECTION_BYTES, FSK_PREAMBLE_BYTES
    else:
        each_us, needed = symbol_us(modulation), LORA_DETECTION_SYMBOLS
    spare = max(0, symbols - needed)
    return Preamble(spare * each_us, min(symbols, needed) * each_us, symbols * each_us)


def unit_us(modulation: Modulation) -> int:
    """What a preamble is counted in: a symbol of LoRa, a byte of FSK."""
    if isinstance(modulation, Fsk):
        return round(8_000_000 / modulation.bit_rate)
    return symbol_us(modulation)
