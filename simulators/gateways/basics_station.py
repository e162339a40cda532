"""
A gateway that runs LoRa Basics Station: messages over a WebSocket to an LNS.

The server configures everything: channels, data rates, limits, beacons. What does not belong to the
protocol is noted and ignored; a configuration that cannot be used ends the connection. All as the
real one does, except that every region's name is taken (``is_strict`` has the real one's).

Source: lorabasics/basicstation 2.0.6, src/s2e.c, src/lora.c; documentation, "The LNS Protocol".
"""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import simpy

from simulators.clock import MICROSECONDS, Clock
from simulators.gateways.access import Access, DutyCycle
from simulators.gateways.channels import ChannelPlan
from simulators.gateways.concentrator import Concentrator
from simulators.gateways.observing import Observer
from simulators.gateways.station_downlinks import Downlinks
from simulators.gateways.station_link import StationLink
from simulators.gateways.station_queue import Job
from simulators.gateways.station_regions import STATION_REGIONS, StationRegion
from simulators.gateways.station_settings import StationSettings
from simulators.gateways.station_time import UNIT, StationTime
from simulators.lorawan.modulation import Lora, Modulation
from simulators.radio.transmission import Reception
from simulators.transports.websocket import WebSocket, WebSocketTransport
from simulators.wire import fields
from simulators.wire.basics_station.coding import decode_from_server, encode
from simulators.wire.basics_station.messages import (
    Downlink,
    FromServer,
    FromStation,
    GetXTime,
    Schedule,
    TimeSync,
    Transmitted,
    UpInfo,
    Uplink,
    Version,
    XTimes,
)
from simulators.wire.basics_station.router_config import RouterConfig
from simulators.wire.errors import WireError

SHOWN = 64  # characters of a message that is not understood
TIME_SYNC_S = 5.0  # between questions for the time, until there is an answer
SESSIONS = (1, 255)

_JOIN_REQUEST, _REJOIN, _PROPRIETARY = 0, 6, 7
_DATA_UP = (2, 4)

Steps = Generator[simpy.Event, Any, None]


