"""
The shell without sockets: a core behind the devices' HTTP interface, in virtual time.

Values are handed over, not bytes. Nothing is committed, since the database lives in memory too.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

import simpy

from simulators.clock import MICROSECONDS, Clock
from simulators.platforms.effects import (
    NOT_GIVEN,
    Answer,
    Datagram,
    Document,
    Effects,
    EndStream,
    Hash,
    Headers,
    Mail,
    NetworkCore,
    OpenStream,
    PlatformCore,
    Post,
    Request,
    SocketClose,
    SocketText,
    StreamDocument,
    Timer,
    Work,
)
from simulators.platforms.gateway_front import GatewayFront
from simulators.platforms.scripting.worker import Result, ScriptWorker, by_key
from simulators.platforms.slow_hash import hashed
from simulators.transports.http import HttpAnswer, HttpChannel, Subscription, TransportError
from simulators.transports.udp import MemoryDatagrams
from simulators.transports.websocket import MemoryWebSockets


class MemorySubscription:
    """One stream as its device sees it."""

    def __init__(
        self,
        transport: MemoryTransport,
        device: str,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
    ) -> None:
        self.device = device
        self.stream_id: int | None = None
        self.is_open = True
        self.last_due_us = 0  # documents of a stream do not overtake each other
        self._transport = transport
        self._on_document = on_document
        self._on_end = on_end

    def deliver(self, document: Document) -> None:
        """Hand a document to the device."""
        if self.is_open:
            self._on_document(document)

    def end(self, reason: str) -> None:
        """The platform or the way to it ended the stream."""
        if self.is_open:
            self.close()
            self._on_end(reason)

    def close(self) -> None:
        """The device stops listening."""
        self.is_open = False
        self._transport.release(self)


class MemoryChannel:
    """One device's way to the core."""

    def __init__(self, transport: MemoryTransport, device: str) -> None:
        self._transport = transport
        self._device = device
        self._subscriptions: list[MemorySubscription] = []
        self._headers: Headers = []

    def authorize(self, token: str | None) -> None:
        """See HttpChannel."""
        self._headers = [] if token is None else [(b"Authorization", token.encode())]

    def request(self, method: str, target: str, document: Any = None) -> simpy.Event:
        """See HttpChannel."""
        return self._transport.exchange(
            self._device, _request(method, target, document, self._headers)
        )

    def subscribe(
        self,
        target: str,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
        document: Any = None,
    ) -> Subscription:
        """See HttpChannel."""
        subscription = MemorySubscription(self._transport, self._device, on_document, on_end)
        self._subscriptions = [one for one in self._subscriptions if one.is_open]
        self._subscriptions.append(subscription)
        method = "GET" if document is None else "POST"
        self._transport.open(subscription, _request(method, target, document, self._headers))
        return subscription

    def close(self) -> None:
        """See HttpChannel."""
        for subscription in self._subscriptions:
            subscription.close()


