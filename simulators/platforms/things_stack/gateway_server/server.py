"""
The Gateway Server's state: who is connected, by which protocol.

It lives in memory: a connection does not outlive the process either. What is told of a gateway that
has gone stays for a while.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.gateway_server.basics_station import StationFrontend
from simulators.platforms.things_stack.gateway_server.connection import Connection, Way
from simulators.platforms.things_stack.gateway_server.downstream import Downstream
from simulators.platforms.things_stack.gateway_server.gateways import Gateway, Registry
from simulators.platforms.things_stack.gateway_server.semtech_udp import SemtechFrontend
from simulators.platforms.things_stack.gateway_server.upstream import Upstream
from simulators.platforms.things_stack.messages import Downlink, Scheduled
from simulators.platforms.things_stack.times import time_text
from simulators.transports.websocket import Refusal

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

CHECK_US = 60_000_000  # so often it is looked whether a connection may go on
_MOST_GONE = 10_000


class GatewayServer:
    """
    Connections by gateway, and the frontends that feed them.

    ``public_url`` is where callers find this deployment; packet forwarders use its port's number.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.version = version("thingrig")
        self.registry = Registry(stack)
        self.upstream = Upstream(stack)
        self.public_url = ""
        self.connections: dict[str, Connection] = {}
        self._gone: OrderedDict[str, tuple[int, Document]] = OrderedDict()  # until when, statistics
        self._downstream = Downstream(stack, self.connections)
        self._semtech = SemtechFrontend(self)
        self.stations = StationFrontend(self)

    def stats(self, gateway: str, now_us: int) -> Document | None:
        """``GatewayConnectionStats`` of a gateway, None when it is not and was not connected."""
        connection = self.connections.get(gateway)
        if connection is not None:
            return connection.stats(now_us)
        until_us, document = self._gone.get(gateway, (0, None))
        return document if now_us < until_us else None

    def schedule(self, downlink: Downlink, now_us: int) -> Scheduled:
        """
        Let a gateway send a downlink.

        Raises:
            StackError: no path can send it.
        """
        return self._downstream.schedule(downlink, now_us)

    # --- what comes from gateways

    def datagram(self, data: bytes, address: Any, now_us: int) -> None:
        """A datagram of a gateway."""
        self._semtech.datagram(data, address, now_us)

    def socket_opened(
        self, socket_id: int, path: str, headers: Mapping[str, str], now_us: int
    ) -> Refusal | None:
        """A WebSocket opens; returns why it may not."""
        return self.stations.opened(socket_id, path, headers, now_us)

    def socket_text(self, socket_id: int, text: str, now_us: int) -> None:
        """A message on a WebSocket."""
        self.stations.text(socket_id, text, now_us)

    def socket_closed(self, socket_id: int, now_us: int) -> None:
        """A WebSocket's end."""
        self.stations.closed(socket_id, now_us)

    # --- connections

    def connect(self, gateway: Gateway, way: Way, remote_ip: str, now_us: int) -> Connection:
        """A gateway is there; one that is there already is replaced."""
        other = self.connections.get(gateway.uid)
        if other is not None:
            self.disconnect(other, StackError("pkg/gatewayserver:new_connection"), now_us)
        connection = Connection(self.stack, gateway, way, remote_ip, now_us)
        self.connections[gateway.uid] = connection
        self._gone.pop(gateway.uid, None)
        connection.publish("gs.gateway.connect", lambda: connection.stats(now_us), now_us, [])
        self.stack.agenda.at(now_us + CHECK_US, lambda now_us: self._check(connection, now_us))
        return connection

    def disconnect(self, connection: Connection, reason: StackError | None, now_us: int) -> None:
        """A gateway has gone by itself, or for a reason has to go."""
        if self.connections.get(connection.gateway.uid) is not connection:
            return
        del self.connections[connection.gateway.uid]
        self._keep(connection, now_us)
        connection.way.close("" if reason is None else reason.message)
        details = None if reason is None else reason.details
        connection.publish("gs.gateway.disconnect", details, now_us, [])

    def _keep(self, connection: Connection, now_us: int) -> None:
        """Remember the statistics of a gateway that has gone, for as long as the policy says."""
        uid, until_us = connection.gateway.uid, now_us + self.stack.policy.stats_kept_s * 1_000_000
        document = connection.stats(now_us)
        del document["connected_at"]
        self._gone[uid] = (until_us, {"disconnected_at": time_text(now_us), **document})
        if len(self._gone) > _MOST_GONE:
            self._gone.popitem(last=False)

    def _check(self, connection: Connection, now_us: int) -> None:
        if self.connections.get(connection.gateway.uid) is not connection:
            return
        reason = self.registry.change_of(connection.gateway)
        if reason is None and connection.way.is_silent(now_us):
            reason = StackError("pkg/gatewayserver/io/udp:connection_expired")
        if reason is not None:
            self.disconnect(connection, reason, now_us)
        else:
            connection.publish(
                "gs.gateway.connection.stats", lambda: connection.stats(now_us), now_us, []
            )
            self.stack.agenda.at(now_us + CHECK_US, lambda now_us: self._check(connection, now_us))
