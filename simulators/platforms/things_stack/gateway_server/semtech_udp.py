"""
Semtech's UDP protocol: packet forwarders and their datagrams.

Acknowledgements are sent before anybody is looked up: they say that a datagram came, not whose it
was. A gateway is known by its EUI alone.

Source: Semtech PROTOCOL.TXT; The Things Stack, pkg/gatewayserver/io/udp.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec

from simulators.lorawan.errors import LoRaWanError
from simulators.platforms.effects import Datagram
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.gateway_server import semtech_packets as packets
from simulators.platforms.things_stack.gateway_server.connection import Connection, Transmission
from simulators.platforms.things_stack.gateway_server.upstream import Reception
from simulators.platforms.things_stack.messages import Downlink
from simulators.wire.semtech_packets import TxPk
from simulators.wire.semtech_udp import PullResp, encode

if TYPE_CHECKING:
    from simulators.platforms.things_stack.gateway_server.server import GatewayServer

PUSH_DATA, PUSH_ACK, PULL_DATA, PULL_ACK, TX_ACK = 0, 1, 2, 4, 5
SECOND_US = 1_000_000
DOWNLINK_PATH_US = 90 * SECOND_US  # after the last PULL_DATA
CONNECTION_US = 180 * SECOND_US  # after the last datagram
REFUSED_US = 300 * SECOND_US  # for so long nobody asks again whether a gateway may connect
LATE_US = 800_000  # before its time a frame is sent to a gateway that can keep only one
BURST_US = 10_000
_HEAD, _EUI_END = 4, 12
_MOST_EUIS = 10_000
_MOST_TOKENS = 32
_DIPOLE_DBI = 2.15
_RESULTS = {
    "": "SUCCESS",
    "NONE": "SUCCESS",
    **{
        name: name
        for name in ("TOO_LATE", "TOO_EARLY", "COLLISION_BEACON", "COLLISION_PACKET", "TX_FREQ",
                     "TX_POWER", "GPS_UNLOCKED")
    },
}  # fmt: skip


class SemtechFrontend:
    """All packet forwarders."""

    def __init__(self, server: GatewayServer) -> None:
        self.server = server
        self.outbox = server.stack.outbox
        self._forwarders: dict[bytes, Forwarder] = {}
        self._refused: OrderedDict[bytes, int] = OrderedDict()  # until when
        self._bursts: OrderedDict[bytes, list[int]] = OrderedDict()
        self._burst = server.stack.policy.udp_burst
        self._block_us = server.stack.policy.udp_address_block_s * SECOND_US
        self._hosts: OrderedDict[bytes, tuple[str, int]] = OrderedDict()  # who spoke, when

    def datagram(self, data: bytes, address: Any, now_us: int) -> None:
        """A datagram came; what is no message of a gateway is ignored."""
        if len(data) < _EUI_END:
            return
        kind, eui = data[3], data[_HEAD:_EUI_END]
        if kind not in _HANDLERS or (self._burst and self._is_too_much(eui, now_us)):
            return
        if self._block_us and self._is_from_elsewhere(eui, address, now_us):
            return
        if kind != TX_ACK:
            acknowledged = PUSH_ACK if kind == PUSH_DATA else PULL_ACK
            self.outbox.append(Datagram(address, data[:3] + bytes((acknowledged,))))
        forwarder = self._forwarders.get(eui) or self._connect(eui, address, now_us)
        if forwarder is not None:
            forwarder.last_us = now_us
            _HANDLERS[kind](forwarder, data, address, now_us)

    def forget(self, eui: bytes) -> None:
        """A gateway's connection is over."""
        self._forwarders.pop(eui, None)

    def _is_too_much(self, eui: bytes, now_us: int) -> bool:
        """Whether as many datagrams came in the last 10 ms as are let pass."""
        passed = self._bursts.get(eui)
        if passed is None:
            passed = self._bursts[eui] = []
            if len(self._bursts) > _MOST_EUIS:
                self._bursts.popitem(last=False)
        if len(passed) >= self._burst:
            if now_us - passed[0] < BURST_US:
                return True
            del passed[0]
        passed.append(now_us)
        return False

    def _is_from_elsewhere(self, eui: bytes, address: Any, now_us: int) -> bool:
        """Whether another host has spoken for this gateway a short time ago."""
        host, (known, last_us) = _ip_of(address), self._hosts.pop(eui, ("", 0))
        is_other = known not in ("", host) and now_us - last_us < self._block_us
        self._hosts[eui] = (known, last_us) if is_other else (host, now_us)
        if len(self._hosts) > _MOST_EUIS:
            self._hosts.popitem(last=False)
        return is_other

    def _connect(self, eui: bytes, address: Any, now_us: int) -> Forwarder | None:
        until_us = self._refused.get(eui)
        if until_us is not None:
            if now_us < until_us:
                return None
            del self._refused[eui]
        server = self.server
        forwarder = Forwarder(self, eui)
        try:
            gateway = server.registry.by_eui(
                eui.hex().upper(), fallback_plan=server.stack.policy.fallback_plan
            )
            if gateway.document.get("require_authenticated_connection"):
                raise StackError("pkg/gatewayserver:unauthenticated_gateway_connection")
            connection = server.connect(gateway, forwarder, _ip_of(address), now_us)
        except StackError:
            self._refused[eui] = now_us + REFUSED_US
            if len(self._refused) > _MOST_EUIS:
                self._refused.popitem(last=False)
            return None
        forwarder.connection = connection
        forwarder.last_us = now_us
        self._forwarders[eui] = forwarder
        return forwarder


