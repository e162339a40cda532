"""
When a gateway may send: not twice at once, not too late, not more than its sub-bands allow.

Times are counts of the concentrator's clock in microseconds.

Source: The Things Stack, pkg/gatewayserver/scheduling (what is refused, ceilings, lead times).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any, NamedTuple

from simulators.lorawan.regions.region import DWELL_TIME_US, Region
from simulators.platforms.things_stack.errors import StackError

Document = dict[str, Any]

QUEUE_DELAY_US = 30_000  # a concentrator's pause between two frames
WINDOW_US = 3_600_000_000
HIGHEST_HZ = 2**64 - 1
_MOST_AIRTIME_US = 10_000_000  # no frame is longer
# How much of its sub-band's air time a downlink of a priority may use up.
CEILINGS = {
    "LOWEST": 0.4,
    "LOW": 0.5,
    "BELOW_NORMAL": 0.6,
    "NORMAL": 0.7,
    "ABOVE_NORMAL": 0.8,
    "HIGH": 0.9,
    "HIGHEST": 1.0,
}


class Emission(NamedTuple):
    """From its first symbol to its last."""

    start_us: int
    end_us: int


class Band:
    """Frequencies that share a budget; ``limit`` is the part of the time, 1 where there is none."""

    def __init__(self, low_hz: int, high_hz: int, limit: float) -> None:
        self.low_hz, self.high_hz, self.limit = low_hz, high_hz, limit
        self._emissions: list[Emission] = []

    def __contains__(self, frequency_hz: int) -> bool:
        return self.low_hz <= frequency_hz <= self.high_hz

    def used_us(self, start_us: int, end_us: int) -> int:
        """Air time within a span."""
        first = bisect_left(self._emissions, (start_us - _MOST_AIRTIME_US, 0))
        total = 0
        for emission in self._emissions[first:]:
            if emission.start_us >= end_us:
                break
            within = min(emission.end_us, end_us) - max(emission.start_us, start_us)
            total += max(0, within)
        return total

    def check(self, emission: Emission, priority: str) -> None:
        """
        Let an emission pass that leaves enough for those that matter more.

        Raises:
            StackError: ``duty_cycle``.
        """
        if self.limit >= 1:
            return
        usable = self.limit * CEILINGS[priority]
        airtime_us = emission.end_us - emission.start_us
        for end_us in (emission.end_us, emission.start_us + WINDOW_US):
            used = (self.used_us(end_us - WINDOW_US, end_us) + airtime_us) / WINDOW_US
            if used > usable:
                attributes = {
                    "used": f"{used * 100:.1f}",
                    "usable": f"{usable * 100:.1f}",
                    "priority": priority,
                }
                raise StackError("pkg/gatewayserver/scheduling:duty_cycle", attributes)

    def add(self, emission: Emission, now_us: int) -> None:
        """Count it; what ended a window ago is forgotten."""
        old = bisect_left(self._emissions, (now_us - WINDOW_US - _MOST_AIRTIME_US, 0))
        del self._emissions[:old]
        insort(self._emissions, emission)

    def document(self, now_us: int) -> Document:
        """A GatewayConnectionStats.SubBand."""
        document: Document = {"max_frequency": str(self.high_hz)}
        if self.low_hz:
            document["min_frequency"] = str(self.low_hz)
        if self.limit < 1:
            document["downlink_utilization_limit"] = self.limit
        used = self.used_us(now_us - WINDOW_US, now_us) / WINDOW_US
        return document | ({"downlink_utilization": used} if used else {})


class Scheduler:
    """The emissions of one gateway."""

    def __init__(self, bands: list[Band], *, has_dwell_limit: bool) -> None:
        self.bands = bands
        self._has_dwell_limit = has_dwell_limit
        self._emissions: list[Emission] = []

    def at(
        self, start_us: int, airtime_us: int, frequency_hz: int, priority: str,
        *, now_us: int, lead_us: int,
    ) -> Emission:  # fmt: skip
        """
        Send at this time.

        Raises:
            StackError: it is too late, or something else stands against it.
        """
        if start_us - now_us < lead_us:
            attributes = {"delta": _seconds(start_us - now_us), "min": _seconds(lead_us)}
            raise StackError("pkg/gatewayserver/scheduling:too_late", attributes)
        band = self._band(frequency_hz, airtime_us)
        emission = Emission(start_us, start_us + airtime_us)
        if self._conflict(emission) is not None:
            raise StackError("pkg/gatewayserver/scheduling:conflict")
        band.check(emission, priority)
        self._add(band, emission, now_us)
        return emission

    def any_time(
        self, earliest_us: int, airtime_us: int, frequency_hz: int, priority: str, *, now_us: int
    ) -> Emission:
        """
        Send as soon as nothing stands in the way.

        Raises:
            StackError: the sub-band's air time is used up, or the frame would be too long.
        """
        band = self._band(frequency_hz, airtime_us)
        emission = Emission(earliest_us, earliest_us + airtime_us)
        while (other := self._conflict(emission)) is not None:
            start_us = other.end_us + QUEUE_DELAY_US
            emission = Emission(start_us, start_us + airtime_us)
        band.check(emission, priority)
        self._add(band, emission, now_us)
        return emission

    def _band(self, frequency_hz: int, airtime_us: int) -> Band:
        for band in self.bands:
            if frequency_hz in band:
                break
        else:
            attributes = {"frequency": frequency_hz}
            raise StackError("pkg/gatewayserver/scheduling:sub_band_not_found", attributes)
        if self._has_dwell_limit and airtime_us > DWELL_TIME_US:
            raise StackError("pkg/gatewayserver/scheduling:dwell_time")
        return band

    def _conflict(self, emission: Emission) -> Emission | None:
        first = bisect_left(self._emissions, (emission.start_us - _MOST_AIRTIME_US, 0))
        for other in self._emissions[first:]:
            if other.start_us - QUEUE_DELAY_US >= emission.end_us:
                return None
            if other.end_us + QUEUE_DELAY_US > emission.start_us:
                return other
        return None

    def _add(self, band: Band, emission: Emission, now_us: int) -> None:
        old = bisect_left(self._emissions, (now_us - 2 * _MOST_AIRTIME_US, 0))
        del self._emissions[:old]
        insort(self._emissions, emission)
        band.add(emission, now_us)


def scheduler_of(region: Region, plans: list[Document], *, enforces_duty_cycle: bool) -> Scheduler:
    """The scheduler of a gateway with these plans."""
    has_dwell_limit = any(plan.get("dwell_time", {}).get("downlinks") for plan in plans)
    bands = [Band(0, HIGHEST_HZ, 1.0)]
    if enforces_duty_cycle:
        bands = _bands_of_plans(plans) or [
            Band(each.low_hz, each.high_hz, 1 / each.duty_cycle_divisor)
            for each in region.sub_bands
        ]
    return Scheduler(bands, has_dwell_limit=has_dwell_limit)


def _bands_of_plans(plans: list[Document]) -> list[Band]:
    rows = {
        (each["min-frequency"], each["max-frequency"]): each.get("duty-cycle", 1.0)
        for plan in plans
        for each in plan.get("sub_bands", ())
    }
    return [Band(low_hz, high_hz, limit) for (low_hz, high_hz), limit in rows.items()]


def _seconds(duration_us: int) -> str:
    return f"{duration_us / 1_000_000:g}s"
