"""
The Gateway Server's state: statistics of connections.

They live in memory: a connection does not outlive the process either.
"""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


class GatewayServer:
    """Statistics by gateway, unique over all tenants; a frontend keeps those of its gateways."""

    def __init__(self) -> None:
        self.connections: dict[str, Document] = {}

    def stats(self, gateway: str) -> Document | None:
        """``GatewayConnectionStats`` of a gateway, None when it is not connected."""
        return self.connections.get(gateway)
