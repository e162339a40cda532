"""
What a Basics Station makes of the frames that its server wants sent.

Source: lorabasics/basicstation 2.0.6, src/s2e.c (handle_dnmsg, handle_dnsched, s2e_bcntimeout).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from simulators.clock import MICROSECONDS, Clock
from simulators.gateways.beacons import Beacons
from simulators.gateways.concentrator import Concentrator, Frame
from simulators.gateways.station_queue import (
    AIM_US,
    CLASS_A,
    CLASS_B,
    CLASS_C,
    Job,
    StationQueue,
)
from simulators.gateways.station_regions import StationRegion
from simulators.gateways.station_time import StationTime
from simulators.lorawan.class_b import BEACON_PERIOD_S, BeaconLayout, next_beacon_s
from simulators.wire.basics_station.messages import Downlink, Schedule, Scheduled, Window
from simulators.wire.basics_station.router_config import Beaconing, RouterConfig

BEACON_PRIORITY = 128
BEACON_AHEAD_US = 800_000
NO_GPS_S = 10.0  # until it is looked for the time again

BEFORE_CONFIGURATION = "before router_config"
OTHER_SESSION = "an xtime of another session"
NO_GPS_TIME = "a GPS time, and none is known"


class Downlinks:
    """Checks what the server wants, and queues it."""

    def __init__(
        self,
        concentrator: Concentrator,
        clock: Clock,
        time: StationTime,
        *,
        started: Callable[[Job], None],
        dropped: Callable[[Job, str], None],
    ) -> None:
        self._concentrator = concentrator
        self._clock = clock
        self._time = time
        self._queue = StationQueue(concentrator, started=started, dropped=dropped)
        self._config: RouterConfig | None = None
        self._limits = StationRegion(0.0)
        self._is_deaf = False

    def configure(self, config: RouterConfig, limits: StationRegion, *, is_deaf: bool) -> None:
        """Begin anew; one that ``is_deaf`` takes nothing."""
        self._queue.clear()
        self._config = config
        self._limits = limits
        self._is_deaf = is_deaf

    def take(self, message: Downlink | Schedule) -> str | None:
        """Queue what can be queued; what was wrong with the message, in a few words, or None."""
        if self._config is None or self._is_deaf:
            return BEFORE_CONFIGURATION
        if isinstance(message, Downlink):
            return self._take_downlink(message, self._config)
        reasons = [self._take_scheduled(frame, self._config) for frame in message.frames]
        return next((reason for reason in reasons if reason is not None), None)

    def broadcast(
        self, beaconing: Beaconing, session: int, place: tuple[float, float]
    ) -> Generator[simpy.Event, Any, None]:
        """Send beacons, for as long as the session lasts; to be started with ``clock.process``."""
        assert self._config is not None
        rate = self._config.data_rates[beaconing.dr]
        if rate is None:
            return
        time_at, info_at, length = beaconing.layout
        layout = BeaconLayout(time_at, length - info_at - 9)
        power_dbm = self._limits.power_at_dbm(beaconing.frequencies_hz[0])
        beacons = Beacons(beaconing.frequencies_hz, rate.modulation, layout, power_dbm, *place)
        while session == self._time.session:
            gpstime = self._time.gpstime(self._concentrator.count())
            if not gpstime:
                yield self._clock.sleep(NO_GPS_S)
                continue
            next_s = next_beacon_s(gpstime // MICROSECONDS)
            self._queue_beacon(beacons, next_s, beaconing.dr)
            ahead_us = next_s * MICROSECONDS - gpstime
            wait_us = ahead_us + BEACON_PERIOD_S * MICROSECONDS - BEACON_AHEAD_US
            yield self._clock.timeout(wait_us)

    def _queue_beacon(self, beacons: Beacons, gps_s: int, dr: int) -> None:
        count = self._time.count_of_gps(gps_s * MICROSECONDS)
        assert count is not None
        self._queue.add(
            Job(
                frame=beacons.frame(gps_s),
                dr=dr,
                count_us=count,
                device_class=CLASS_B,
                priority=BEACON_PRIORITY,
            )
        )

    def _take_downlink(self, message: Downlink, config: RouterConfig) -> str | None:
        for window in (message.rx1, message.rx2):
            if window is not None and (reason := _illegal(window, config)) is not None:
                return reason
        count = self._moment(message)
        if isinstance(count, str):
            return count
        first, second = message.rx1, message.rx2
        windows = [window for window in (first, second) if window is not None]
        frames = [self._frame(message, window) for window in windows]
        job = Job(
            frame=frames[0],
            dr=windows[0].dr,
            count_us=count,
            device_class=message.device_class,
            second=frames[1] if len(frames) > 1 else None,
            second_dr=windows[-1].dr,
            priority=message.priority,
            diid=message.diid,
            dev_eui=message.dev_eui,
            gpstime=message.gpstime,
        )
        self._queue.add(job)
        return None

    def _moment(self, message: Downlink) -> int | str:
        """When the first of its windows is, or why there is no such time."""
        if message.device_class == CLASS_B:
            count = self._time.count_of_gps(message.gpstime)
            return NO_GPS_TIME if count is None else count
        if message.device_class == CLASS_C and message.rx1 is None:
            return self._concentrator.count() + AIM_US
        count = self._time.count_of(message.xtime)
        if count is None:
            return OTHER_SESSION
        is_second = message.device_class == CLASS_A and message.rx1 is None
        return count + (message.rx_delay_s + is_second) * MICROSECONDS

    def _take_scheduled(self, scheduled: Scheduled, config: RouterConfig) -> str | None:
        if (reason := _illegal(scheduled.window, config)) is not None:
            return reason
        if scheduled.gpstime:
            count, reason = self._time.count_of_gps(scheduled.gpstime), NO_GPS_TIME
        else:
            count, reason = self._time.count_of(scheduled.xtime), OTHER_SESSION
        if count is None:
            return reason
        job = Job(
            frame=self._frame(scheduled, scheduled.window),
            dr=scheduled.window.dr,
            count_us=count,
            device_class=CLASS_B,
            priority=scheduled.priority,
            diid=scheduled.diid,
            gpstime=scheduled.gpstime,
        )
        self._queue.add(job)
        return None

    def _frame(self, message: Downlink | Scheduled, window: Window) -> Frame:
        assert self._config is not None
        rate = self._config.data_rates[window.dr]
        assert rate is not None
        return Frame(
            message.pdu,
            window.frequency_hz,
            rate.modulation,
            self._limits.power_at_dbm(window.frequency_hz),
            preamble=message.preamble,
            has_crc=message.adds_crc,
        )


def _illegal(window: Window, config: RouterConfig) -> str | None:
    low_hz, high_hz = config.frequency_range_hz
    if config.data_rates[window.dr] is None:
        return f"a data rate that is not defined: {window.dr}"
    if not low_hz <= window.frequency_hz <= high_hz:
        return f"a frequency out of range: {window.frequency_hz}"
    return None
