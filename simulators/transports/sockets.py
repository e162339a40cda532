"""
HTTP over sockets for whole fleets: the wall clock's transport.

Each channel keeps one connection alive and opens it again when it is gone; a stream has a
connection of its own (``socket_stream.py``). Everything that comes from a socket enters through
``clock.enter``, so that device processes see the present. Its twin in virtual time is the
platforms' memory transport.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
import simpy

from simulators.clock import MICROSECONDS, WallClock
from simulators.transports.connection import CONTENT_LENGTH, Connection, content_length
from simulators.transports.endpoint import Endpoint
from simulators.transports.http import HttpAnswer, HttpChannel, Subscription, TransportError
from simulators.transports.socket_stream import SocketSubscription
from simulators.transports.sole_exchange import SoleExchange

SWEEPS_PER_TIMEOUT = 10
MOST_HEADS = 64  # request heads that a channel keeps; a device uses a handful of targets


class SocketTransport:
    """
    HttpTransport to a real target.

    ``timeout_s`` holds from the moment a request wants to leave until its answer is complete; it is
    kept to within a tenth. ``max_requests_per_s`` spaces the requests of all channels evenly.

    Raises:
        ValueError: ``base_url`` is no http or https URL.
    """

    def __init__(
        self,
        clock: WallClock,
        base_url: str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        timeout_s: float = 10.0,
        max_requests_per_s: float | None = None,
    ) -> None:
        self.clock = clock
        self.endpoint = Endpoint.of(base_url, ssl_context)
        self.timeout_us = round(timeout_s * MICROSECONDS)
        self.is_limited = max_requests_per_s is not None
        self._gap_us = round(MICROSECONDS / max_requests_per_s) if max_requests_per_s else 0
        self._free_us = 0
        self._channels: list[SocketChannel] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.arrived: list[tuple[ChannelConnection, HttpAnswer]] = []
        self.call_soon = asyncio.get_running_loop().call_soon
        self._sweeper: simpy.Process | None = None

    def channel(self, device: str) -> HttpChannel:
        """A channel for the device of that name."""
        if self._sweeper is None:
            self._sweeper = self.clock.process(self._sweep())
        channel = SocketChannel(self)
        self._channels.append(channel)
        return channel

    def exchange(self, data: bytes, answers: int) -> simpy.Event:
        """
        Send bytes on a connection of their own.

        Returns:
            Event whose value is the last of so many HttpAnswers, or that fails with TransportError.
        """
        event = simpy.Event(self.clock)

        def go(_: simpy.Event) -> None:
            sole = SoleExchange(self.clock, event, answers=answers, timeout_us=self.timeout_us)
            self.start(sole.hold(self.endpoint, data))

        self.clock.timeout(self.wait_us() if self.is_limited else 0).callbacks.append(go)
        return event

    def close(self) -> None:
        """Close every channel."""
        for channel in self._channels:
            channel.close()
        for task in self._tasks:
            task.cancel()

    def start(self, work: Any) -> None:
        """Run a coroutine of this transport's; a fault of ours in it stops the run."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def wait_us(self) -> int:
        """How long the next request has to wait for the rate limit; it takes its turn."""
        now_us = self.clock.now_us()
        turn_us = max(now_us, self._free_us)
        self._free_us = turn_us + self._gap_us
        return turn_us - now_us

    def deliver(self) -> None:
        """
        Let in the answers that arrived in this turn of the loop, all at one time.

        Reading all of them first and then waking all of their devices keeps both in the
        processor's caches, and time advances once.
        """
        if self.arrived:
            self.clock.enter(self._deliver)

    def _deliver(self) -> None:
        arrived = self.arrived.copy()
        self.arrived.clear()
        for connection, answer in arrived:
            if connection.owner is not None:
                connection.owner.answered(answer)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self.clock.enter(_raise, failure)

    def _sweep(self) -> Any:
        """One look at all requests under way instead of a timer for each of them."""
        while True:
            yield self.clock.timeout(max(1000, self.timeout_us // SWEEPS_PER_TIMEOUT))
            for channel in self._channels:
                channel.grow_older()


class SocketChannel:
    """One device's way to the target: requests in order over one connection kept alive."""

    __slots__ = (
        "_age", "_authorization", "_clock", "_connection", "_current", "_heads", "_is_closed",
        "_queue", "_subscriptions", "_transport",
    )  # fmt: skip

    def __init__(self, transport: SocketTransport) -> None:
        self._transport = transport
        self._clock = transport.clock
        self._connection: ChannelConnection | None = None
        self._current: simpy.Event | None = None
        self._age = 0  # of the request under way, in sweeps
        self._queue: deque[tuple[simpy.Event, bytes]] = deque()
        self._heads: dict[tuple[str, str], bytes] = {}
        self._authorization = b""
        self._is_closed = False
        self._subscriptions: list[SocketSubscription] = []

    def request(self, method: str, target: str, document: Any = None) -> simpy.Event:
        """As HttpChannel.request; HEAD is not for devices."""
        head = self._heads.get((method, target)) or self._new_head(method, target)
        if document is None and method in ("GET", "DELETE"):
            data = head + b"\r\n"
        else:
            body = b"" if document is None else orjson.dumps(document)
            length = len(body)
            number = CONTENT_LENGTH[length] if length < 1024 else content_length(body)
            data = b"".join((head, number, body))
        event = simpy.Event(self._clock)
        connection = self._connection
        if self._transport.is_limited and (wait_us := self._transport.wait_us()):
            later = self._clock.timeout(wait_us)
            later.callbacks.append(lambda _: self._enqueue(event, data))
        elif (
            connection is not None
            and connection.is_reusable
            and self._current is None
            and not self._queue
        ):  # as good as always
            self._current = event
            self._age = 0
            connection.send(data)
        else:
            self._enqueue(event, data)
        return event

    def authorize(self, token: str | None) -> None:
        """As HttpChannel.authorize."""
        self._authorization = (
            b"" if token is None else f"Authorization: {token}\r\n".encode("ascii")
        )
        self._heads.clear()

    def subscribe(
        self,
        target: str,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
        document: Any = None,
    ) -> Subscription:
        """As HttpChannel.subscribe."""
        request = self._subscribing(target, document)
        subscription = SocketSubscription(self._clock, on_document, on_end)
        self._subscriptions = [one for one in self._subscriptions if one.is_open]
        self._subscriptions.append(subscription)
        if self._transport.is_limited and (wait_us := self._transport.wait_us()):
            later = self._clock.timeout(wait_us)
            later.callbacks.append(lambda _: self._open(subscription, request))
        else:
            self._open(subscription, request)
        return subscription

    def _subscribing(self, target: str, document: Any) -> bytes:
        method = "GET" if document is None else "POST"
        head = self._transport.endpoint.head(method, target)
        if document is None:
            return b"".join((head, self._authorization, b"\r\n"))
        body = orjson.dumps(document)
        kind = b"Content-Type: application/json\r\nContent-Length: "
        return b"".join((head, self._authorization, kind, content_length(body), body))

    def _open(self, subscription: SocketSubscription, request: bytes) -> None:
        if subscription.is_open:
            self._transport.start(subscription.open(self._transport.endpoint, request))

    def close(self) -> None:
        """Close the connection and all streams; requests under way stay unanswered."""
        self._is_closed = True
        self._current = None
        self._queue.clear()
        if self._connection is not None:
            self._connection.abort("closed by the device")
        for subscription in self._subscriptions:
            subscription.close()

    def grow_older(self) -> None:
        """Give up the request under way once it has seen all sweeps of its time."""
        self._age += 1
        if self._current is None or self._age <= SWEEPS_PER_TIMEOUT:
            return
        reason = f"no answer within {self._transport.timeout_us / MICROSECONDS:g} s"
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.owner = None
            connection.abort(reason)
        self._fail(TransportError(reason))

    def answered(self, answer: HttpAnswer) -> None:
        """Within the clock: the request under way has its answer."""
        event, self._current = self._current, None
        if event is None:  # an answer that nobody asked for
            self._drop("expected nothing; got an answer without a request")
            return
        self._clock.succeed(event, answer)
        if self._queue:
            self._next()

    def lost(self, connection: ChannelConnection, reason: str) -> None:
        """Within the clock: a connection ended."""
        if connection is self._connection:
            self._connection = None
            if self._current is not None:
                self._fail(TransportError(reason))

    def _new_head(self, method: str, target: str) -> bytes:
        if len(self._heads) >= MOST_HEADS:
            self._heads.clear()
        head = self._transport.endpoint.head(method, target) + self._authorization
        if method not in ("GET", "DELETE"):
            head += b"Content-Type: application/json\r\nContent-Length: "
        self._heads[method, target] = head
        return head

    def _enqueue(self, event: simpy.Event, data: bytes) -> None:
        if self._is_closed:
            return
        if self._current is None and not self._queue:
            self._send(event, data)
        else:
            self._queue.append((event, data))

    def _next(self) -> None:
        if self._queue and self._current is None and not self._is_closed:
            self._send(*self._queue.popleft())

    def _send(self, event: simpy.Event, data: bytes) -> None:
        self._current = event
        self._age = 0
        connection = self._connection
        if connection is not None and connection.is_reusable:
            connection.send(data)
            return
        self._drop("not to be used again")
        self._transport.start(self._connect(event, data))

    async def _connect(self, event: simpy.Event, data: bytes) -> None:
        try:
            connection = await self._transport.endpoint.connect(lambda: ChannelConnection(self))
        except TransportError as error:
            self._clock.enter(self._refused, event, error)
            return
        if self._current is not event:  # given up meanwhile
            connection.owner = None
            connection.abort("too late")
            return
        if not connection.is_reusable:  # gone before the request could leave
            gone = TransportError("the peer closed the connection")
            self._clock.enter(self._refused, event, gone)
            return
        self._connection = connection
        connection.send(data)

    def _refused(self, event: simpy.Event, error: TransportError) -> None:
        if self._current is event:
            self._fail(error)

    def _fail(self, error: TransportError) -> None:
        event, self._current = self._current, None
        if event is not None:
            event.fail(error)
        self._next()

    def _drop(self, reason: str) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.owner = None
            connection.abort(reason)


class ChannelConnection(Connection):
    """A channel's connection; ``owner`` is None once the channel gave it up."""

    __slots__ = ("_arrived", "_call_soon", "_deliver", "owner")

    def __init__(self, channel: SocketChannel) -> None:
        super().__init__()
        self.owner: SocketChannel | None = channel
        transport = channel._transport
        self._arrived = transport.arrived
        self._deliver = transport.deliver
        self._call_soon = transport.call_soon

    def answered(self, status: int, body: bytes) -> None:
        """Decode and enter."""
        if self.owner is None:
            return
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            document = body
        arrived = self._arrived
        arrived.append((self, _answer((status, document))))
        if len(arrived) == 1:
            self._call_soon(self._deliver)

    def lost(self, reason: str) -> None:
        """Enter with the reason."""
        if self.owner is not None:
            self.owner._transport.deliver()  # what came before the end comes first
        if self.owner is not None:
            self.owner._clock.enter(self.owner.lost, self, reason)


# HttpAnswer(status, document) without the named tuple's own __new__, three times as fast.
_answer: Callable[[tuple[int, Any]], HttpAnswer] = partial(tuple.__new__, HttpAnswer)


def _raise(failure: BaseException) -> None:
    raise failure