class Forwarder:
    """One gateway; its frames are stamped by a 32-bit count of microseconds."""

    protocol = "udp"

    def __init__(self, frontend: SemtechFrontend, eui: bytes) -> None:
        self._frontend = frontend
        self._server = frontend.server
        self._eui = eui
        self.connection: Connection
        self.last_us = 0
        self._pull: tuple[Any, bytes, int] | None = None  # address, version, since when
        self._has_queue = False  # it has told what became of a frame
        self._tokens = 0
        self._sent: OrderedDict[int, tuple[Downlink, int]] = OrderedDict()

    # --- from the gateway

    def push(self, data: bytes, address: Any, now_us: int) -> None:
        """PUSH_DATA."""
        try:
            body = packets.decode_push(data[_EUI_END:])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        received = body.rxpk
        if received:
            if len(received) > 1:
                received = _strongest(received)
            for packet in received:
                self._frame(packet, now_us)
        if body.stat is not None:
            status = packets.status(
                body.stat, version=self._server.version, ip=self.connection.remote_ip
            )
            self._server.upstream.status(self.connection, status, now_us)

    def _frame(self, packet: packets.RxPk, now_us: int) -> None:
        phy = packets.payload(packet)
        if phy is None:
            return
        try:
            frequency_hz, modulation, data_rate, frequency = packets.where(
                packet.freq, packet.modu, packet.datr, packet.codr
            )
        except (LoRaWanError, OverflowError):
            return
        metadata = packets.metadata(packet)
        settings = {"data_rate": data_rate, "frequency": frequency, "timestamp": packet.tmst}
        if "time" in metadata[0]:
            settings["time"] = metadata[0]["time"]
        count_us = self.connection.clock.from_wrapped(packet.tmst)
        reception = Reception(
            phy, frequency_hz, modulation, settings, metadata, packet.tmst, count_us,
            packets.gps_us(packet), packets.is_broken(packet),
        )  # fmt: skip
        self._server.upstream.uplink(self.connection, reception, now_us)

    def pull(self, data: bytes, address: Any, now_us: int) -> None:
        """PULL_DATA: downlinks go to where it came from."""
        self._pull = (address, data[:1], now_us)

    def tx_ack(self, data: bytes, address: Any, now_us: int) -> None:
        """TX_ACK; it also shows that the way of downlinks is still there."""
        if self._pull is not None:
            self._pull = (*self._pull[:2], now_us)
        error = ""
        body = data[_EUI_END:].strip(b" \t\r\n\0")
        if body:
            try:
                told = packets.decode_tx_ack(body).txpk_ack
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return
            error = "" if told is None else told.error
        self._has_queue = True
        downlink, sent_us = self._sent.pop(int.from_bytes(data[1:3], "big"), (None, now_us))
        if downlink is not None:
            self.connection.note_round_trip(now_us - sent_us)
        result = _RESULTS.get(error, "UNKNOWN_ERROR")
        self._server.upstream.tx_ack(self.connection, downlink, result, now_us)

    # --- Way

    def count_of(self, stamp: int) -> int:
        """See Way."""
        return self.connection.clock.from_wrapped(stamp)

    def check(self, now_us: int) -> None:
        """See Way."""
        if self._pull is None or now_us - self._pull[2] > DOWNLINK_PATH_US:
            raise StackError("pkg/gatewayserver/io/udp:downlink_path_expired")

    def send(self, transmission: Transmission, now_us: int) -> None:
        """At once to a gateway that has a queue, else just before it is to be sent."""
        is_late = self.connection.gateway.document.get("schedule_downlink_late")
        if self._has_queue and not is_late:
            self._write(transmission, now_us)
            return
        due_us = self.connection.clock.server_at(transmission.count_us) - LATE_US
        if due_us <= now_us:
            self._write(transmission, now_us)
        else:
            self._server.stack.agenda.at(due_us, lambda now_us: self._write(transmission, now_us))

    def close(self, reason: str) -> None:
        """See Way."""
        self._frontend.forget(self._eui)

    def is_silent(self, now_us: int) -> bool:
        """Whether nothing has come for so long that the gateway is gone."""
        return now_us - self.last_us > CONNECTION_US

    def _write(self, transmission: Transmission, now_us: int) -> None:
        if self._pull is None or now_us - self._pull[2] > DOWNLINK_PATH_US:
            return
        address, version, _ = self._pull
        self._tokens = token = (self._tokens + 1) & 0xFFFF
        self._sent[token] = (transmission.downlink, now_us)
        if len(self._sent) > _MOST_TOKENS:
            self._sent.popitem(last=False)
        response = PullResp(token, _txpk(transmission), version[0])
        self._frontend.outbox.append(Datagram(address, encode(response)))


