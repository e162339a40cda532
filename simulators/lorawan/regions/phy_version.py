"""The published versions of the regional parameters, and values that change with them."""

from __future__ import annotations

from difflib import get_close_matches
from enum import IntEnum
from typing import TypeVar

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.versions import MacVersion

T = TypeVar("T")


class PhyVersion(IntEnum):
    """
    A version of the regional parameters, in the order of publication: 1.1 came before 1.0.3.

    Names are those that The Things Stack uses for ``lorawan_phy_version``.
    """

    PHY_V1_0 = 1
    PHY_V1_0_1 = 2
    PHY_V1_0_2_REV_A = 3
    PHY_V1_0_2_REV_B = 4
    PHY_V1_1_REV_A = 5
    PHY_V1_1_REV_B = 6
    PHY_V1_0_3_REV_A = 7
    RP002_V1_0_0 = 8
    RP002_V1_0_1 = 9
    RP002_V1_0_2 = 10
    RP002_V1_0_3 = 11
    RP002_V1_0_4 = 12

    @classmethod
    def parse(cls, text: str) -> PhyVersion:
        """
        Read ``RP002_V1_0_3``, ``RP002-1.0.3``, ``PHY_V1_0_3_REV_A`` or ``1.0.3-a``.

        Raises:
            LoRaWanError: no version of that name; tells the nearest one.
        """
        words = {_letters(version.name): version for version in cls}
        wanted = _letters(text)
        for prefix in ("", "phyv"):
            if prefix + wanted in words:
                return words[prefix + wanted]
        close = get_close_matches(wanted, words, n=1, cutoff=0.5)
        hint = f"; did you mean {words[close[0]].name!r}?" if close else ""
        known = ", ".join(words[each].name for each in words)
        raise LoRaWanError(f"expected one of {known}; got {text!r:.60}{hint}")

    @classmethod
    def of(cls, mac_version: MacVersion) -> PhyVersion:
        """The last version that was published for a version of the link layer."""
        return _LAST[mac_version]


_LAST = {
    MacVersion.V1_0_0: PhyVersion.PHY_V1_0,
    MacVersion.V1_0_1: PhyVersion.PHY_V1_0_1,
    MacVersion.V1_0_2: PhyVersion.PHY_V1_0_2_REV_B,
    MacVersion.V1_0_3: PhyVersion.PHY_V1_0_3_REV_A,
    MacVersion.V1_0_4: PhyVersion.RP002_V1_0_4,
    MacVersion.V1_1: PhyVersion.RP002_V1_0_4,
}


def since(version: PhyVersion, steps: dict[PhyVersion, T]) -> T:
    """
    The value that holds in ``version``.

    Args:
        steps: in order of publication, each value with the first version that has it. The first
            one also holds before: devices of an old link layer live in regions that came later.
    """
    values = list(steps.items())
    reached = [value for first, value in values if first <= version]
    return reached[-1] if reached else values[0][1]


def _letters(text: str) -> str:
    """Lower case without separators; ``v`` and ``rev`` may be left out."""
    plain = "".join(letter for letter in text.lower() if letter.isalnum())
    return plain.replace("rp002v", "rp002").replace("rev", "")
