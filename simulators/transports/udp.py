"""
Datagrams: a socket of its own for each channel of a client, one port for a server.

On the wall clock they are UDP; what comes in enters through ``clock.enter``. On the virtual clock
``MemoryDatagrams`` carries them from one side to the other, after a delay. Datagrams may get lost:
nobody is told of it, except where the machine itself says that nobody listens.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol, cast

from simulators.clock import Clock, WallClock
from simulators.transports.endpoint import Entrance, reason_of
from simulators.transports.http import TransportError

Address = tuple[Any, ...]  # where a datagram came from: kept and given back, never looked into

RECEIVE_BUFFER = 4 * 1024 * 1024  # a burst of a whole fleet waits there instead of getting lost


_Arrive = Callable[[bytes, Address], None]


class DatagramChannel(Protocol):
    """A client's socket; it knows one server."""

    def send(self, data: bytes) -> None:
        """Send to the server."""

    def close(self) -> None:
        """Nothing is sent or received any more."""


class DatagramTransport(Protocol):
    """The way from clients to one server."""

    def channel(
        self, received: Callable[[bytes], None], failed: Callable[[str], None]
    ) -> DatagramChannel:
        """
        A new socket, with a source port of its own.

        Args:
            received: called within the clock for every datagram from the server.
            failed: called within the clock with a reason: nobody listens, the name is unknown …
        """


class DatagramPort(Protocol):
    """A server's socket."""

    def send(self, data: bytes, to: Address) -> None:
        """Send to a client from which something came."""

    def close(self) -> None:
        """Nothing is sent or received any more."""


class MemoryDatagrams:
    """
    A server's port and the clients' way to it, in memory.

    ``delay_us`` is how long a datagram travels. Until somebody listens, and after that one closed
    the port, what is sent there is lost.
    """

    def __init__(self, clock: Clock, *, delay_us: int = 0) -> None:
        self._clock = clock
        self._delay_us = delay_us
        self._received: Callable[[bytes, Address], None] | None = None
        self._clients: dict[Address, Callable[[bytes], None]] = {}
        self._opened = 0
        # Sent at one moment, they arrive at one: a single event carries them.
        self._sent_us = -1
        self._travelling: list[tuple[_Arrive, bytes, Address]] = []

    def channel(
        self, received: Callable[[bytes], None], failed: Callable[[str], None]
    ) -> DatagramChannel:
        """As DatagramTransport.channel."""
        self._opened += 1
        address = ("memory", self._opened)
        self._clients[address] = received
        return _MemoryChannel(self, address)

    def listen(self, received: Callable[[bytes, Address], None]) -> DatagramPort:
        """Be the server; ``received`` is called with each datagram and where it came from."""
        self._received = received
        return self

    def send(self, data: bytes, to: Address) -> None:
        """As DatagramPort.send."""
        self._travel(self._arrive_back, data, to)

    def close(self) -> None:
        """As DatagramPort.close."""
        self._received = None

    def send_from(self, data: bytes, address: Address) -> None:
        """A client sends."""
        self._travel(self._arrive, data, address)

    def close_client(self, address: Address) -> None:
        """A client is gone."""
        self._clients.pop(address, None)

    def _travel(self, arrive: _Arrive, data: bytes, address: Address) -> None:
        now_us = self._clock.now_us()
        if now_us != self._sent_us:
            self._sent_us, self._travelling = now_us, []
            travel = self._clock.timeout(self._delay_us, self._travelling)
            travel.callbacks.append(self._arrived)
        self._travelling.append((arrive, data, address))

    def _arrived(self, travel: Any) -> None:
        self._sent_us = -1  # without a delay, an answer now is a journey of its own
        for arrive, data, address in travel.value:
            arrive(data, address)

    def _arrive_back(self, data: bytes, address: Address) -> None:
        self._clients.get(address, _nowhere)(data)

    def _arrive(self, data: bytes, address: Address) -> None:
        if self._received is not None:
            self._received(data, address)


class _MemoryChannel:
    def __init__(self, datagrams: MemoryDatagrams, address: Address) -> None:
        self._datagrams = datagrams
        self._address = address
        self._is_open = True

    def send(self, data: bytes) -> None:
        if self._is_open:
            self._datagrams.send_from(data, self._address)

    def close(self) -> None:
        self._is_open = False
        self._datagrams.close_client(self._address)


def _nowhere(data: bytes) -> None:
    """Where datagrams to a closed socket end."""


