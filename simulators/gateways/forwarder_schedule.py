"""
The sending half of a packet forwarder: what it takes from the server, when, and its beacons.

Source: Lora-net/packet_forwarder 4.0.1, lora_pkt_fwd/src/lora_pkt_fwd.c (threads "down" and "jit");
Lora-net/sx1302_hal, packet_forwarder/src/lora_pkt_fwd.c (a warning about power).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

import simpy

from simulators.clock import MICROSECONDS, Clock
from simulators.gateways.beacons import Beacons
from simulators.gateways.concentrator import Concentrator, Frame
from simulators.gateways.counter import WRAP
from simulators.gateways.forwarder_settings import ForwarderSettings
from simulators.gateways.jit_queue import BEACONS_AHEAD, JitQueue, Kind, Slot
from simulators.lorawan.class_b import BEACON_PERIOD_S, next_beacon_s
from simulators.lorawan.gps_time import to_gps_us, to_unix_us
from simulators.radio.transmission import LORA_PREAMBLE_SYMBOLS
from simulators.wire.semtech_packets import TxPk

LEAST_PREAMBLE = 6


class Taken(NamedTuple):
    """What TX_ACK says: an error, or perhaps the power that is used instead of the one wanted."""

    error: str | None = None
    power_dbm: int | None = None


class ForwarderSchedule:
    """The frames that a gateway is going to send."""

    def __init__(
        self, concentrator: Concentrator, clock: Clock, settings: ForwarderSettings
    ) -> None:
        self.transmitted = 0
        self._concentrator = concentrator
        self._clock = clock
        self._settings = settings
        self._queue = JitQueue(settings.rules)

    def take(self, packet: TxPk) -> Taken:
        """A server wants this to be sent."""
        kind = _kind(packet)
        low_hz, high_hz = self._settings.transmits_hz
        if kind is Kind.GPS and not self._settings.has_gps:
            return Taken("GPS_UNLOCKED")
        if not low_hz <= packet.frequency_hz <= high_hz:
            return Taken("TX_FREQ")
        power_dbm = self._power_dbm(packet.power_dbm)
        if power_dbm is None:
            return Taken("TX_POWER")
        result = self._enqueue(kind, self._tmst(packet, kind), self._frame(packet, power_dbm))
        if isinstance(result, str):
            return Taken(result)
        return Taken(power_dbm=None if power_dbm == packet.power_dbm else power_dbm)

    def broadcast(self, beacons: Beacons) -> Generator[simpy.Event, Any, None]:
        """Keep three beacons in the queue, for ever; to be started with ``clock.process``."""
        gps_s = next_beacon_s(to_gps_us(self._clock.unix_us()) // MICROSECONDS)
        for ahead in range(BEACONS_AHEAD):
            self._enqueue_beacon(beacons, gps_s + ahead * BEACON_PERIOD_S)
        while True:
            # One second after its start a beacon is over.
            wait_us = self._clock_us(gps_s * MICROSECONDS) - self._clock.now_us() + MICROSECONDS
            yield self._clock.timeout(wait_us)
            self._enqueue_beacon(beacons, gps_s + BEACONS_AHEAD * BEACON_PERIOD_S)
            gps_s += BEACON_PERIOD_S

    def _power_dbm(self, wanted_dbm: int) -> int | None:
        powers = self._settings.powers_dbm
        if wanted_dbm in powers:
            return wanted_dbm
        if not self._settings.warns_of_power:
            return None
        return max((power for power in powers if power < wanted_dbm), default=min(powers))

    def _frame(self, packet: TxPk, power_dbm: int) -> Frame:
        preamble = LORA_PREAMBLE_SYMBOLS
        if packet.preamble is not None:
            preamble = max(LEAST_PREAMBLE, packet.preamble)
        return Frame(
            packet.data,
            packet.frequency_hz,
            packet.modulation,
            power_dbm + self._settings.antenna_gain_dbi,
            preamble=preamble,
            has_crc=packet.has_crc,
            has_header=packet.has_header,
            is_inverted=packet.inverts_polarity,
        )

    def _tmst(self, packet: TxPk, kind: Kind) -> int | None:
        if kind is Kind.GPS:
            assert packet.gps_ms is not None
            return self._stamp(self._clock_us(packet.gps_ms * 1000))
        return packet.tmst if kind is Kind.TIMED else 0

    def _clock_us(self, gps_us: int) -> int:
        return to_unix_us(gps_us) - self._clock.start_unix_us

    def _stamp(self, at_us: int) -> int | None:
        """The stamp of a moment; None where it would be taken for another one, an hour apart."""
        if not -WRAP // 2 < at_us - self._clock.now_us() < WRAP // 2:
            return None
        return self._concentrator.counter.count(at_us) % WRAP

    def _enqueue(self, kind: Kind, tmst: int | None, frame: Frame) -> Slot | str:
        if tmst is None:
            return "TOO_EARLY"
        present = self._concentrator.count()
        slot = self._queue.put(kind, tmst, frame.airtime_us, present % WRAP)
        if isinstance(slot, Slot):
            taken, count = slot, present + (slot.tmst - present) % WRAP
            self._concentrator.at(count, lambda: self._send(taken, frame, count))
        return slot

    def _enqueue_beacon(self, beacons: Beacons, gps_s: int) -> None:
        frame, at_us = beacons.frame(gps_s), self._clock_us(gps_s * MICROSECONDS)
        result = self._enqueue(Kind.BEACON, self._stamp(at_us), frame)
        if isinstance(result, str):
            count = self._concentrator.counter.count(at_us)
            self._concentrator.tell_unsent(frame, result, count)

    def _send(self, slot: Slot, frame: Frame, count: int) -> None:
        if self._concentrator.send(frame, count) is None:
            self.transmitted += 1
        over = self._clock.timeout(frame.airtime_us)
        over.callbacks.append(lambda _: self._queue.remove(slot))


def _kind(packet: TxPk) -> Kind:
    if packet.is_immediate:
        return Kind.IMMEDIATE
    return Kind.GPS if packet.tmst is None else Kind.TIMED
