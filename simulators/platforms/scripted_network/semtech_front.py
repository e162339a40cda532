"""The network's side of Semtech's UDP protocol."""

from __future__ import annotations

from simulators.platforms.scripted_network.core import Answer, Window
from simulators.platforms.scripted_network.gathering import Copy, Gathering
from simulators.transports.udp import Address, DatagramPort
from simulators.wire.errors import WireError
from simulators.wire.semtech_packets import TxPk
from simulators.wire.semtech_udp import (
    PullAck,
    PullData,
    PullResp,
    PushAck,
    PushData,
    TxAck,
    decode,
    encode,
)

SECOND_US = 1_000_000
WRAP = 1 << 32
ANTENNA_DBI = 2.15
POWERS_DBM = (27, 26, 23, 20, 17, 16, 14, 13, 12, 11, 10, 6, 3, 0)  # those that forwarders know
TOKENS = 1 << 16


class SemtechFront:
    """Answers gateways on one port; give ``received`` to the port, and the port to ``open``."""

    def __init__(self, gathering: Gathering) -> None:
        self.gathering = gathering
        self.tokens = 0
        self.second_tries: dict[int, tuple[_Forwarder, TxPk]] = {}
        self._port: DatagramPort | None = None
        self._gateways: dict[str, _Forwarder] = {}

    def open(self, port: DatagramPort) -> None:
        """Where answers go out."""
        self._port = port

    def received(self, data: bytes, address: Address) -> None:
        """A datagram came; what is no datagram of the protocol is ignored."""
        try:
            datagram = decode(data)
        except WireError:
            return
        if isinstance(datagram, PushData):
            self.send(encode(PushAck(datagram.token)), address)
            gateway = self._gateway(datagram.gateway_eui)
            for packet in datagram.rxpk:
                if packet.crc == 1:
                    self.gathering.heard(
                        Copy(
                            gateway,
                            packet.data,
                            packet.frequency_hz,
                            packet.modulation,
                            packet.rssi_dbm,
                            packet.snr_db or 0.0,
                            packet.tmst,
                        )
                    )
        elif isinstance(datagram, PullData):
            self._gateway(datagram.gateway_eui).address = address
            self.send(encode(PullAck(datagram.token)), address)
        elif isinstance(datagram, TxAck):
            self._sent(datagram)

    def send(self, data: bytes, address: Address) -> None:
        """Send a datagram."""
        if self._port is not None:
            self._port.send(data, address)

    def power_dbm(self, frequency_hz: int) -> int:
        """As much as the region allows there, of the powers that there are."""
        region = self.gathering.network.plan.region
        try:
            most = region.sub_band(frequency_hz).max_eirp_dbm - ANTENNA_DBI
        except ValueError:
            most = 0.0
        return next((power for power in POWERS_DBM if power <= most), POWERS_DBM[-1])

    def _gateway(self, eui: str) -> _Forwarder:
        return self._gateways.setdefault(eui, _Forwarder(self))

    def _sent(self, ack: TxAck) -> None:
        """What does not fit into the first window is tried in the second."""
        second = self.second_tries.pop(ack.token, None)
        if second is not None and ack.error is not None:
            gateway, packet = second
            gateway.pull(packet)


class _Forwarder:
    """One gateway; without ``address`` it has not asked for downlinks yet."""

    def __init__(self, front: SemtechFront) -> None:
        self._front = front
        self.address: Address | None = None

    def send(self, answer: Answer, heard: Copy) -> None:
        first_us = heard.stamp + answer.delay_s * SECOND_US
        token = self.pull(self._packet(answer.phy, answer.rx1, first_us))
        second = self._packet(answer.phy, answer.rx2, first_us + SECOND_US)
        self._front.second_tries[token] = (self, second)

    def pull(self, packet: TxPk) -> int:
        front = self._front
        front.tokens = token = (front.tokens + 1) % TOKENS
        if self.address is not None:
            front.send(encode(PullResp(token, packet)), self.address)
        return token

    def _packet(self, phy: bytes, window: Window, at_us: int) -> TxPk:
        return TxPk(
            window.frequency_hz,
            window.modulation,
            phy,
            tmst=at_us % WRAP,
            power_dbm=self._front.power_dbm(window.frequency_hz),
            inverts_polarity=True,
            has_crc=False,
        )
