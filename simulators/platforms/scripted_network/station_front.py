"""The network's side of LoRa Basics Station's protocol: discovery, configuration, frames."""

from __future__ import annotations

from simulators.clock import Clock
from simulators.lorawan.gps_time import to_gps_us
from simulators.platforms.scripted_network.core import Answer, Window
from simulators.platforms.scripted_network.gathering import Copy, Gathering
from simulators.transports.websocket import Handler, Refusal, Request, WebSocket
from simulators.wire.basics_station import messages
from simulators.wire.basics_station.coding import (
    decode_discovery_request,
    decode_from_station,
    encode,
)
from simulators.wire.basics_station.region_config import router_config_of
from simulators.wire.errors import WireError

DATA = "/traffic/"


class StationFront:
    """
    Serves stations; give ``accept`` to a WebSocket server.

    ``url`` is where stations reach it, ``ws://host:port``.
    """

    def __init__(self, clock: Clock, gathering: Gathering, *, url: str) -> None:
        self.clock = clock
        self.gathering = gathering
        self.url = url
        region, multi_sf_hz, standard, fsk_hz = gathering.network.plan
        config = router_config_of(region, multi_sf_hz=multi_sf_hz, standard=standard, fsk_hz=fsk_hz)
        # A network of a few devices: its own duty cycle would only cost the station answers.
        self.config = encode(config._replace(has_no_duty_cycle=True))

    def accept(self, request: Request) -> Handler | Refusal:
        """Whoever asks for a connection."""
        if request.path == "/router-info":
            return _Discovery(self.url)
        if request.path.startswith(DATA):
            return _Station(self)
        return Refusal(404, "no such path")


class _Discovery:
    def __init__(self, url: str) -> None:
        self._url = url
        self._socket: WebSocket

    def opened(self, socket: WebSocket) -> None:
        self._socket = socket

    def received(self, text: str) -> None:
        try:
            router = decode_discovery_request(text).router
        except WireError as problem:
            self._socket.send(encode(messages.RouterInfo("0" * 16, error=str(problem))))
        else:
            uri = f"{self._url}{DATA}{router}"
            self._socket.send(encode(messages.RouterInfo(router, uri=uri)))

    def closed(self, reason: str) -> None:
        """Nothing is kept of it."""


class _Station:
    """One gateway's connection."""

    def __init__(self, front: StationFront) -> None:
        self._front = front
        self._socket: WebSocket
        self._diid = 0

    def opened(self, socket: WebSocket) -> None:
        self._socket = socket

    def closed(self, reason: str) -> None:
        """What is sent on a closed connection is lost."""

    def received(self, text: str) -> None:
        try:
            message = decode_from_station(text)
        except WireError:
            return
        if isinstance(message, messages.Version):
            self._socket.send(self._front.config)
        elif isinstance(message, messages.TimeSync) and message.txtime_us is not None:
            gpstime = to_gps_us(self._front.clock.unix_us())
            self._socket.send(encode(messages.TimeSync(message.txtime_us, gpstime)))
        elif isinstance(message, messages.Uplink):
            self._heard(message)

    def _heard(self, uplink: messages.Uplink) -> None:
        gathering = self._front.gathering
        rows = gathering.network.plan.region.data_rates
        row = rows[uplink.dr] if uplink.dr < len(rows) else None
        if row is None:
            return
        info = uplink.info
        gathering.heard(
            Copy(
                self,
                uplink.phy_payload,
                uplink.frequency_hz,
                row.modulation,
                info.rssi_dbm,
                info.snr_db,
                (info.xtime, info.rctx),
            )
        )

    def send(self, answer: Answer, heard: Copy) -> None:
        xtime, rctx = heard.stamp
        self._diid += 1
        first, second = self._window(answer.rx1), self._window(answer.rx2)
        if first is None and second is None:
            return
        self._socket.send(
            encode(
                messages.Downlink(
                    answer.dev_eui,
                    0,
                    self._diid,
                    answer.phy,
                    answer.delay_s,
                    first,
                    second,
                    xtime=xtime,
                    rctx=rctx,
                )
            )
        )

    def _window(self, window: Window) -> messages.Window | None:
        """By the numbers of the station's table, which need not be those of the device's."""
        region = self._front.gathering.network.plan.region
        data_rate = region.find_data_rate(window.modulation, is_downlink=True)
        return None if data_rate is None else messages.Window(data_rate, window.frequency_hz)
