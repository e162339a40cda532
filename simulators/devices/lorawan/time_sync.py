"""What a device knows of GPS time: a moment at which it was told, and its crystal since."""

from __future__ import annotations

from typing import NamedTuple

from simulators.devices.lorawan.windows import MILLION, elapsed_us


class TimeSync(NamedTuple):
    """At ``at_us`` of the true clock the device believed it was ``gps_us``, give or take."""

    at_us: int
    gps_us: int
    error_us: int

    def gps_at(self, now_us: int, drift_ppm: float) -> int:
        """What the device takes for GPS time at a moment of the true clock."""
        return self.gps_us + round((now_us - self.at_us) * (1 + drift_ppm / MILLION))

    def when(self, gps_us: int, drift_ppm: float) -> int:
        """The moment of the true clock that the device takes for that GPS time."""
        return self.at_us + elapsed_us(gps_us - self.gps_us, drift_ppm)
