"""The scripted network as the LNS of Basics Stations."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.clock import MICROSECONDS, Clock
from simulators.platforms.scripted_network.network import Answer, ScriptedNetwork, Window
from simulators.transports.websocket import Handler, Refusal, Request, WebSocket
from simulators.wire.basics_station.coding import (
    decode_discovery_request,
    decode_from_station,
    encode,
)
from simulators.wire.basics_station.messages import (
    Downlink,
    FromStation,
    RouterInfo,
    Transmitted,
    Uplink,
    Version,
)
from simulators.wire.basics_station.messages import Window as StationWindow
from simulators.wire.basics_station.router_config import RouterConfig
from simulators.wire.errors import WireError

DISCOVERY, TRAFFIC = "/router-info", "/traffic/"
PRIORITY = 25


@dataclass
class LnsFront:
    """
    Serves stations: give ``accept`` to a WebSocket server, and that server's address here.

    ``config`` is what every station is told; ``authorization`` the header's value that lets one in.
    """

    network: ScriptedNetwork
    clock: Clock
    config: RouterConfig
    url: str
    authorization: str | None = None
    transmitted: list[Transmitted] = field(default_factory=list)

    def accept(self, request: Request) -> Handler | Refusal:
        """As the transport's Accept."""
        if self.authorization not in (None, request.headers.get("authorization")):
            return Refusal(401, "unauthorized")
        if request.path == DISCOVERY:
            return _Discovery(self.url)
        if request.path.startswith(TRAFFIC):
            return _Traffic(self)
        return Refusal(404, "not found")


class _Discovery:
    def __init__(self, url: str) -> None:
        self._url = url
        self._socket: WebSocket | None = None

    def opened(self, socket: WebSocket) -> None:
        self._socket = socket

    def received(self, text: str) -> None:
        assert self._socket is not None
        try:
            router = decode_discovery_request(text).router
        except WireError as problem:
            self._socket.send(encode(RouterInfo("0" * 16, error=str(problem))))
        else:
            uri = f"{self._url}{TRAFFIC}eui-{router.upper()}"
            self._socket.send(encode(RouterInfo(router, uri=uri)))
        self._socket.close()

    def closed(self, reason: str) -> None:
        """The station had enough."""


class _Traffic:
    def __init__(self, front: LnsFront) -> None:
        self._front = front
        self._socket: WebSocket | None = None
        self._diid = 0

    def opened(self, socket: WebSocket) -> None:
        self._socket = socket

    def received(self, text: str) -> None:
        try:
            self._obey(decode_from_station(text))
        except WireError:  # a message that nobody needs here, or nonsense
            return

    def closed(self, reason: str) -> None:
        """The station is gone."""

    def _obey(self, message: FromStation) -> None:
        assert self._socket is not None
        if isinstance(message, Version):
            self._socket.send(encode(self._front.config))
        elif isinstance(message, Transmitted):
            self._front.transmitted.append(message)
        elif isinstance(message, Uplink) and (answer := self._answer(message)) is not None:
            self._socket.send(encode(self._downlink(message, answer)))

    def _answer(self, uplink: Uplink) -> Answer | None:
        rate = self._front.config.data_rates[uplink.dr]
        if rate is None:
            return None
        return self._front.network.uplink(
            uplink.phy_payload, uplink.frequency_hz, rate.modulation, self._front.clock.now_us()
        )

    def _downlink(self, uplink: Uplink, answer: Answer) -> Downlink:
        self._diid += 1
        return Downlink(
            answer.dev_eui,
            0,
            self._diid,
            answer.phy_payload,
            answer.delay_us // MICROSECONDS,
            _window(answer.rx1),
            _window(answer.rx2),
            xtime=uplink.info.xtime,
            priority=PRIORITY,
            rctx=uplink.info.rctx,
        )


def _window(window: Window) -> StationWindow:
    return StationWindow(window.data_rate, window.frequency_hz)
