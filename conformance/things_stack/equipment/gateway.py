"""
A gateway that a script holds: Semtech UDP, one socket, every downlink kept with its time.

Knows no device: frames go in and out as bytes. Its scripts send a few datagrams a second, far
below the ten in 10 ms that a network takes from one gateway.
Source: Lora-net/packet_forwarder 4.0.1, PROTOCOL.TXT.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from conformance.things_stack.equipment.rates import airtime_s
from simulators.lorawan.modulation import Modulation
from simulators.wire import semtech_udp as wire
from simulators.wire.errors import WireError
from simulators.wire.semtech_packets import RxPk, Stat, TxPk

KEEP_ALIVE_S = 5.0
GPS_AHEAD_S = 18 - 315_964_800
"""From Unix time to GPS time: leap seconds since 2017, and where it begins."""
COUNTER = 2**32
LONGEST_AHEAD_US = 20_000_000


@dataclass(frozen=True)
class Downlink:
    """A frame that the network asked a gateway to send; ``tmst`` is the gateway's counter."""

    gateway: str
    packet: TxPk
    arrived_s: float

    @property
    def phy(self) -> bytes:
        """The frame."""
        return self.packet.data


@dataclass
class Gateway(asyncio.DatagramProtocol):
    """
    One gateway.

    One with GPS counts the microseconds of GPS time, whole milliseconds for receptions, and tells
    them (``tmms``). ``tx_error`` is what it answers to the next downlink instead of taking it
    (TX_ACK); ``lacks_ack`` keeps it silent about downlinks.
    """

    gateway_id: str
    eui: str
    plan: str = ""
    has_gps: bool = False
    tx_error: str | None = None
    lacks_ack: bool = False
    downlinks: list[Downlink] = field(default_factory=list)
    acknowledged: set[tuple[int, int]] = field(default_factory=set)
    transport: Any = None
    up: Any = None
    token: int = 0
    last_tmst: int = 0
    busy_until_s: float = 0.0

    async def open(self, host: str, port: int) -> None:
        """Take a socket and keep the way for downlinks open from now on."""
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(
            lambda: self, remote_addr=(host, port)
        )
        self.pulling = loop.create_task(self._pull())

    async def part(self, host: str, port: int) -> None:
        """Send PUSH_DATA from a socket of its own from now on, as many packet forwarders do."""
        loop = asyncio.get_running_loop()
        self.up, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(host, port)
        )

    def close(self) -> None:
        """Give the sockets back."""
        self.pulling.cancel()
        self.transport.close()
        if self.up is not None:
            self.up.close()

    def connection_made(self, transport: Any) -> None:
        """Nothing to do before the socket has its peer."""

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there: the script that waits for an answer will say so."""

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Keep what the network says; what is no datagram of the protocol is not for us."""
        try:
            datagram = wire.decode(data)
        except WireError:
            return
        if isinstance(datagram, wire.PullResp):
            self._take(datagram)
        elif isinstance(datagram, wire.PushAck | wire.PullAck):
            kind = wire.PUSH_ACK if isinstance(datagram, wire.PushAck) else wire.PULL_ACK
            self.acknowledged.add((kind, datagram.token))

    def _take(self, datagram: wire.PullResp) -> None:
        loop = asyncio.get_running_loop()
        self.downlinks.append(Downlink(self.gateway_id, datagram.txpk, loop.time()))
        self.busy_until_s = max(self.busy_until_s, loop.time() + self._occupied_s(datagram.txpk))
        error, self.tx_error = self.tx_error, None
        if not self.lacks_ack:
            self._send(wire.TxAck(datagram.token, self.eui, error))

    def _occupied_s(self, packet: TxPk) -> float:
        """From now until a downlink is over."""
        ahead_us = 0
        if packet.gps_ms is not None:
            ahead_us = packet.gps_ms * 1000 - self._count()
        elif packet.tmst is not None:
            ahead_us = (packet.tmst - self._count()) % COUNTER
        is_ahead = 0 <= ahead_us < LONGEST_AHEAD_US
        return ahead_us * is_ahead / 1e6 + airtime_s(packet.modulation, len(packet.data))

    def _count(self) -> int:
        if self.has_gps:
            return int((time.time() + GPS_AHEAD_S) * 1000) * 1000
        return int(asyncio.get_running_loop().time() * 1_000_000)

    def now(self) -> int:
        """
        The counter, in microseconds, at a place no earlier reception had.

        Receptions lie a millisecond apart at least, so that a downlink tells by its time what it
        answers.
        """
        self.last_tmst = max(self._count(), self.last_tmst + 1000)
        return self.last_tmst % COUNTER

    def hear(
        self,
        phy: bytes,
        *,
        frequency_hz: int,
        modulation: Modulation,
        rssi_dbm: float = -42.0,
        snr_db: float = 9.5,
        channel: int = 0,
        tmst: int | None = None,
        crc: int = 1,
    ) -> int:
        """
        Pass a frame on as if it had just been received.

        Returns:
            ``tmst``, the end of the reception.
        """
        at = self.now() if tmst is None else tmst
        gps_ms = self.last_tmst // 1000 if self.has_gps and tmst is None else None
        packet = RxPk(
            at, frequency_hz, modulation, phy, rssi_dbm, snr_db, channel, crc=crc, gps_ms=gps_ms
        )
        self._send(wire.PushData(self._token(), self.eui, (packet,)))
        return at

    def hear_both(self, frames: list[bytes], frequency_hz: int, modulation: Modulation) -> None:
        """Pass frames on in one datagram, together with a status."""
        packets = tuple(
            RxPk(self.now(), frequency_hz, modulation, each, -42.0, 9.5) for each in frames
        )
        self._send(wire.PushData(self._token(), self.eui, packets, Stat(received=len(frames))))

    def status(self, **numbers: Any) -> int:
        """Tell the network how the gateway is, by fields of Stat; returns the datagram's token."""
        token = self._token()
        self._send(wire.PushData(token, self.eui, (), Stat(**numbers)))
        return token

    async def pull(self, timeout_s: float = 2.0) -> bool:
        """Open the way for downlinks; whether the network acknowledged."""
        token = self._token()
        self._send(wire.PullData(token, self.eui))
        return await self.is_acknowledged(wire.PULL_ACK, token, timeout_s)

    async def is_acknowledged(self, kind: int, token: int, timeout_s: float = 2.0) -> bool:
        """Whether an acknowledgement of that kind and token comes in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while (kind, token) not in self.acknowledged and loop.time() < deadline:
            await asyncio.sleep(0.01)
        return (kind, token) in self.acknowledged

    async def _pull(self) -> None:
        while True:
            self._send(wire.PullData(self._token(), self.eui))
            await asyncio.sleep(KEEP_ALIVE_S)

    def _token(self) -> int:
        self.token = (self.token + 1) % 0x10000
        return self.token

    def _send(self, datagram: wire.Datagram) -> None:
        is_apart = self.up is not None and isinstance(datagram, wire.PushData)
        transport = self.up if is_apart else self.transport
        if not transport.is_closing():
            transport.sendto(wire.encode(datagram))


def delay_us(sent: int, downlink: Downlink) -> int | None:
    """From the end of an uplink to the start of a downlink; None when it is sent at once."""
    tmst = downlink.packet.tmst
    return None if tmst is None else (tmst - sent) % COUNTER


def gps_us(gateway: Gateway, downlink: Downlink) -> int | None:
    """When a gateway with GPS is to send a downlink; None when that is at once."""
    packet = downlink.packet
    if packet.gps_ms is not None:
        return packet.gps_ms * 1000
    last = gateway.last_tmst
    return None if packet.tmst is None else last + (packet.tmst - last) % COUNTER
