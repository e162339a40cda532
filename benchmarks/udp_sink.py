"""A UDP server for the benchmark: sends each datagram back, or acknowledges each PUSH_DATA."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvloop


class Echo(asyncio.DatagramProtocol):
    """Everything back to where it came from."""

    def connection_made(self, transport: Any) -> None:
        self.send = transport.sendto

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.send(data, address)


class Acknowledge(Echo):
    """Version, token and kind of PUSH_ACK; PULL_DATA gets its PULL_ACK."""

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.send(data[:3] + (b"\x01" if data[3] == 0 else b"\x04"), address)


async def main(protocol: type[Echo], port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(protocol, local_addr=("127.0.0.1", port))
    # Whoever starts this waits until it can connect.
    await loop.create_server(asyncio.Protocol, "127.0.0.1", port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main({"echo": Echo, "acknowledge": Acknowledge}[sys.argv[1]], int(sys.argv[2])))
