"""
What a device's radio has used, by state, under a named profile of currents.

A profile is about the transceiver alone: sensors and the controller are not in it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

SECOND_US = 1_000_000
NEVER_US = 1 << 62


@dataclass(frozen=True)
class Currents:
    """
    Supply currents of a transceiver.

    ``transmit_ma`` has pairs of output power in dBm (conducted, ascending) and mA.
    """

    supply_v: float
    sleep_ma: float
    standby_ma: float
    receive_ma: float
    transmit_ma: tuple[tuple[float, float], ...]


# Transmit currents as in LoRaSim (Bor et al. 2016), the others as in ns-3's lorawan module.
_SX1272 = (22, 22, 22, 23, 24, 24, 24, 25, 25, 25, 25, 26, 31, 32, 34, 35, 44, 82, 85, 90, 105, 115)
PROFILES: dict[str, Currents] = {
    "sx1272": Currents(
        3.0, 0.0015, 1.4, 11.2, tuple((dbm - 2, ma) for dbm, ma in enumerate((*_SX1272, 125)))
    ),
    # Typical values of Semtech's datasheets: SX1276/77/78/79 table 6 and SX1261/2 section 3.4.
    "sx1276": Currents(3.3, 0.0002, 1.6, 11.5, ((7, 20), (13, 29), (17, 87), (20, 120))),
    "sx1262": Currents(3.3, 0.0012, 0.6, 5.3, ((14, 45), (17, 58), (20, 84), (22, 118))),
}


@lru_cache(maxsize=1024)
def transmit_current_ma(currents: Currents, power_dbm: float) -> float:
    """The current at a conducted power: in between in a straight line, beyond the ends level."""
    table = currents.transmit_ma
    above = bisect_left(table, (power_dbm, 0.0))
    if above in (0, len(table)):
        return table[min(above, len(table) - 1)][1]
    (low_dbm, low_ma), (high_dbm, high_ma) = table[above - 1 : above + 1]
    return low_ma + (high_ma - low_ma) * (power_dbm - low_dbm) / (high_dbm - low_dbm)


class EnergyReport(NamedTuple):
    """Seconds in each state, charge in mAh, energy in joules."""

    sleep_s: float
    standby_s: float
    receive_s: float
    transmit_s: float
    charge_mah: float
    energy_j: float


class Energy:
    """
    The account of one radio; whoever moves it from state to state tells for how long.

    ``listening_from_us``: when the window opens that is open or about to; NEVER_US: none is.
    """

    __slots__ = (
        "_currents", "_since_us", "_transmit_ma_us", "listening_from_us", "receive_us",
        "standby_us", "transmit_us",
    )  # fmt: skip

    def __init__(self, currents: Currents, since_us: int = 0) -> None:
        self._currents = currents
        self._since_us = since_us
        self._transmit_ma_us = 0.0
        self.listening_from_us = NEVER_US
        self.transmit_us = 0
        self.receive_us = 0
        self.standby_us = 0

    def transmitted(self, duration_us: int, power_dbm: float) -> None:
        """``power_dbm`` is conducted: the EIRP less the gain of the antenna."""
        self.transmit_us += duration_us
        self._transmit_ma_us += duration_us * transmit_current_ma(self._currents, power_dbm)

    def listened(self, until_us: int) -> None:
        """The window that was open has been closed."""
        self.receive_us += max(0, until_us - self.listening_from_us)
        self.listening_from_us = NEVER_US

    def report(self, now_us: int) -> EnergyReport:
        """What was used up to ``now_us``; whatever was not told was sleep."""
        currents = self._currents
        receive_us = self.receive_us + max(0, now_us - self.listening_from_us)
        awake_us = self.transmit_us + receive_us + self.standby_us
        sleep_us = max(0, now_us - self._since_us - awake_us)
        ma_us = (
            self._transmit_ma_us
            + sleep_us * currents.sleep_ma
            + self.standby_us * currents.standby_ma
            + receive_us * currents.receive_ma
        )
        return EnergyReport(
            sleep_us / SECOND_US,
            self.standby_us / SECOND_US,
            receive_us / SECOND_US,
            self.transmit_us / SECOND_US,
            ma_us / SECOND_US / 3600,
            ma_us / SECOND_US / 1000 * currents.supply_v,
        )
