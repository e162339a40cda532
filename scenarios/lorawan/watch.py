"""
What became of every join request: at each gateway, at the server, on the way back.

Listens to the medium and to what gateways tell of themselves. Of a node's requests the last ones
are kept; of its other uplinks only how many were sent and heard.
"""

from __future__ import annotations

from base64 import b64decode
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from scenarios.lorawan.coverage import Coverage
from scenarios.lorawan.traffic import Traffic
from simulators.clock import Clock
from simulators.lorawan.modulation import Modulation, datr
from simulators.radio.transmission import Reception, Transmission
from simulators.wire.eui import read_eui

T = TypeVar("T")

KEPT = 8
REMEMBERED = 4096  # stamps, tokens and accepts that something may still refer to
WRAP = 1 << 32
JOIN_REQUEST, JOIN_ACCEPT = 0, 1
FIRST_US, SECOND_US = 5_000_000, 6_000_000
LATEST_US = 20_000_000  # so long after a request an accept still belongs to it


@dataclass
class SentAnswer:
    """A join accept that the server had a gateway send; times in µs of the clock."""

    payload: bytes
    after_us: int | None  # from the request's end, as the server ordered it
    ordered_us: int = 0
    error: str = ""  # TX_ACK, or why a station did not take it
    unsent: str = ""
    sent_us: int | None = None
    frequency_hz: int = 0
    data_rate: str | int = ""
    node_lost: str = ""


@dataclass
class AtGateway:
    """One request at one gateway."""

    lost: str = ""
    rssi_dbm: float | None = None
    tmst: int | None = None
    is_forwarded: bool = False
    is_acknowledged: bool = False
    answers: list[SentAnswer] = field(default_factory=list)


@dataclass
class Request:
    """One join request on air."""

    node: str
    start_us: int
    end_us: int
    frequency_hz: int
    modulation: Modulation
    payload: bytes
    at: dict[str, AtGateway] = field(default_factory=dict)

    @property
    def dev_eui(self) -> str:
        """As the frame has it."""
        return self.payload[16:8:-1].hex()


@dataclass
class GatewayNotes:
    """One gateway's connection to the server."""

    name: str
    kind: str
    is_connected: bool = False
    failure: str = ""
    last_downlink: SentAnswer | None = None


@dataclass(slots=True)
class Counts:
    """Data uplinks of a node, repetitions included."""

    sent: int = 0
    heard: int = 0
    last: Transmission | None = None


class Recorder(Protocol):
    """Whoever writes the trace."""

    def event(self, device: str, direction: str, channel: str, message: dict[str, Any]) -> None:
        """See scenarios.recorder."""

    def secret(self, kind: str, value: str) -> None:
        """See scenarios.recorder."""


