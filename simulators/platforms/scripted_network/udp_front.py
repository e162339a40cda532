"""The scripted network behind Semtech's UDP protocol."""

from __future__ import annotations

from collections.abc import Callable

from simulators.clock import MICROSECONDS, Clock
from simulators.lorawan.modulation import Fsk
from simulators.platforms.scripted_network.network import Answer, ScriptedNetwork, Window
from simulators.transports.udp import Address, DatagramPort
from simulators.wire.errors import WireError
from simulators.wire.semtech_packets import RxPk, TxPk
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

POWER_DBM = 14
STAMPS = 1 << 32


class UdpFront:
    """
    Serves gateways on a port; ``listen`` is given what takes datagrams, and gives that port.

    A downlink goes out for the first window; one that the gateway refuses, for the second.
    """

    def __init__(
        self,
        network: ScriptedNetwork,
        clock: Clock,
        listen: Callable[[Callable[[bytes, Address], None]], DatagramPort],
        *,
        power_dbm: int = POWER_DBM,
    ) -> None:
        self._network = network
        self._clock = clock
        self._power_dbm = power_dbm
        self._downlinks: dict[str, Address] = {}  # EUI: where PULL_DATA came from
        self._pending: dict[int, tuple[str, TxPk]] = {}  # token: what to try next
        self._token = 0
        self.refused: list[str] = []
        self._port = listen(self._take)

    def close(self) -> None:
        """Serve no longer."""
        self._port.close()

    def _take(self, data: bytes, address: Address) -> None:
        try:
            datagram = decode(data)
        except WireError:
            return
        if isinstance(datagram, PushData):
            self._port.send(encode(PushAck(datagram.token)), address)
            for packet in datagram.rxpk:
                self._uplink(datagram.gateway_eui, packet)
        elif isinstance(datagram, PullData):
            self._downlinks[datagram.gateway_eui] = address
            self._port.send(encode(PullAck(datagram.token)), address)
        elif isinstance(datagram, TxAck):
            self._sent(datagram)

    def _uplink(self, eui: str, packet: RxPk) -> None:
        answer = self._network.uplink(
            packet.data, packet.frequency_hz, packet.modulation, self._clock.now_us()
        )
        if answer is None or eui not in self._downlinks:
            return
        stamp = packet.tmst + answer.delay_us
        first = self._packet(answer, answer.rx1, stamp)
        second = self._packet(answer, answer.rx2, stamp + MICROSECONDS)
        self._send(eui, first, second)

    def _packet(self, answer: Answer, window: Window, stamp: int) -> TxPk:
        is_fsk = isinstance(window.modulation, Fsk)
        return TxPk(
            window.frequency_hz,
            window.modulation,
            answer.phy_payload,
            tmst=stamp % STAMPS,
            power_dbm=self._power_dbm,
            inverts_polarity=not is_fsk,
            has_crc=is_fsk,
        )

    def _send(self, eui: str, packet: TxPk, then: TxPk | None) -> None:
        self._token = self._token % 0xFFFF + 1
        if then is not None:
            self._pending[self._token] = (eui, then)
        datagram = encode(PullResp(self._token, packet))
        self._port.send(datagram, self._downlinks[eui])

    def _sent(self, acknowledgement: TxAck) -> None:
        pending = self._pending.pop(acknowledgement.token, None)
        if acknowledgement.error is None:
            return
        self.refused.append(acknowledgement.error)
        if pending is not None:
            self._send(*pending, None)
