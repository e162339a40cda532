"""
A gateway that runs Semtech's packet forwarder: frames and status as UDP datagrams.

Two sockets, hence two source ports: PUSH_DATA and its PUSH_ACK on one; PULL_DATA, PULL_ACK,
PULL_RESP and TX_ACK on the other. What does not belong to the protocol is noted and ignored, as the
real one does; a datagram that gets lost is not sent again.

Source: Lora-net/packet_forwarder 4.0.1, PROTOCOL.TXT and lora_pkt_fwd/src/lora_pkt_fwd.c.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from functools import partial
from typing import Any

import orjson
import simpy

from simulators.clock import MICROSECONDS, Clock
from simulators.gateways.concentrator import Concentrator
from simulators.gateways.forwarder_schedule import ForwarderSchedule
from simulators.gateways.forwarder_settings import ForwarderSettings
from simulators.gateways.observing import Observer
from simulators.lorawan.gps_time import to_gps_us
from simulators.lorawan.modulation import Fsk, Modulation
from simulators.radio.transmission import Reception
from simulators.transports.udp import DatagramChannel, DatagramTransport
from simulators.wire import fields
from simulators.wire.errors import WireError
from simulators.wire.semtech_packets import (
    Stat,
    channel_json,
    frame_json,
    iso_time,
    lora_frame_json,
    stat_json,
)
from simulators.wire.semtech_udp import (
    MOST_RXPK,
    PUSH_ACK,
    VERSION,
    PullAck,
    PullData,
    PullResp,
    TxAck,
    decode,
    encode,
    push_data,
    push_frame,
)

PUSH_TIMEOUT_US = 100_000  # a PUSH_ACK that comes later does not count
NEVER_US = -1_000_000_000
_MASK = 0xFFFFFFFF  # of the counter, what is shown
SHOWN_BYTES = 64  # of a datagram that is not understood

Steps = Generator[simpy.Event, Any, None]


class PacketForwarder:
    """The gateway of a concentrator; ``start`` it once."""

    def __init__(
        self,
        concentrator: Concentrator,
        *,
        clock: Clock,
        datagrams: DatagramTransport,
        rng: random.Random,
        settings: ForwarderSettings,
        observer: Observer | None = None,
    ) -> None:
        self.name = concentrator.name
        self.eui = concentrator.eui
        self.concentrator = concentrator
        self.settings = settings
        self.schedule = ForwarderSchedule(concentrator, clock, settings)
        self.forwarded = 0  # frames
        self.pushed = self.acknowledged = 0  # PUSH_DATA
        self.downlinks = 0  # PULL_RESP
        self._clock = clock
        self._datagrams = datagrams
        self._token = partial(rng.getrandbits, 16)
        self._observer = observer
        self._eui = bytes.fromhex(self.eui)
        self._is_brief = observer is None and not (settings.has_gps or settings.collect_us)
        self._channels: dict[tuple[int, Modulation], bytes] = {}
        self._collected: list[bytes] = []
        self._unacknowledged: dict[int, int] = {}  # token: when it was sent
        self._pull_token = -1
        self._up: DatagramChannel
        self._down: DatagramChannel
        concentrator.heard_frame = self._heard

    def start(self) -> None:
        """Listen on both sides, and say hello to the server."""
        self._up = self._datagrams.channel(self._on_up, self._failed)
        self._down = self._datagrams.channel(self._on_down, self._failed)
        self.concentrator.listen()
        self._clock.process(self._keep_alive())
        self._clock.process(self._report())
        if self.settings.has_gps and self.settings.beacons is not None:
            self._clock.process(self.schedule.broadcast(self.settings.beacons))

    def stop(self) -> None:
        """Hear nothing any more, on either side."""
        self.concentrator.stop()
        self._up.close()
        self._down.close()

    # Upstream.

    def _heard(self, count_us: int, reception: Reception) -> None:
        transmission, rssi_dbm, snr_db = reception
        modulation, payload = transmission.modulation, transmission.payload
        key = (transmission.frequency_hz, modulation)
        where = self._channels.get(key) or self._channel(*key)
        is_fsk = modulation.__class__ is Fsk
        if self._is_brief and not is_fsk:
            # Nearly every frame of a large fleet goes this way, which is the shortest.
            token = self._token()
            self._unacknowledged[token] = self._clock.now_us()
            self.forwarded += 1
            self.pushed += 1
            tmst = count_us & _MASK
            self._up.send(push_frame(token, self._eui, tmst, where, rssi_dbm, snr_db, payload))
            return
        if self.settings.has_gps:
            where = self._time() + where
        if is_fsk:
            packet = frame_json(count_us & _MASK, where, rssi_dbm, payload)
        else:
            packet = lora_frame_json(count_us & _MASK, where, rssi_dbm, snr_db, payload)
        self._collected.append(packet)
        self._push_soon()

    def _channel(self, frequency_hz: int, modulation: Modulation) -> bytes:
        """What is the same in every frame of a channel and data rate; made once for each."""
        number = self.concentrator.plan.number(frequency_hz, modulation)
        made = channel_json(frequency_hz, modulation, number or 0)
        self._channels[frequency_hz, modulation] = made
        return made

    def _time(self) -> bytes:
        unix_us = self._clock.unix_us()
        return f'"time":"{iso_time(unix_us)}","tmms":{to_gps_us(unix_us) // 1000},'.encode()

    def _push_soon(self) -> None:
        if not self.settings.collect_us:
            self._push_collected()
        elif len(self._collected) == 1:
            wait = self._clock.timeout(self.settings.collect_us)
            wait.callbacks.append(self._push_collected)

    def _push_collected(self, _: simpy.Event | None = None) -> None:
        collected, self._collected = self._collected, []
        for begin in range(0, len(collected), MOST_RXPK):
            packets = collected[begin : begin + MOST_RXPK]
            self.forwarded += len(packets)
            self._push(b'{"rxpk":[%b]}' % b",".join(packets))

    def _push(self, body: bytes) -> None:
        token = self._token()
        self._unacknowledged[token] = self._clock.now_us()
        self.pushed += 1
        if self._observer is not None:
            self._tell("uplink", {"type": "PUSH_DATA", "token": token, **orjson.loads(body)})
        self._up.send(push_data(token, self._eui, body))

    def _on_up(self, data: bytes) -> None:
        if len(data) < 4 or data[0] != VERSION or data[3] != PUSH_ACK:
            self._ignore(data, "expected PUSH_ACK")
            return
        token = data[1] << 8 | data[2]
        sent_us = self._unacknowledged.pop(token, NEVER_US)
        is_counted = self._clock.now_us() - sent_us <= PUSH_TIMEOUT_US
        self.acknowledged += is_counted
        if self._observer is not None:
            self._tell_acknowledgement("PUSH_ACK", token, is_counted)

    # Downstream.

    def _on_down(self, data: bytes) -> None:
        try:
            datagram = decode(data)
        except WireError as problem:
            self._ignore(data, str(problem))
            return
        if isinstance(datagram, PullAck) and datagram.version == VERSION:
            is_awaited = datagram.token == self._pull_token
            self._tell_acknowledgement("PULL_ACK", datagram.token, is_awaited)
        elif isinstance(datagram, PullResp) and datagram.version == VERSION:
            self._pull_resp(datagram, data[4:])
        else:
            self._ignore(data, "expected PULL_ACK or PULL_RESP of version 2")

    def _pull_resp(self, datagram: PullResp, body: bytes) -> None:
        self.downlinks += 1
        if self._observer is not None:
            told = {**fields.read_object(body), "type": "PULL_RESP", "token": datagram.token}
            self._tell("downlink", told)
        error, power_dbm = self.schedule.take(datagram.txpk)
        warning = None if power_dbm is None else "TX_POWER"
        acknowledgement = TxAck(datagram.token, self.eui, error, warning, power_dbm)
        if self._observer is not None:
            self._tell("uplink", {"type": "TX_ACK", **_told(acknowledgement)})
        self._down.send(encode(acknowledgement))

    # At regular times.

    def _keep_alive(self) -> Steps:
        while True:
            self._pull_token = token = self._token()
            self._tell("uplink", {"type": "PULL_DATA", "token": token})
            self._down.send(encode(PullData(token, self.eui)))
            yield self._clock.sleep(self.settings.keep_alive_s)

    def _report(self) -> Steps:
        before = self._totals()
        while True:
            yield self._clock.sleep(self.settings.stat_s)
            totals = self._totals()
            since = [now - then for now, then in zip(totals, before, strict=True)]
            before = totals
            self._forget_old_tokens()
            self._push(b'{"stat":%b}' % stat_json(self._stat(since)).encode())

    def _totals(self) -> list[int]:
        received, transmitted = self.concentrator.received, self.schedule.transmitted
        return [
            received, self.forwarded, self.pushed, self.acknowledged, self.downlinks, transmitted,
        ]  # fmt: skip

    def _stat(self, since: list[int]) -> Stat:
        received, forwarded, pushed, acknowledged, downlinks, transmitted = since
        return Stat(
            self._clock.unix_us() // MICROSECONDS,
            self.settings.latitude,
            self.settings.longitude,
            self.settings.altitude_m,
            received,
            received,
            forwarded,
            100.0 * acknowledged / pushed if pushed else 0.0,
            downlinks,
            transmitted,
        )

    def _forget_old_tokens(self) -> None:
        since_us = self._clock.now_us() - PUSH_TIMEOUT_US
        waiting = self._unacknowledged.items()
        self._unacknowledged = {token: sent for token, sent in waiting if sent >= since_us}

    # Into the trace.

    def _tell(self, direction: str, message: dict[str, Any]) -> None:
        if self._observer is not None:
            self._observer.event(self.name, direction, "udp", message)

    def _tell_acknowledgement(self, kind: str, token: int, is_awaited: bool) -> None:
        told: dict[str, Any] = {"type": kind, "token": token}
        self._tell("downlink", told if is_awaited else {**told, "ignored": "not awaited"})

    def _ignore(self, data: bytes, reason: str) -> None:
        shown = data[:SHOWN_BYTES].hex()
        self._tell("downlink", {"ignored": reason, "bytes": len(data), "begins": shown})

    def _failed(self, reason: str) -> None:
        self._tell("none", {"failure": reason})


def _told(acknowledgement: TxAck) -> dict[str, Any]:
    told = {
        "token": acknowledgement.token,
        "error": acknowledgement.error,
        "warn": acknowledgement.warning,
        "value": acknowledgement.value,
    }
    return {key: value for key, value in told.items() if value is not None}