class BasicsStation:
    """The gateway of a concentrator; ``start`` it once."""

    def __init__(
        self,
        concentrator: Concentrator,
        *,
        clock: Clock,
        sockets: WebSocketTransport,
        rng: random.Random,
        settings: StationSettings,
        observer: Observer | None = None,
    ) -> None:
        self.name = concentrator.name
        self.eui = concentrator.eui
        self.concentrator = concentrator
        self.settings = settings
        self.forwarded = 0
        self.config: RouterConfig | None = None
        self._clock = clock
        self._rng = rng
        self._observer = observer
        self._time = StationTime(clock, concentrator.counter, has_gps=settings.has_gps)
        self._downlinks = Downlinks(
            concentrator, clock, self._time, started=self._started, dropped=self._dropped
        )
        self._link = StationLink(
            clock,
            sockets,
            eui=self.eui,
            uri=settings.uri,
            headers=_headers(settings),
            opened=self._opened,
            received=self._received,
            told=self._told,
        )
        concentrator.heard_frame = self._heard

    def start(self) -> None:
        """Look for the server; the radio begins when it has said how."""
        if self._observer is not None and self.settings.authorization is not None:
            self._observer.secret("gateway_key", self.settings.authorization.split(" ")[-1])
        self._clock.process(self._link.live())

    # The connection.

    def _opened(self, socket: WebSocket) -> None:
        settings = self.settings
        version = Version(
            settings.station, settings.station, None, settings.model, features=settings.features
        )
        self._say(version)

    def _say(self, message: FromStation) -> bool:
        text = encode(message)
        is_said = self._link.send(text)
        if is_said:
            self._told("uplink", "data", text)
        return is_said

    def _received(self, text: str) -> None:
        self._told("downlink", "data", text)
        try:
            message = decode_from_server(text)
        except WireError as problem:
            self._refuse(text, str(problem))
            return
        self._time.note_mux_time(getattr(message, "mux_time_s", None))
        self._obey(message)

    def _obey(self, message: FromServer) -> None:
        if isinstance(message, RouterConfig):
            self._configure(message)
        elif isinstance(message, TimeSync):
            self._time.synchronise(message)
        elif isinstance(message, Downlink | Schedule):
            reason = self._downlinks.take(message)
            if reason is not None:
                self._ignored(reason)
        elif isinstance(message, GetXTime):
            self._tell_xtimes(message)
        else:
            self._ignored("not carried out by this station")

    def _refuse(self, text: str, reason: str) -> None:
        """A station goes on without a message; without its configuration it cannot."""
        self._ignored(reason)
        if '"router_config"' in text:
            self._link.drop("a router_config that cannot be used")

    def _tell_xtimes(self, message: GetXTime) -> None:
        now_s = self._clock.now_us() / MICROSECONDS
        xtime = self._time.xtime(self.concentrator.count()) if self._time.session else 0
        utc_s = self._clock.unix_us() / MICROSECONDS
        self._say(XTimes((xtime,), now_s, utc_s, message.mux_time_s or 0.0))

    # Configuration.

    def _configure(self, config: RouterConfig) -> None:
        region = STATION_REGIONS.get(config.region)
        self.config = config
        self._time.begin_session(self._rng.randint(*SESSIONS))
        self._link.settle()
        limits = region or StationRegion(config.max_eirp_dbm or 14.0)
        self.concentrator.access = self._access(config, limits)
        self._downlinks.configure(
            config, limits, is_deaf=self.settings.is_strict and region is None
        )
        self.concentrator.listen(_plan(config))
        if self.settings.has_gps:
            session = self._time.session
            self._clock.process(self._ask_for_time(session))
            if config.beaconing is not None:
                place = (self.settings.latitude, self.settings.longitude)
                self._clock.process(self._downlinks.broadcast(config.beaconing, session, place))

    def _access(self, config: RouterConfig, limits: StationRegion) -> Access:
        obeys = not self.settings.is_production
        is_limited = limits.bands is not None and not (obeys and config.has_no_duty_cycle)
        is_polite = not (obeys and config.has_no_cca)
        return Access(
            DutyCycle(limits.bands) if is_limited and limits.bands is not None else None,
            limits.listen_before_talk if is_polite else None,
        )

    def _ask_for_time(self, session: int) -> Steps:
        while session == self._time.session and not self._time.knows_gps:
            self._say(TimeSync(txtime_us=max(1, self._clock.now_us())))
            yield self._clock.sleep(TIME_SYNC_S)

    # Up.

    def _heard(self, count_us: int, reception: Reception) -> None:
        config = self.config
        if config is None:
            return
        transmission, rssi_dbm, snr_db = reception
        dr = _dr_of(config, transmission.modulation)
        if dr is None or not self._passes(transmission.payload, config):
            return
        info = UpInfo(
            self._time.xtime(count_us),
            rssi_dbm,
            round(snr_db, 2),
            self._time.gpstime(count_us),
            rxtime_s=self._clock.unix_us() / MICROSECONDS,
        )
        frequency_hz, ref_time_s = transmission.frequency_hz, self._time.ref_time_s()
        if self._say(Uplink(transmission.payload, dr, frequency_hz, info, ref_time_s)):
            self.forwarded += 1

    def _passes(self, phy: bytes, config: RouterConfig) -> bool:
        """Whether a frame is LoRaWAN at all, and for this server."""
        if not phy:
            return False
        kind, rest = phy[0] >> 5, phy[0] & 0x1F
        if kind == _PROPRIETARY:
            return not rest
        if rest or len(phy) < 12:
            return False
        if kind == _JOIN_REQUEST:
            return len(phy) == 23 and _is_for_us(int.from_bytes(phy[1:9], "little"), config)
        if kind in _DATA_UP:
            return len(phy) >= 12 + (phy[5] & 0x0F) and _has_our_address(phy, config)
        return kind == _REJOIN and not self.settings.is_strict

    # Down.

    def _started(self, job: Job) -> None:
        if job.dev_eui is None:
            return
        self._say(
            Transmitted(
                job.diid,
                job.dr,
                job.frame.frequency_hz,
                job.dev_eui,
                self._time.xtime(job.count_us),
                UNIT,
                self._clock.unix_us() / MICROSECONDS,
                job.gpstime,
            )
        )

    def _dropped(self, job: Job, reason: str) -> None:
        self.concentrator.tell_unsent(job.frame, reason, job.count_us)

    # Into the trace.

    def _told(self, direction: str, where: str, text: str) -> None:
        if self._observer is None:
            return
        if direction == "none":
            message: dict[str, Any] = {"connection": where, "closed": text}
        else:
            message = {"connection": where, **_shown(text)}
        self._observer.event(self.name, direction, "websocket", message)

    def _ignored(self, reason: str) -> None:
        if self._observer is not None:
            message = {"connection": "data", "ignored": reason}
            self._observer.event(self.name, "none", "websocket", message)


def _headers(settings: StationSettings) -> dict[str, str]:
    if settings.authorization is None:
        return {}
    return {"Authorization": settings.authorization}


def _shown(text: str) -> dict[str, Any]:
    try:
        return {"message": fields.read_object(text)}
    except WireError:
        return {"characters": len(text), "begins": text[:SHOWN]}


def _plan(config: RouterConfig) -> ChannelPlan:
    return ChannelPlan(
        tuple(hertz for board in config.boards for hertz in board.multi_sf_hz),
        tuple(board.standard for board in config.boards if board.standard is not None),
        tuple(board.fsk_hz for board in config.boards if board.fsk_hz is not None),
    )


def _dr_of(config: RouterConfig, modulation: Modulation) -> int | None:
    """The data rate of an uplink; those for downlinks only do not count, nor does a coding rate."""
    plain = Lora(*modulation[:2]) if isinstance(modulation, Lora) else modulation
    for dr, rate in enumerate(config.data_rates):
        if rate is None or rate.is_downlink_only:
            continue
        if rate.modulation == plain:
            return dr
    return None


def _is_for_us(join_eui: int, config: RouterConfig) -> bool:
    ranges = config.join_euis
    return not ranges or any(low <= join_eui <= high for low, high in ranges)


def _has_our_address(phy: bytes, config: RouterConfig) -> bool:
    if config.net_ids is None:
        return True
    # Seven bits of the address are compared, whatever the type of the NetID.
    network = phy[4] >> 1
    return any(net_id & 0x7F == network for net_id in config.net_ids)