class _Arrivals:
    """
    Datagrams that came in one turn of the loop, let in all at one time.

    Reading all of them first and then handling them keeps both in the processor's caches, and time
    advances once.
    """

    def __init__(self, clock: WallClock) -> None:
        self.arrived: list[tuple[Callable[[bytes], None], bytes]] = []
        self.call_soon = asyncio.get_running_loop().call_soon
        self._clock = clock

    def deliver(self) -> None:
        """Let in what came."""
        self._clock.enter(self._deliver)

    def _deliver(self) -> None:
        arrived = self.arrived.copy()
        self.arrived.clear()
        for received, data in arrived:
            received(data)


class UdpTransport:
    """
    DatagramTransport over UDP; what is sent before a socket is open waits for it.

    Raises:
        ValueError: ``address`` is not ``host:port``.
    """

    def __init__(self, clock: WallClock, address: str) -> None:
        self.clock = clock
        self.host, self.port = host_and_port(address)
        self._tasks: set[asyncio.Task[None]] = set()
        self._channels: list[UdpChannel] = []
        self._arrivals = _Arrivals(clock)

    def channel(
        self, received: Callable[[bytes], None], failed: Callable[[str], None]
    ) -> DatagramChannel:
        """As DatagramTransport.channel."""
        channel = UdpChannel(self.clock, self._arrivals, received, failed)
        self._channels.append(channel)
        task = asyncio.get_running_loop().create_task(channel.open(self.host, self.port))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return channel

    def close(self) -> None:
        """Close every channel."""
        for channel in self._channels:
            channel.close()


class UdpChannel(asyncio.DatagramProtocol):
    """A connected UDP socket."""

    def __init__(
        self,
        clock: WallClock,
        arrivals: _Arrivals,
        received: Callable[[bytes], None],
        failed: Callable[[str], None],
    ) -> None:
        self._enter = clock.enter
        self._arrived = arrivals.arrived
        self._call_soon = arrivals.call_soon
        self._deliver = arrivals.deliver
        self.received = received
        self._failed = failed
        self._waiting: list[bytes] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._is_closed = False

    async def open(self, host: str, port: int) -> None:
        """Open the socket; a failure is told."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_datagram_endpoint(lambda: self, remote_addr=(host, port))
        except OSError as problem:
            self._enter(self._fail, f"could not open a socket to {host}: {reason_of(problem)}")

    def send(self, data: bytes) -> None:
        """As DatagramChannel.send."""
        if self._transport is not None:
            self._transport.sendto(data)
        elif not self._is_closed:
            self._waiting.append(data)

    def close(self) -> None:
        """As DatagramChannel.close."""
        self._is_closed = True
        self.received = _nowhere
        self._waiting.clear()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # uvloop's do not inherit
        if self._is_closed:
            self.close()
            return
        _enlarge(transport)
        for data in self._waiting:
            self._transport.sendto(data)
        self._waiting.clear()
        self.send = self._transport.sendto  # type: ignore[method-assign]  # one call less per frame

    def datagram_received(self, data: bytes, addr: Address) -> None:
        arrived = self._arrived
        arrived.append((self.received, data))
        if len(arrived) == 1:
            self._call_soon(self._deliver)

    def error_received(self, exc: Exception) -> None:
        self._enter(self._fail, reason_of(exc))

    def _fail(self, reason: str) -> None:
        if not self._is_closed:
            self._failed(reason)


class UdpPort(asyncio.DatagramProtocol):
    """A server's UDP socket; open it with ``listen``."""

    def __init__(self, clock: Entrance, received: Callable[[bytes, Address], None]) -> None:
        self._enter = clock.enter
        self._received = received
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0

    @classmethod
    async def listen(
        cls,
        clock: Entrance,
        received: Callable[[bytes, Address], None],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> UdpPort:
        """
        Open a port; 0 takes a free one.

        Raises:
            TransportError: the port is taken, or not ours to take.
        """
        loop = asyncio.get_running_loop()
        try:
            _, server = await loop.create_datagram_endpoint(
                lambda: cls(clock, received), local_addr=(host, port)
            )
        except OSError as problem:
            raise TransportError(f"could not listen on {host}: {reason_of(problem)}") from problem
        return server

    def send(self, data: bytes, to: Address) -> None:
        """As DatagramPort.send."""
        if self._transport is not None:
            self._transport.sendto(data, to)

    def close(self) -> None:
        """As DatagramPort.close."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]
        _enlarge(transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._enter(self._received, data, addr)

    def error_received(self, exc: Exception) -> None:
        """A client is gone: its own affair."""


def host_and_port(address: str) -> tuple[str, int]:
    """
    Parse ``host:port``, ``[::1]:port`` among them.

    Raises:
        ValueError: anything else.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError(f"expected host:port; got {address!r}")
    return host.strip("[]"), int(port)


def _enlarge(transport: asyncio.BaseTransport) -> None:
    opened = transport.get_extra_info("socket")
    if opened is not None:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
