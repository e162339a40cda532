"""
When a receive window opens and how long it stays open, in microseconds.

A device counts with a crystal that is wrong by ``drift_ppm`` and knows only how wrong it may be:
the longer ago the moment from which it counts, the wider its window.

Source: LoRaWAN 1.0.4, section 3.3; the way windows are widened is LoRaMac-node's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from simulators.lorawan.modulation import Fsk, Modulation
from simulators.radio.transmission import preamble_of

MILLION = 1_000_000
PREAMBLE_SYMBOLS = 8  # in FSK: five bytes and the three of the sync word


class Window(NamedTuple):
    """``nominal_us``: when by the device's reckoning a frame begins; all on the true clock."""

    open_us: int
    close_us: int
    nominal_us: int


class Shape(NamedTuple):
    """A window as seen from the nominal beginning of a frame."""

    offset_us: int
    length_us: int


@dataclass(frozen=True)
class Timing:
    """
    How a kind of device keeps its receive windows.

    ``rx_error_us``: how far off a frame may be for reasons other than crystals.
    ``tolerance_ppm``: what the device believes its crystal and the gateway's may differ by.
    ``rx_shift_us``: windows open so much later than they should; negative: earlier.
    ``accept_us``: frames that begin farther from the nominal time are ignored; 0: all are taken.
    ``min_symbols``: preamble symbols that lie within the window in the worst case.
    """

    rx_error_us: int = 10_000
    tolerance_ppm: float = 40.0
    rx_shift_us: int = 0
    accept_us: int = 0
    min_symbols: int = 6


# As two stacks in the field keep them.
PICKY = Timing(rx_error_us=200, accept_us=20)
LORAMAC_NODE = Timing()


def elapsed_us(duration_us: int, drift_ppm: float) -> int:
    """True microseconds while a crystal counts ``duration_us``; a fast one (+) is through early."""
    return round(duration_us / (1 + drift_ppm / MILLION)) if drift_ppm else duration_us


@lru_cache(maxsize=4096)
def symbol_us(modulation: Modulation) -> float:
    """One LoRa symbol, or one byte of FSK, which plays its part in preambles."""
    if isinstance(modulation, Fsk):
        return 8 * MILLION / modulation.bit_rate
    return (MILLION << modulation.spreading_factor) / modulation.bandwidth_hz


@lru_cache(maxsize=4096)
def shape(modulation: Modulation, error_us: int, min_symbols: int = 6) -> Shape:
    """The shortest window that catches a frame which begins up to ``error_us`` early or late."""
    symbol = symbol_us(modulation)
    wanted = -(-((2 * min_symbols - PREAMBLE_SYMBOLS) * symbol + 2 * error_us) // symbol)
    length = max(wanted, min_symbols) * symbol
    return Shape(round(PREAMBLE_SYMBOLS / 2 * symbol - length / 2), round(length))


def window(
    since_us: int,
    delay_us: int,
    modulation: Modulation,
    *,
    timing: Timing,
    drift_ppm: float = 0.0,
    error_us: int = 0,
) -> Window:
    """
    The window for a frame that is due ``delay_us`` after ``since_us``.

    Args:
        error_us: what this frame may be off by beyond the device's usual error.
    """
    error = timing.rx_error_us + error_us + round(delay_us * timing.tolerance_ppm / MILLION)
    offset_us, length_us = shape(modulation, error, timing.min_symbols)
    nominal_us = since_us + elapsed_us(delay_us, drift_ppm)
    open_us = max(since_us, nominal_us + offset_us + timing.rx_shift_us)
    return Window(open_us, open_us + length_us, nominal_us)


def is_caught(opened: Window, start_us: int, modulation: Modulation) -> bool:
    """Whether a frame that begins at ``start_us`` would be caught in the window."""
    preamble = preamble_of(modulation)
    from_us, to_us = max(opened.open_us, start_us), start_us + preamble.length_us
    return min(opened.close_us, to_us) - from_us >= preamble.detection_us


def is_acceptable(opened: Window, start_us: int, timing: Timing) -> bool:
    """Whether a picky device takes a frame that begins at ``start_us``."""
    return not timing.accept_us or abs(start_us - opened.nominal_us) <= timing.accept_us
