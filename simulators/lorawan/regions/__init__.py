"""
Where LoRaWAN is spoken, and how: one file per region.

A new region is a file with a function ``build`` and a line in ``BUILDERS``.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import cache

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.regions import (
    as923_1,
    as923_1_jp,
    as923_2,
    as923_3,
    as923_4,
    au915,
    cn470,
    cn470_20a,
    cn470_20b,
    cn470_26a,
    cn470_26b,
    eu433,
    eu868,
    in865,
    kr920,
    ru864,
    us915,
)
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import Region

BUILDERS: tuple[Callable[[PhyVersion], Region], ...] = (
    eu868.build,
    us915.build,
    au915.build,
    as923_1.build,
    as923_1_jp.build,
    as923_2.build,
    as923_3.build,
    as923_4.build,
    in865.build,
    kr920.build,
    cn470.build,
    cn470_20a.build,
    cn470_20b.build,
    cn470_26a.build,
    cn470_26b.build,
    eu433.build,
    ru864.build,
)
NEWEST = max(PhyVersion)


@cache
def _built(number: int, version: PhyVersion) -> Region:
    return BUILDERS[number](version)


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


REGIONS = {each.name: each for each in (_built(n, NEWEST) for n in range(len(BUILDERS)))}
# Where two share a name (Japan's variant has the band of AS923-1), the first one has it.
_NUMBERS = {
    _letters(name): number
    for number, each in reversed(list(enumerate(REGIONS.values())))
    for name in (each.name, each.band_id, *each.aliases)
}


def region(name: str, version: PhyVersion = NEWEST) -> Region:
    """
    A region by any of its names; case and separators do not matter.

    Args:
        name: ``EU868``, ``EU863-870``, The Things Stack's ``EU_863_870``, Basics Station's
            ``EU863``.
        version: of the regional parameters.
    Raises:
        LoRaWanError: no region of that name; tells the nearest one.
    """
    number = _NUMBERS.get(_letters(name))
    if number is None:
        raise LoRaWanError(_unknown(name))
    return _built(number, version)


def _unknown(name: str) -> str:
    close = get_close_matches(_letters(name), _NUMBERS, n=1, cutoff=0.5)
    hint = f"; did you mean {list(REGIONS)[_NUMBERS[close[0]]]!r}?" if close else ""
    return f"expected a region ({', '.join(REGIONS)}); got {name!r:.40}{hint}"
