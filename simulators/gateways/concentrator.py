"""
The radio of a gateway: it stamps what it hears and sends at a stamp; never both at a time.

What is due at a stamp happens at exactly that time of the clock. How late the host was with it
stands apart, in ``lateness``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from simulators.clock import Clock
from simulators.gateways.access import Access
from simulators.gateways.channels import ChannelPlan
from simulators.gateways.counter import WRAP, Counter
from simulators.gateways.observing import Observer, channel_fields, frame_fields
from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.modulation import Fsk, Modulation
from simulators.radio.station import Listens, Receiver
from simulators.radio.transmission import (
    LORA_PREAMBLE_SYMBOLS,
    Position,
    Reception,
    Transmission,
)
from simulators.transports.histogram import Histogram

MEASURED_ONE_IN = 8  # received frames: to look at the machine's clock costs as much as the rest
SORT_AFTER = 1000  # values of lateness that may lie about unsorted


class Air(Protocol):
    """The medium as a gateway needs it; ``simulators.radio.medium.Medium`` is one."""

    def attach(self, receiver: Receiver, *, listens: Listens | None, demodulators: int) -> None:
        """Begin to hear, or go on with another plan."""

    def detach(self, name: str) -> None:
        """Hear nothing any more."""

    def transmit(self, transmission: Transmission) -> None:
        """A frame starts now."""

    def is_busy(
        self,
        position: Position,
        frequency_hz: int,
        *,
        for_us: int,
        threshold_dbm: float,
        except_from: str,
    ) -> bool:
        """Whether somebody was on air."""


# What a gateway does with a frame that arrived: the counter at its end, how it was received.
HeardFrame = Callable[[int, Reception], None]


class Frame(NamedTuple):
    """
    A frame to be sent; ``power_dbm`` is EIRP.

    Downlinks are sent with inverted chirps, which only devices hear; frames that are not are heard
    by gateways alone. Beacons are the exception: not inverted, with an implicit header, and heard
    by devices that await one.
    """

    payload: bytes
    frequency_hz: int
    modulation: Modulation
    power_dbm: float
    preamble: int = LORA_PREAMBLE_SYMBOLS
    has_crc: bool = False
    has_header: bool = True
    is_inverted: bool = True

    @property
    def airtime_us(self) -> int:
        """Time on air."""
        return time_on_air_us(
            self.modulation,
            len(self.payload),
            preamble=self.preamble,
            implicit_header=not self.has_header,
            has_crc=self.has_crc,
        )

    @property
    def is_for_devices(self) -> bool:
        """Whether devices can hear it at all; FSK knows no inversion."""
        return self.is_inverted or not self.has_header or isinstance(self.modulation, Fsk)


class Concentrator:
    """
    The radio of the gateway ``name``, whose EUI it has from the factory.

    ``heard_frame`` is called with each frame; ``lateness`` holds, in µs, how late the host was with
    each frame that it sent, and with every eighth that it received.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        air: Air,
        *,
        eui: str,
        position: Position = (0.0, 0.0, 0.0),
        plan: ChannelPlan,
        counter: Counter | None = None,
        access: Access | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.name = name
        self.eui = eui
        self.position = position
        self.plan = plan
        self.counter = counter or Counter()
        self.access = access or Access()
        self.lateness = Histogram()
        self.received = 0
        self.transmitted = 0
        self.heard_frame: HeardFrame = _nobody
        self._clock = clock
        self._air = air
        self._observer = observer
        self._sends_until_us = 0

    def listen(self, plan: ChannelPlan | None = None) -> None:
        """Begin to hear; with ``plan`` something else than before."""
        self.plan = plan or self.plan
        self._air.attach(self, listens=self.plan.listens, demodulators=self.plan.demodulators)

    def stop(self) -> None:
        """Hear nothing any more."""
        self._air.detach(self.name)

    def count(self) -> int:
        """What the counter shows now."""
        return self.counter.count(self._clock.now_us())

    def at(self, count: int, call: Callable[[], None]) -> None:
        """Call ``call`` when the counter shows ``count``, at once if it has shown it before."""
        wait_us = self.counter.at_us(count) - self._clock.now_us()
        due = self._clock.timeout(max(0, wait_us))
        due.callbacks.append(lambda _: call())

    def send(self, frame: Frame, count: int) -> str | None:
        """
        Send now, which is when the counter shows ``count``.

        Returns:
            Why not, in a few words; None when the frame is on air.
        """
        now_us = self._clock.now_us()
        refusal = self._refusal(frame, now_us)
        if refusal is not None:
            self.tell_unsent(frame, refusal, count)
            return refusal
        self._note_lateness()
        airtime_us = frame.airtime_us
        self._sends_until_us = now_us + airtime_us
        self.transmitted += 1
        if self.access.duty_cycle is not None:
            self.access.duty_cycle.spend(frame.frequency_hz, now_us, airtime_us)
        power_dbm = round(frame.power_dbm, 2)
        self._tell(frame, count, {"power_dbm": power_dbm, "airtime_us": airtime_us})
        self._air.transmit(self._transmission(frame, now_us))
        return None

    def tell_unsent(self, frame: Frame, reason: str, count: int) -> None:
        """Into the trace: a frame that was to be sent at ``count`` and is not."""
        self._tell(frame, count, {"unsent": reason})

    # What the medium calls.

    def heard(self, reception: Reception) -> None:
        """An uplink arrived."""
        transmission = reception.transmission
        if transmission.sender == self.name:  # a frame for no device, which nobody else sends
            return
        self.received += 1
        if self.received % MEASURED_ONE_IN == 1:
            self._note_lateness()
        count = self.counter.count(self._clock.now_us())
        if self._observer is not None:
            self._tell_heard(reception, count)
        self.heard_frame(count, reception)

    def lost(self, transmission: Transmission, reason: str) -> None:
        """An uplink did not arrive."""
        if self._observer is None or transmission.sender == self.name:
            return
        told = {
            "lost": str(reason),
            "sender": transmission.sender,
            **channel_fields(transmission.frequency_hz, transmission.modulation),
            "start_us": transmission.start_us,
        }
        self._observer.event(self.name, "uplink", "radio", told)

    def _refusal(self, frame: Frame, now_us: int) -> str | None:
        if now_us < self._sends_until_us:
            return "still sending another frame"
        duty_cycle, listening = self.access
        if duty_cycle is not None and not duty_cycle.is_free(frame.frequency_hz, now_us):
            return "duty cycle"
        if listening is not None and self._air.is_busy(
            self.position,
            frame.frequency_hz,
            for_us=listening.listen_us,
            threshold_dbm=listening.threshold_dbm,
            except_from=self.name,
        ):
            return "channel busy"
        return None

    def _transmission(self, frame: Frame, now_us: int) -> Transmission:
        return Transmission(
            self.name,
            now_us,
            self._sends_until_us,
            frame.frequency_hz,
            frame.modulation,
            frame.power_dbm,
            frame.payload,
            frame.is_for_devices,
            self.position,
            frame.preamble,
        )

    def _note_lateness(self) -> None:
        late_us = self._clock.late_us()
        if late_us > 0:  # on the virtual clock nothing ever is
            fresh = self.lateness.fresh
            fresh.append(late_us)
            if len(fresh) > SORT_AFTER:
                self.lateness.sort_in()

    def _tell(self, frame: Frame, count: int, more: dict[str, Any]) -> None:
        if self._observer is None:
            return
        told = frame_fields(frame.payload, frame.frequency_hz, frame.modulation)
        told |= {"gateway_eui": self.eui, "tmst": count % WRAP}
        if not frame.has_header:
            told["implicit_header"] = True
        self._observer.event(self.name, "downlink", "radio", {**told, **more})

    def _tell_heard(self, reception: Reception, count: int) -> None:
        assert self._observer is not None
        transmission, rssi_dbm, snr_db = reception
        frequency_hz, modulation = transmission.frequency_hz, transmission.modulation
        told = {
            **frame_fields(transmission.payload, frequency_hz, modulation),
            "gateway_eui": self.eui,
            "tmst": count % WRAP,
            "rssi_dbm": round(rssi_dbm, 1),
            "snr_db": round(snr_db, 1),
            "start_us": transmission.start_us,
        }
        self._observer.event(self.name, "uplink", "radio", told)


def _nobody(count_us: int, reception: Reception) -> None:
    """Until a gateway listens to its concentrator."""
