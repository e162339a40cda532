"""
LoRa Basics Station's LNS protocol: discovery, and who may connect.

A station asks where to go on ``/router-info`` and then opens what it was told. On both it shows the
gateway's API key.

Source: lorabasics/basicstation 2.0.6, documentation, "The LNS Protocol"; The Things Stack,
pkg/gatewayserver/io/semtechws.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulators.platforms.effects import SocketClose, SocketText
from simulators.platforms.things_stack.errors import ApiError, StackError
from simulators.platforms.things_stack.gateway_server.gateways import Gateway
from simulators.platforms.things_stack.gateway_server.station import Station
from simulators.transports.websocket import Refusal
from simulators.wire.basics_station import messages
from simulators.wire.basics_station.coding import (
    decode_discovery_request,
    encode,
)
from simulators.wire.errors import WireError
from simulators.wire.eui import read_eui

if TYPE_CHECKING:
    from simulators.platforms.things_stack.gateway_server.server import GatewayServer

Document = dict[str, Any]

DISCOVERY, TRAFFIC = "/router-info", "/traffic/"
_NO_EUI = "0" * 16
_NO_PLAN = "pkg/gatewayserver:no_fallback_frequency_plan"


class StationFrontend:
    """All stations, by socket."""

    def __init__(self, server: GatewayServer) -> None:
        self.server = server
        self.has_tls = False
        self._sockets: dict[int, _Discovery | Station] = {}

    def opened(
        self, socket_id: int, path: str, headers: Mapping[str, str], now_us: int
    ) -> Refusal | None:
        """A WebSocket opens; returns why it may not."""
        path = path.partition("?")[0]
        authorization = _authorization(headers)
        try:
            if path == DISCOVERY:
                self._check_presence(authorization)
                scheme = "wss" if self.has_tls else "ws"
                base = f"{scheme}://{headers.get('host', '')}{TRAFFIC}"
                self._sockets[socket_id] = _Discovery(self, socket_id, base, authorization)
            elif path.startswith(TRAFFIC):
                gateway = self._find(path.removeprefix(TRAFFIC))
                self.authorize(gateway, authorization, now_us)
                station = Station(self, socket_id)
                self._sockets[socket_id] = station
                station.connection = self.server.connect(
                    gateway, station, _remote_ip(headers), now_us
                )
                station.transfer_later(now_us)
            else:
                return Refusal(404, "no such path")
        except ApiError as error:
            return Refusal(error.status, error.message)
        return None

    def text(self, socket_id: int, text: str, now_us: int) -> None:
        """A message came."""
        socket = self._sockets.get(socket_id)
        if socket is not None:
            socket.received(text, now_us)

    def closed(self, socket_id: int, now_us: int) -> None:
        """A WebSocket is gone."""
        socket = self._sockets.pop(socket_id, None)
        if isinstance(socket, Station):
            self.server.disconnect(socket.connection, None, now_us)

    def send(self, socket_id: int, message: Any) -> None:
        """Send a message."""
        self.server.stack.outbox.append(SocketText(socket_id, encode(message)))

    def close(self, socket_id: int, reason: str) -> None:
        """Close a WebSocket."""
        if self._sockets.pop(socket_id, None) is not None:
            self.server.stack.outbox.append(SocketClose(socket_id, reason))

    def authorize(self, gateway: Gateway, authorization: str | None, now_us: int) -> None:
        """
        Let a station pass that may be this gateway.

        Raises:
            StackError: it shows no key of the gateway's.
        """
        if authorization is None:
            self._check_presence(None)
            if gateway.document.get("require_authenticated_connection"):
                raise StackError("pkg/gatewayserver:unauthenticated_gateway_connection")
            return
        identity = self.server.stack.identity
        caller = identity.callers.caller(authorization, gateway.tenant, now_us)
        identity.require(
            caller, gateway.tenant, "gateway", gateway.ids["gateway_id"], ("RIGHT_GATEWAY_LINK",)
        )

    def _check_presence(self, authorization: str | None) -> None:
        if authorization is None and not self.server.stack.policy.admits_unauthenticated_stations:
            attributes = {"uid": ""}
            raise StackError("pkg/gatewayserver/io/semtechws:no_auth_provided", attributes)

    def _find(self, name: str) -> Gateway:
        """The gateway of a path: ``eui-`` and its EUI, or its id."""
        registry = self.server.registry
        if name.lower().startswith("eui-"):
            try:
                return registry.by_eui(read_eui(name[4:]).upper())
            except WireError:
                pass  # an id may begin so, too
        tenants = self.server.stack.policy.tenants or ("",)
        for tenant in tenants[:-1]:
            try:
                return registry.by_id(tenant, name)
            except StackError:
                continue
        return registry.by_id(tenants[-1], name)

    def direct(self, eui: str, authorization: str | None, now_us: int) -> None:
        """
        Let pass who may be told an address.

        A gateway that nobody has registered is told one, too, unless registration is required: its
        data connection is refused, since there is no frequency plan for it.

        Raises:
            StackError: it may not connect, or shows no key of the gateway's.
        """
        try:
            gateway = self.server.registry.by_eui(eui.upper())
        except StackError as error:
            if error.name != _NO_PLAN:
                raise
        else:
            self.authorize(gateway, authorization, now_us)


class _Discovery:
    """One question, one answer."""

    def __init__(
        self, frontend: StationFrontend, socket_id: int, base: str, authorization: str | None
    ) -> None:
        self._frontend = frontend
        self._socket_id = socket_id
        self._base = base
        self._authorization = authorization

    def received(self, text: str, now_us: int) -> None:
        try:
            eui = decode_discovery_request(text).router
            self._frontend.direct(eui, self._authorization, now_us)
        except (WireError, ApiError) as error:
            reason = error.message if isinstance(error, ApiError) else str(error)
            answer = messages.RouterInfo(_NO_EUI, error=reason)
        else:
            uri = f"{self._base}eui-{eui.upper()}"
            answer = messages.RouterInfo(eui, "muxs-::0", uri=uri)
        self._frontend.send(self._socket_id, answer)
        self._frontend.close(self._socket_id, "answered")


def _authorization(headers: Mapping[str, str]) -> str | None:
    """The header, whose scheme some stations leave out."""
    value = headers.get("authorization", "").strip()
    if not value:
        return None
    return value if " " in value else f"Bearer {value}"


def _remote_ip(headers: Mapping[str, str]) -> str:
    """Who has connected; whoever carries the socket tells that in a header."""
    return headers.get("x-real-ip", "")