class Watch:
    """Observer of the medium and of gateways; passes everything on to ``recorder``."""

    def __init__(
        self,
        clock: Clock,
        gateways: Iterable[tuple[str, str]],
        recorder: Recorder | None,
        traffic: Traffic | None = None,
        coverage: Coverage | None = None,
    ) -> None:
        """
        Args:
            traffic: gets to know every data frame; without it they are counted.
            coverage: gets to know every frame.
        """
        self.coverage = coverage
        self._clock = clock
        self.traffic = traffic
        self.gateways = {name: GatewayNotes(name, kind) for name, kind in gateways}
        self.requests: dict[str, deque[Request]] = {}
        self.counts: dict[str, Counts] = {}
        self._recorder = recorder
        self._by_payload: dict[bytes, Request] = {}
        self._by_eui: dict[str, Request] = {}  # the newest
        # By gateway, and its stamp, token or frame.
        self._stamped: dict[tuple[str, int], Request] = {}
        self._pushed: dict[tuple[str, int], AtGateway] = {}
        self._ordered: dict[tuple[str, int], SentAnswer] = {}
        self._accepts: dict[tuple[str, bytes], SentAnswer] = {}

    # What the medium tells.

    def transmitted(self, transmission: Transmission) -> None:
        """A frame starts."""
        if self.coverage is not None:
            self.coverage.transmitted(transmission)
        if self.traffic is not None:
            self.traffic.transmitted(transmission)
        if transmission.is_downlink:
            self._note_accept_on_air(transmission)
            return
        if transmission.payload[:1] and transmission.payload[0] >> 5 == JOIN_REQUEST:
            self._note_request(transmission)
            return
        counts = self.counts.get(transmission.sender)
        if counts is None:
            counts = self.counts[transmission.sender] = Counts()
        counts.sent += 1
        if transmission.sender in self.requests:  # it has joined
            self._forget(transmission.sender)

    def heard(self, receiver: str, reception: Reception) -> None:
        """A gateway, or a node, got a frame."""
        if self.coverage is not None:
            self.coverage.heard(receiver, reception)
        if self.traffic is not None:
            self.traffic.heard(receiver, reception)
        transmission = reception.transmission
        if transmission.is_downlink:
            return
        request = self._by_payload.get(transmission.payload)
        if request is not None:
            self._at(request, receiver).rssi_dbm = round(reception.rssi_dbm, 1)
            return
        counts = self.counts.get(transmission.sender)
        if counts is not None and counts.last is not transmission:
            counts.last = transmission
            counts.heard += 1

    def lost(self, receiver: str, transmission: Transmission, reason: str) -> None:
        """It did not."""
        if self.coverage is not None:
            self.coverage.lost(receiver, transmission, str(reason))
        if self.traffic is not None:
            self.traffic.lost(receiver, transmission, str(reason))
        if transmission.is_downlink:
            self._note_lost_at_node(receiver, transmission, str(reason))
            return
        request = self._by_payload.get(transmission.payload)
        if request is not None:
            self._at(request, receiver).lost = str(reason)

    # What gateways tell.

    def event(self, device: str, direction: str, channel: str, message: dict[str, Any]) -> None:
        """As the recorder's."""
        notes = self.gateways.get(device)
        if notes is not None:
            note = _NOTES.get(channel)
            if note is not None:
                note(self, notes, direction, message)
        if self._recorder is not None:
            self._recorder.event(device, direction, channel, message)

    def secret(self, kind: str, value: str) -> None:
        """As the recorder's."""
        if self._recorder is not None:
            self._recorder.secret(kind, value)

    def _note_request(self, sent: Transmission) -> None:
        requests = self.requests.setdefault(sent.sender, deque())
        request = Request(
            sent.sender,
            sent.start_us,
            sent.end_us,
            sent.frequency_hz,
            sent.modulation,
            sent.payload,
        )
        requests.append(request)
        self._by_payload[sent.payload] = self._by_eui[request.dev_eui] = request
        if len(requests) > KEPT:
            self._by_payload.pop(requests.popleft().payload, None)

    def _forget(self, node: str) -> None:
        for request in self.requests.pop(node):
            self._by_payload.pop(request.payload, None)
            self._by_eui.pop(request.dev_eui, None)

    def _at(self, request: Request, gateway: str) -> AtGateway:
        return request.at.setdefault(gateway, AtGateway())

    def _note_accept_on_air(self, sent: Transmission) -> None:
        notes = self.gateways.get(sent.sender)
        answer = None if notes is None else self._accepts.get((notes.name, sent.payload))
        if answer is not None:
            answer.sent_us = sent.start_us
            answer.frequency_hz = sent.frequency_hz
            answer.data_rate = datr(sent.modulation)

    def _note_lost_at_node(self, node: str, sent: Transmission, reason: str) -> None:
        for request in self.requests.get(node, ()):
            for at in request.at.values():
                for answer in at.answers:
                    if answer.payload == sent.payload:
                        answer.node_lost = reason
        if self._recorder is not None:
            told = {
                "lost": reason,
                "sender": sent.sender,
                "frequency_hz": sent.frequency_hz,
                "data_rate": datr(sent.modulation),
                "start_us": sent.start_us,
            }
            self._recorder.event(node, "downlink", "radio", told)

    def note_radio(self, notes: GatewayNotes, direction: str, message: dict[str, Any]) -> None:
        """A concentrator stamped a frame, or could not send one."""
        if direction == "uplink" and "tmst" in message:
            request = self._by_payload.get(bytes.fromhex(message["payload"]))
            if request is not None:
                self._at(request, notes.name).tmst = message["tmst"]
                _remember(self._stamped, (notes.name, message["tmst"]), request)
        elif "unsent" in message:
            answer = self._accepts.get((notes.name, bytes.fromhex(message["payload"])))
            if answer is not None:
                answer.unsent = message["unsent"]

    def note_udp(self, notes: GatewayNotes, direction: str, message: dict[str, Any]) -> None:
        """A datagram of a packet forwarder."""
        kind = message.get("type")
        if "failure" in message:
            notes.failure = message["failure"]
        elif kind == "PULL_ACK":
            notes.is_connected = True
        elif kind == "PUSH_DATA":
            if self.traffic is not None:
                self.traffic.pushed(notes.name, message["token"], message.get("rxpk", []))
            for packet in message.get("rxpk", ()):
                self._note_forwarded(notes, b64decode(packet["data"]), message["token"])
        elif kind == "PUSH_ACK":
            self._note_acknowledged(notes, message["token"])
        elif kind == "PULL_RESP":
            self._note_ordered(notes, message)
        elif kind == "TX_ACK" and "error" in message:
            self._note_error(notes, message["token"], message["error"])

    def _note_forwarded(self, notes: GatewayNotes, payload: bytes, token: int) -> None:
        request = self._by_payload.get(payload)
        if request is not None:
            at = self._at(request, notes.name)
            at.is_forwarded = True
            _remember(self._pushed, (notes.name, token), at)

    def _note_acknowledged(self, notes: GatewayNotes, token: int) -> None:
        notes.is_connected = True
        if self.traffic is not None:
            self.traffic.acknowledged(notes.name, token, self._clock.now_us())
        at = self._pushed.pop((notes.name, token), None)
        if at is not None:
            at.is_acknowledged = True

    def _note_ordered(self, notes: GatewayNotes, message: dict[str, Any]) -> None:
        packet = message.get("txpk", {})
        try:
            payload = b64decode(packet.get("data", ""))
        except (TypeError, ValueError):
            return
        tmst = packet.get("tmst")
        if not payload or payload[0] >> 5 != JOIN_ACCEPT or not isinstance(tmst, int):
            return
        request = self._asked(notes.name, tmst)
        if request is not None:
            after_us = (tmst - (request.at[notes.name].tmst or 0)) % WRAP
            answer = SentAnswer(payload, after_us, self._clock.now_us())
            self._note_answer(notes, request, answer)
            _remember(self._ordered, (notes.name, message["token"]), answer)

    def _note_answer(self, notes: GatewayNotes, request: Request, answer: SentAnswer) -> None:
        self._at(request, notes.name).answers.append(answer)
        _remember(self._accepts, (notes.name, answer.payload), answer)

    def _asked(self, gateway: str, tmst: int) -> Request | None:
        """The request that an accept at ``tmst`` answers, by its windows; else the latest one."""
        for delay_us in (FIRST_US, SECOND_US):
            request = self._stamped.get((gateway, (tmst - delay_us) % WRAP))
            if request is not None:
                return request
        before = [
            request
            for (name, stamp), request in self._stamped.items()
            if name == gateway and (tmst - stamp) % WRAP < LATEST_US
        ]
        return max(before, key=lambda each: each.start_us, default=None)

    def _note_error(self, notes: GatewayNotes, token: int, error: str) -> None:
        answer = self._ordered.get((notes.name, token))
        if answer is not None:
            answer.error = error

    def note_websocket(self, notes: GatewayNotes, direction: str, message: dict[str, Any]) -> None:
        """A message of a station."""
        told = message.get("message", {})
        kind = told.get("msgtype")
        if "closed" in message:
            notes.is_connected, notes.failure = False, message["closed"]
        elif "ignored" in message:
            if notes.last_downlink is not None:
                notes.last_downlink.error = message["ignored"]
        elif kind == "router_config":
            notes.is_connected = True
        elif kind == "jreq" and direction == "uplink":
            self._note_jreq(notes, told)
        elif kind == "updf" and direction == "uplink" and self.traffic is not None:
            self.traffic.told(told, self._clock.now_us())
        if direction == "downlink":
            notes.last_downlink = None
            if kind == "dnmsg":
                self._note_dnmsg(notes, told)

    def _note_jreq(self, notes: GatewayNotes, told: dict[str, Any]) -> None:
        request = self._by_eui.get(read_eui(told["DevEui"]))
        if request is not None:
            # A WebSocket needs no acknowledgement: what was sent arrived, or the connection ends.
            self._at(request, notes.name).is_forwarded = True
            self._at(request, notes.name).is_acknowledged = True

    def _note_dnmsg(self, notes: GatewayNotes, told: dict[str, Any]) -> None:
        try:
            payload = bytes.fromhex(told["pdu"])
            request = self._by_eui.get(read_eui(told.get("DevEui")))
        except (KeyError, TypeError, ValueError):
            return
        if request is not None and payload and payload[0] >> 5 == JOIN_ACCEPT:
            delay_s = told.get("RxDelay")
            after_us = delay_s * 1_000_000 if isinstance(delay_s, int) else None
            notes.last_downlink = SentAnswer(payload, after_us, self._clock.now_us())
            self._note_answer(notes, request, notes.last_downlink)


def _remember(table: dict[tuple[str, Any], T], key: tuple[str, Any], value: T) -> None:
    table[key] = value
    if len(table) > REMEMBERED:
        del table[next(iter(table))]


_NOTES = {
    "radio": Watch.note_radio,
    "udp": Watch.note_udp,
    "websocket": Watch.note_websocket,
}