class MemoryTransport:
    """
    HttpTransport to a core in the same process.

    ``fault`` is asked with the device's name before anything passes: what it returns, unless None,
    is the reason why nothing does. ``latency_s`` is the way there and back, which ``latency_us``
    tells and may change; ``jitter_s`` is added
    to it, evenly distributed and drawn from ``rng``. ``mails`` holds, by address, what the platform
    has sent by e-mail. ``on_post`` answers what a core posts elsewhere: with a status, or None as
    nobody would. ``on_cut_off`` hears of scripts that did not end in time: how far they came is not
    the same in every run.
    """

    def __init__(
        self,
        core: PlatformCore,
        clock: Clock,
        *,
        rng: random.Random | None = None,
        latency_s: float = 0.0,
        jitter_s: float = 0.0,
    ) -> None:
        if jitter_s and rng is None:
            raise ValueError("expected a generator for the jitter; got none")
        self.core = core
        self.clock = clock
        self.fault: Callable[[str], object | None] | None = None
        self._rng = rng
        self.latency_us = latency_s * MICROSECONDS
        self._jitter_us = jitter_s * MICROSECONDS
        self._streams: dict[int, MemorySubscription] = {}
        self._timers: dict[int, int] = {}  # when each falls due, by key
        self.mails: dict[str, list[Mail]] = {}
        self._scripts = ScriptWorker()
        self.on_cut_off: Callable[[Result], None] | None = None
        self.on_post: Callable[[Post], int | None] | None = None
        self._gateways: GatewayFront | None = None

    def channel(self, device: str) -> HttpChannel:
        """A channel for the device of that name."""
        return MemoryChannel(self, device)

    def serve_gateways(
        self, core: NetworkCore, datagrams: MemoryDatagrams, sockets: MemoryWebSockets
    ) -> None:
        """Be the server of these gateways, too; ``core`` is the one that this transport has."""
        front = self._gateways = GatewayFront(core, self._let_in)
        front.port = datagrams.listen(front.received)
        sockets.serve(front.accept)
        front.is_open = True

    def _let_in(self, call: Callable[[int], Effects]) -> None:
        for effect in call(self.clock.unix_us()):
            self._carry_out(effect)

    def close(self) -> None:
        """End every stream."""
        self.end_streams("transport closed")
        self._scripts.close()

    def end_streams(self, reason: str, *, devices: Callable[[str], bool] | None = None) -> None:
        """Cut the streams of these devices (all when None), as an outage does."""
        for subscription in list(self._streams.values()):
            if devices is None or devices(subscription.device):
                subscription.end(reason)

    def release(self, subscription: MemorySubscription) -> None:
        """The stream has no listener any more."""
        if subscription.stream_id in self._streams:
            del self._streams[subscription.stream_id]
            self.core.closed(subscription.stream_id)

    def exchange(self, device: str, request: Request) -> simpy.Event:
        """Event of the answer to a request."""
        delay_us = self._one_way_us()
        if not delay_us and self.fault is None:
            return self.clock.timeout(0, self._answer(request))
        event = self.clock.event()
        self._later(delay_us, lambda: self._arrive(device, request, event))
        return event

    def open(self, subscription: MemorySubscription, request: Request) -> None:
        """Send a subscribing request; the documents come to the subscription."""
        request.origin = subscription
        self._later(self._one_way_us(), lambda: self._subscribe(subscription, request))

    def _one_way_us(self) -> int:
        jitter_us = self._rng.random() * self._jitter_us if self._rng else 0.0
        return round((self.latency_us + jitter_us) / 2)

    def _later(self, delay_us: int, action: Callable[[], None]) -> None:
        timeout = self.clock.timeout(delay_us)
        timeout.callbacks.append(lambda _: action())

    def _fault_of(self, device: str) -> object | None:
        return self.fault(device) if self.fault is not None else None

    def _arrive(self, device: str, request: Request, event: simpy.Event) -> None:
        fault = self._fault_of(device)
        if fault is not None:
            event.fail(TransportError(f"no way to the platform: {fault}"))
            return
        answer = self._answer(request)
        self._later(self._one_way_us(), lambda: self._return(device, answer, event))

    def _return(self, device: str, answer: HttpAnswer, event: simpy.Event) -> None:
        fault = self._fault_of(device)
        if fault is not None:  # the platform did its work, the device will never know
            event.fail(TransportError(f"no way back from the platform: {fault}"))
        else:
            event.succeed(answer)

    def _answer(self, request: Request) -> HttpAnswer:
        for effect in self.core.handle(request, self.clock.unix_us()):
            if isinstance(effect, Answer):
                answer = HttpAnswer(effect.status, effect.document)
            elif isinstance(effect, Hash):  # alone among its effects
                return self._answer(_hashed(effect))
            elif isinstance(effect, Work) and effect.request is not None:  # so is this one
                worked = by_key(effect.jobs, self._results(effect))
                effect.request.worked = (effect.request.worked or {}) | worked
                return self._answer(effect.request)
            elif isinstance(effect, OpenStream):  # a plain request cannot hold a stream
                self.core.closed(effect.stream_id)
                answer = HttpAnswer(200, effect.document)
            else:
                self._carry_out(effect)
        return answer

    def _subscribe(self, subscription: MemorySubscription, request: Request) -> None:
        if not subscription.is_open:
            return
        fault = self._fault_of(subscription.device)
        if fault is not None:
            subscription.end(f"no way to the platform: {fault}")
            return
        for effect in self.core.handle(request, self.clock.unix_us()):
            self._carry_out(effect)

    def _carry_out(self, effect: Any) -> None:
        self._CARRIERS[type(effect)](self, effect)

    def _refused(self, effect: Answer) -> None:
        effect.request.origin.end(f"refused with status {effect.status}")

    def _opened(self, effect: OpenStream) -> None:
        subscription: MemorySubscription = effect.request.origin
        subscription.stream_id = effect.stream_id
        self._streams[effect.stream_id] = subscription
        self._send(subscription, effect.document)

    def _document(self, effect: StreamDocument) -> None:
        for stream_id in effect.stream_ids:
            subscription = self._streams.get(stream_id)
            if subscription is not None:
                self._send(subscription, effect.document)

    def _send(self, subscription: MemorySubscription, document: Document) -> None:
        now_us = self.clock.now_us()
        due_us = max(now_us + self._one_way_us(), subscription.last_due_us)
        subscription.last_due_us = due_us
        self._later(due_us - now_us, lambda: self._deliver(subscription, document))

    def _deliver(self, subscription: MemorySubscription, document: Document) -> None:
        fault = self._fault_of(subscription.device)
        if fault is not None:
            subscription.end(f"stream cut: {fault}")
        else:
            subscription.deliver(document)

    def _ended(self, effect: EndStream) -> None:
        subscription = self._streams.get(effect.stream_id)
        if subscription is not None:
            subscription.end("ended by the platform")

    def _mail(self, effect: Mail) -> None:
        self.mails.setdefault(effect.recipient, []).append(effect)
        self.core.mailed(effect.number)

    def _timer(self, effect: Timer) -> None:
        key, due_us = effect.key, effect.due_us
        if self._timers.get(key) != due_us:
            self._timers[key] = due_us
            self._later(max(0, due_us - self.clock.unix_us()), lambda: self._due(key, due_us))

    def _due(self, key: int, due_us: int) -> None:
        """A timer's time has come, unless a later one has taken its place."""
        if self._timers.get(key) == due_us:
            del self._timers[key]
            self._let_in(lambda now_us: self.core.timer(key, now_us))

    def _post(self, effect: Post) -> None:
        self._later(self._one_way_us(), lambda: self._arrive_elsewhere(effect))

    def _work(self, effect: Work) -> None:
        core = cast(NetworkCore, self.core)  # no other core has scripts
        results = self._results(effect)
        # Scripts cost no time here either.
        self._later(
            0, lambda: self._let_in(lambda now_us: core.worked(effect.number, results, now_us))
        )

    def _results(self, effect: Work) -> list[Result]:
        results = [self._scripts.run(job) for job in effect.jobs]
        for result in results:
            if result.is_cut_off and self.on_cut_off is not None:
                self.on_cut_off(result)
        return results

    def _arrive_elsewhere(self, effect: Post) -> None:
        status = None if self.on_post is None else self.on_post(effect)
        said = "could not connect: there is nobody" if status is None else ""
        core = cast(NetworkCore, self.core)  # no other core posts

        def call(now_us: int) -> Effects:
            return core.posted(effect.number, status, said, now_us)

        self._later(self._one_way_us(), lambda: self._let_in(call))

    def _datagram(self, effect: Datagram) -> None:
        if self._gateways is not None:
            self._gateways.send(effect)

    def _socket_text(self, effect: SocketText) -> None:
        if self._gateways is not None:
            self._gateways.send_text(effect)

    def _socket_close(self, effect: SocketClose) -> None:
        if self._gateways is not None:
            self._gateways.close(effect)

    _CARRIERS: ClassVar[dict[type, Callable[[MemoryTransport, Any], None]]] = {
        Answer: _refused,
        OpenStream: _opened,
        StreamDocument: _document,
        EndStream: _ended,
        Timer: _timer,
        Mail: _mail,
        Datagram: _datagram,
        SocketText: _socket_text,
        SocketClose: _socket_close,
        Post: _post,
        Work: _work,
    }


def _hashed(work: Hash) -> Request:
    """The request again, with its hash: in virtual time it costs no time."""
    work.request.hashed = hashed(work)
    return work.request


def _request(method: str, target: str, document: Any, headers: Headers) -> Request:
    path, _, query = target.partition("?")
    if "#" in target or not path.startswith("/"):
        path, query = urlsplit(target)[2:4]
    document = NOT_GIVEN if document is None else document
    return Request(method, path, query, headers, document=document)