_HANDLERS = {PUSH_DATA: Forwarder.push, PULL_DATA: Forwarder.pull, TX_ACK: Forwarder.tx_ack}


def _txpk(transmission: Transmission) -> TxPk:
    gps_us = transmission.gps_us
    return TxPk(
        transmission.frequency_hz,
        transmission.modulation,
        transmission.downlink.phy,
        tmst=transmission.count_us & 0xFFFFFFFF if gps_us is None else None,
        gps_ms=None if gps_us is None else gps_us // 1000,
        power_dbm=int(round(transmission.power_dbm - _DIPOLE_DBI, 3)),
        inverts_polarity=True,
        has_crc=not _is_lora(transmission),
    )


def _is_lora(transmission: Transmission) -> bool:
    return hasattr(transmission.modulation, "spreading_factor")


def _strongest(received: list[packets.RxPk]) -> list[packets.RxPk]:
    """Of the same frame the one with the best signal, in the order of the first ones."""
    best: dict[str, packets.RxPk] = {}
    for packet in received:
        other = best.get(packet.data)
        if other is None or packet.rssi > other.rssi:
            best[packet.data] = packet
    return list(best.values())


def _ip_of(address: Any) -> str:
    """An address's IP as statistics tell it; addresses in memory have none."""
    host = address[0] if isinstance(address, tuple) and address else ""
    return host if isinstance(host, str) and (":" in host or "." in host) else ""
