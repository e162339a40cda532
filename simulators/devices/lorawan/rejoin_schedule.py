"""
When a 1.1 device asks for new keys: because it was told to, or because it is time again.

Source: LoRaWAN 1.1, sections 5.13 (ForceRejoinReq) and 5.14 (RejoinParamSetupReq).
"""

from __future__ import annotations

from typing import NamedTuple

from simulators.lorawan.mac_commands import ForceRejoinReq, RejoinParamSetupReq
from simulators.randomness import Chance

SECOND_US = 1_000_000
NEVER_US = 1 << 62
BASE_PERIOD_S = 32


class Rejoin(NamedTuple):
    """One rejoin request to be sent: its type, and its data rate (-1: the present one)."""

    rejoin_type: int
    data_rate: int


class RejoinSchedule(NamedTuple):
    """``forced`` requests first; then one of type 0 after so much time or so many uplinks."""

    forced: tuple[tuple[int, Rejoin], ...] = ()
    period_us: int = 0
    uplinks: int = 0
    last_us: int = 0
    since: int = 0

    def due(self, now_us: int) -> Rejoin | None:
        """The request that is to be sent now."""
        if self.forced and self.forced[0][0] <= now_us:
            return self.forced[0][1]
        is_time = self.period_us and now_us - self.last_us >= self.period_us
        if is_time or (self.uplinks and self.since >= self.uplinks):
            return Rejoin(0, -1)
        return None

    def next_us(self) -> int:
        """When the next request falls due by time."""
        by_order = self.forced[0][0] if self.forced else NEVER_US
        by_period = self.last_us + self.period_us if self.period_us else NEVER_US
        return min(by_order, by_period)

    def sent(self, now_us: int) -> RejoinSchedule:
        """After a request has been sent."""
        return self._replace(forced=self.forced[1:], last_us=now_us, since=0)

    def one_more_uplink(self) -> RejoinSchedule:
        """After an uplink."""
        return self._replace(since=self.since + 1)


def forced(
    schedule: RejoinSchedule | None, request: ForceRejoinReq, now_us: int, rng: Chance
) -> RejoinSchedule:
    """
    At once, then ``max_retries`` times more, each 32 s times 2^period and up to 32 s later.

    Types other than 0, 1 and 2: 1.1 lets a device take 0 and 1 for 0.
    """
    rejoin_type = 2 if request.rejoin_type == 2 else 0
    rejoin = Rejoin(rejoin_type, request.data_rate_index)
    times = [now_us]
    for _ in range(request.max_retries):
        gap_s = BASE_PERIOD_S * (1 << request.period_exponent) + BASE_PERIOD_S * rng.random()
        times.append(times[-1] + round(gap_s * SECOND_US))
    before = schedule or RejoinSchedule(last_us=now_us)
    return before._replace(forced=tuple((time_us, rejoin) for time_us in times))


def periodic(
    schedule: RejoinSchedule | None, request: RejoinParamSetupReq, now_us: int
) -> RejoinSchedule:
    """From now on after 2^(T+10) seconds or 2^(C+4) uplinks, whichever comes first."""
    before = schedule or RejoinSchedule(last_us=now_us)
    return before._replace(
        period_us=(1 << request.max_time_exponent + 10) * SECOND_US,
        uplinks=1 << request.max_count_exponent + 4,
        last_us=now_us,
        since=0,
    )
