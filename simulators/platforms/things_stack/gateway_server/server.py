"""
The Gateway Server's state: statistics of connections.

They live in memory: a connection does not outlive the process either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Downlink, Scheduled
from simulators.transports.websocket import Refusal

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]


class GatewayServer:
    """Statistics by gateway, unique over all tenants; a frontend keeps those of its gateways."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.connections: dict[str, Document] = {}

    def stats(self, gateway: str) -> Document | None:
        """``GatewayConnectionStats`` of a gateway, None when it is not connected."""
        return self.connections.get(gateway)

    def datagram(self, data: bytes, address: Any, now_us: int) -> None:
        """A datagram of a gateway: ignored, no frontend takes it yet."""

    def socket_opened(
        self, socket_id: int, path: str, headers: Mapping[str, str], now_us: int
    ) -> Refusal | None:
        """A WebSocket opens; returns why it may not."""
        return Refusal(404, "no gateways are served")

    def socket_text(self, socket_id: int, text: str, now_us: int) -> None:
        """A message on a WebSocket."""

    def socket_closed(self, socket_id: int, now_us: int) -> None:
        """A WebSocket's end."""

    def schedule(self, downlink: Downlink, now_us: int) -> Scheduled:
        """
        Let a gateway send a downlink.

        Raises:
            StackError: no path can send it.
        """
        raise StackError("pkg/gatewayserver:schedule")
