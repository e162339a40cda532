"""The ports on which a platform takes gateways: UDP for packet forwarders, WebSocket for others."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from simulators.platforms.gateway_front import GatewayFront
from simulators.transports.http import TransportError
from simulators.transports.udp import UdpPort
from simulators.transports.websocket_sockets import SocketWebSocketServer

PING_S = 30.0
MOST_SOCKETS = 1000
LNS_ABOVE = 2  # how far the WebSocket port is above that of HTTP, when that one was chosen


class AtOnce:
    """What comes in from sockets is let in at once: a server has no clock to be advanced."""

    def enter(self, callback: Callable[..., Any], *args: Any) -> None:
        """Call it."""
        callback(*args)


class GatewayPorts:
    """Both ports of one platform; open them with ``listen``."""

    def __init__(
        self, front: GatewayFront, udp: UdpPort, server: SocketWebSocketServer, *, is_tls: bool
    ) -> None:
        self.front = front
        self._udp = udp
        self._server = server
        self._scheme = "wss" if is_tls else "ws"
        front.port = udp

    @classmethod
    async def listen(
        cls,
        front: GatewayFront,
        *,
        host: str,
        udp_port: int,
        lns_port: int,
        ssl_context: ssl.SSLContext | None,
    ) -> GatewayPorts:
        """
        Take both ports; what comes is lost or refused until ``front.is_open``.

        Raises:
            TransportError: a port is taken, or not ours to take.
        """
        udp = await UdpPort.listen(AtOnce(), front.received, host=host, port=udp_port)
        try:
            server = await SocketWebSocketServer.listen(
                AtOnce(),
                front.accept,
                host=host,
                port=lns_port,
                ssl_context=ssl_context,
                ping_s=PING_S,
                most=MOST_SOCKETS,
            )
        except TransportError:
            udp.close()
            raise
        return cls(front, udp, server, is_tls=ssl_context is not None)

    def addresses(self, host: str) -> dict[str, str]:
        """Both ports as a target file names them; ``host`` is where the machine is reached."""
        return {
            "udp": f"{host}:{self._udp.port}",
            "lns": f"{self._scheme}://{host}:{self._server.port}",
        }

    async def close(self) -> None:
        """Take nothing any more, and cut what is connected."""
        self.front.is_open = False
        self._udp.close()
        await self._server.close()
