"""
What ChMaskCntl means: how a LinkADRReq changes the set of enabled channels.

A set of channels is a whole number whose bit i stands for channel i.

Source: regional parameters, "LinkADRReq command" of each region.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

# (enabled now, ChMask, defined) -> enabled then, or None where the request has to be refused.
Rule = Callable[[int, int, int], int | None]

_BLOCK = 0xFFFF
_NARROW = (1 << 64) - 1  # the 64 channels of 125 kHz in US915 and AU915
_EIGHT = 0xFF  # the upper half of a ChMask for the 8 channels of 500 kHz is reserved


def block(number: int) -> Rule:
    """ChMask replaces the 16 channels from 16 ``number`` on; undefined ones cannot be enabled."""
    first = 16 * number

    def replace(enabled: int, ch_mask: int, defined: int) -> int | None:
        wanted = ch_mask << first
        return None if wanted & ~defined else enabled & ~(_BLOCK << first) | wanted

    return replace


def all_on(enabled: int, ch_mask: int, defined: int) -> int:
    """Every defined channel; ChMask means nothing."""
    return defined


def all_off(enabled: int, ch_mask: int, defined: int) -> int:
    """No channel, until a later request of the same block enables some."""
    return 0


def _wide(enabled: int, ch_mask: int, defined: int) -> int:
    return enabled & _NARROW | (ch_mask & _EIGHT) << 64


def _narrow_on(enabled: int, ch_mask: int, defined: int) -> int:
    return _NARROW | (ch_mask & _EIGHT) << 64


def _narrow_off(enabled: int, ch_mask: int, defined: int) -> int:
    return (ch_mask & _EIGHT) << 64


def _banks(enabled: int, ch_mask: int, defined: int) -> int:
    """Bit i switches channels 8 i to 8 i + 7 and, with them, channel 64 + i."""
    banks = [number for number in range(8) if ch_mask >> number & 1]
    return sum(0xFF << 8 * number | 1 << 64 + number for number in banks)


def _blocks(count: int) -> dict[int, Rule]:
    return {number: block(number) for number in range(count)}


SIXTEEN: Mapping[int, Rule] = {**_blocks(1), 6: all_on}
SEVENTY_TWO: Mapping[int, Rule] = {
    **_blocks(4), 4: _wide, 5: _banks, 6: _narrow_on, 7: _narrow_off,
}  # fmt: skip
NINETY_SIX: Mapping[int, Rule] = {**_blocks(6), 6: all_on}
SIXTY_FOUR: Mapping[int, Rule] = {**_blocks(4), 6: all_on, 7: all_off}
FORTY_EIGHT: Mapping[int, Rule] = {**_blocks(3), 3: all_on, 4: all_off}
