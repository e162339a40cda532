"""
What a Basics Station knows of time: its session's clock, GPS, and the server's.

GPS gives the exact second and this place's pulse; which second it is, the server says. Without GPS
a server may still push the GPS time of a moment of the session.

Source: lorabasics/basicstation 2.0.6, src/timesync.c; documentation, "The LNS Protocol".
"""

from __future__ import annotations

from simulators.clock import MICROSECONDS, Clock
from simulators.gateways.counter import Counter
from simulators.lorawan.gps_time import to_gps_us, to_unix_us
from simulators.wire.basics_station.messages import TimeSync, XTime

UNIT = 0  # the radio unit of every frame: there is one


class StationTime:
    """
    Conversions; a moment is a count of the concentrator's counter.

    ``session`` is 0 before the first configuration, and never afterwards.
    """

    def __init__(self, clock: Clock, counter: Counter, *, has_gps: bool) -> None:
        self.session = 0
        self._clock = clock
        self._counter = counter
        self._has_gps = has_gps
        self._offset_us: int | None = None  # from this place's GPS time to the server's
        self._pushed: tuple[int, int] | None = None  # a count and its GPS time
        self._mux: tuple[float, int] | None = None  # the server's time, and when it came

    @property
    def knows_gps(self) -> bool:
        """Whether GPS times mean anything."""
        return self._offset_us is not None or self._pushed is not None

    def begin_session(self, session: int) -> None:
        """The radio starts anew: what was known of it is void."""
        self.session = session
        self._offset_us = None
        self._pushed = None

    def xtime(self, count_us: int) -> int:
        """A moment as the server sees it."""
        return XTime(UNIT, self.session, count_us).value()

    def count_of(self, xtime: int) -> int | None:
        """The moment of an xtime; None: of another session, or of none."""
        unit, session, micros = XTime.of(xtime)
        if not self.session or (unit, session) != (UNIT, self.session):
            return None
        return micros

    def gpstime(self, count_us: int) -> int:
        """The GPS time of a moment, 0 where it is not known."""
        if self._offset_us is not None:
            at_us = self._counter.at_us(count_us)
            return to_gps_us(self._clock.start_unix_us + at_us) + self._offset_us
        if self._pushed is not None:
            return self._pushed[1] + count_us - self._pushed[0]
        return 0

    def count_of_gps(self, gpstime: int) -> int | None:
        """The moment of a GPS time; None where it is not known."""
        if not gpstime:
            return None
        if self._offset_us is not None:
            unix_us = to_unix_us(gpstime - self._offset_us)
            return self._counter.count(unix_us - self._clock.start_unix_us)
        if self._pushed is not None:
            return self._pushed[0] + gpstime - self._pushed[1]
        return None

    def synchronise(self, message: TimeSync) -> None:
        """The server says what time it is, in answer or of its own accord."""
        gpstime = message.gpstime
        if not gpstime:
            return
        if message.xtime and (count := self.count_of(message.xtime)) is not None:
            self._pushed = (count, gpstime)
        if message.txtime_us and self._has_gps:
            now_us = self._clock.now_us()
            travel_us = max(0, now_us - message.txtime_us) // 2
            here_us = to_gps_us(self._clock.unix_us())
            seconds = round((gpstime + travel_us - here_us) / MICROSECONDS)
            self._offset_us = seconds * MICROSECONDS

    def note_mux_time(self, mux_time_s: float | None) -> None:
        """The server's own time came along with something else."""
        if mux_time_s is not None:
            self._mux = (mux_time_s, self._clock.now_us())

    def ref_time_s(self) -> float:
        """The server's time now, 0 before it was ever told."""
        if self._mux is None:
            return 0.0
        told_s, at_us = self._mux
        return told_s + (self._clock.now_us() - at_us) / MICROSECONDS
