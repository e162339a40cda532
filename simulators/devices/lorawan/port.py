"""
The radio as the MAC of an end device sees it, and nothing more.

A transceiver does one thing at a time: a new transmission or window takes the place of whatever
window is open. All times are microseconds of the true clock; how wrong the device's own crystal is
has been reckoned in before a time comes here.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import simpy

from simulators.lorawan.modulation import Modulation
from simulators.radio.transmission import Position


class NodeRadio(Protocol):
    """One end device's transceiver."""

    def transmit(
        self, payload: bytes, *, frequency_hz: int, modulation: Modulation, power_dbm: float
    ) -> int:
        """
        Send now.

        Args:
            payload: the PHY payload, MHDR to MIC.
            power_dbm: EIRP.
        Returns:
            The end of the transmission, in microseconds; the caller waits for it by itself.
        """

    def listen(
        self, *, frequency_hz: int, modulation: Modulation, open_us: int, close_us: int
    ) -> simpy.Event:
        """
        Open a window; ``open_us`` may lie in the future, and must not lie in the past.

        A frame counts as caught when five symbols of its preamble (FSK: two bytes), or more, lie
        within the window; it is then received to its end, also beyond ``close_us``.

        Returns:
            An event whose value is a Reception, at the end of the first frame that was received,
            or None, at ``close_us``. The event of a window that was replaced never happens.
        """


@runtime_checkable
class HasPlace(Protocol):
    """A transceiver that knows where it is."""

    def position(self, at_us: int) -> Position:
        """Metres east, north and up."""
