"""
The fewest LinkADRReq masks that bring a device from one set of channels to another.

Sets of channels are whole numbers whose bit i stands for channel i. Knows no command's bytes: what
a ChMaskCntl does is asked of the region.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import Region

Masks = list[tuple[int, int]]  # ChMaskCntl and ChMask

_BLOCK, _BANKS = 0xFFFF, 5
_WIDE_FROM, _WIDE = 64, 0xFF


def masks(region: Region, current: int, desired: int, defined: int) -> Masks:
    """The sequence; where nothing is to change, one mask that says what there is."""
    found = _blocks(region, current, desired, defined)
    for control, mask in _openings(region, desired):
        after = region.ch_mask(current, control, mask, defined)
        if after is None:
            continue
        others = [(control, mask), *_blocks(region, after, desired, defined)]
        if len(others) < len(found) and _result(region, current, others, defined) == desired:
            found = others
    return found or [_as_it_is(desired)]


def _as_it_is(desired: int) -> tuple[int, int]:
    """The first block with a channel in it: a mask of zeros reads as if all were off."""
    control = 0
    while desired >> 16 * control and not desired >> 16 * control & _BLOCK:
        control += 1
    return control, desired >> 16 * control & _BLOCK


def _blocks(region: Region, current: int, desired: int, defined: int) -> Masks:
    """Each block of 16 that differs, by itself; those that switch channels on go first."""
    different = [
        (number, desired >> 16 * number & _BLOCK)
        for number in range(-(-(current | desired).bit_length() // 16))
        if (current ^ desired) >> 16 * number & _BLOCK
    ]
    return sorted(different, key=lambda pair: (not pair[1], pair[0]))


def _openings(region: Region, desired: int) -> Iterator[tuple[int, int]]:
    """Masks that set more than a block: all on, all off, and banks where devices know them."""
    if not region.is_fixed_plan:
        return
    wide = desired >> _WIDE_FROM & _WIDE
    blocks = -(-len(region.uplink_channels) // 16)
    for control in region.ch_mask_rules:
        if control < blocks:
            continue
        if control != _BANKS:
            yield control, wide if len(region.uplink_channels) == 72 else 0
        elif region.version >= PhyVersion.PHY_V1_0_3_REV_A:
            banks = [bank for bank in range(8) if desired >> 8 * bank & 0xFF == 0xFF]
            yield control, sum(1 << bank for bank in banks)


def _result(region: Region, current: int, sequence: Masks, defined: int) -> int | None:
    enabled: int | None = current
    for control, mask in sequence:
        if enabled is None:
            return None
        enabled = region.ch_mask(enabled, control, mask, defined)
    return enabled
