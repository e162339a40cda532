"""A platform small enough to read: an HttpTransport on any clock, for tests of devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simpy

from simulators.clock import Clock
from simulators.transports.http import HttpAnswer, TransportError


class ToyPlatform:
    """Activates any code, stores writes, streams them; ``is_away`` makes requests fail."""

    def __init__(self, clock: Clock, *, latency_s: float = 0.01) -> None:
        self.clock = clock
        self.latency_s = latency_s
        self.is_away = False
        self.requests: list[tuple[int, str, str, str, Any]] = []
        self.rows: dict[tuple[str, str], list[Any]] = {}
        self.listeners: dict[str, list[ToySubscription]] = {}
        self.write_answer = HttpAnswer(201, {"status": "created"})

    def channel(self, device: str) -> ToyChannel:
        """A channel for the device of that name."""
        return ToyChannel(self, device)

    def close(self) -> None:
        """Nothing to close."""

    def answer(self, method: str, path: str, document: Any) -> HttpAnswer:
        """What the platform says to a request."""
        if path == "/v2/things":
            token = f"token-of-{document['activationCode']}"
            return HttpAnswer(201, {"status": "created", "thingToken": token, "thingId": "id"})
        token, _, rest = path.removeprefix("/v2/things/").partition("/")
        if method == "POST":
            return self._write(token, document["values"])
        if method == "PUT":
            return HttpAnswer(200, {"status": "success"})
        rows = self.rows.get((token, rest.removeprefix("resources/")), [])
        if not rows:
            return HttpAnswer(404, {"status": "error", "message": "resource not found"})
        return HttpAnswer(200, [{"value": rows[-1]}])

    def _write(self, token: str, values: list[dict[str, Any]]) -> HttpAnswer:
        for item in values:
            self.rows.setdefault((token, item["key"]), []).append(item["value"])
        for listener in list(self.listeners.get(token, [])):
            listener.send(values)
        return self.write_answer

    def end_streams(self) -> None:
        """End every stream."""
        listeners, self.listeners = self.listeners, {}
        for group in listeners.values():
            for listener in group:
                listener.on_end("the peer closed the stream")

    def hush_streams(self) -> None:
        """Keep every stream open and never send anything on it again."""
        self.listeners = {}


class ToyChannel:
    """One device's way to the toy platform."""

    def __init__(self, platform: ToyPlatform, device: str) -> None:
        self.platform = platform
        self.device = device

    def request(self, method: str, target: str, document: Any = None) -> simpy.Event:
        """Answer after the platform's latency."""
        platform = self.platform
        path = target.partition("?")[0]
        platform.requests.append((platform.clock.now_us(), self.device, method, path, document))
        event = platform.clock.event()

        def settle(_: simpy.Event) -> None:
            if platform.is_away:
                event.fail(TransportError("could not connect"))
            else:
                event.succeed(platform.answer(method, path, document))

        platform.clock.sleep(platform.latency_s).callbacks.append(settle)
        return event

    def subscribe(
        self,
        target: str,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
        document: Any = None,
    ) -> ToySubscription:
        """Open a stream unless the platform is away."""
        path, _, query = target.partition("?")
        token = path.removeprefix("/v2/things/")
        subscription = ToySubscription(self.platform, token, query, on_document, on_end)
        if self.platform.is_away:
            later = self.platform.clock.sleep(self.platform.latency_s)
            later.callbacks.append(lambda _: on_end("could not connect"))
        else:
            self.platform.listeners.setdefault(token, []).append(subscription)
            subscription.send({"status": "success", "message": "subscribed"})
            self.platform.clock.process(subscription.keep_alive())
        return subscription

    def close(self) -> None:
        """Nothing to release."""


class ToySubscription:
    """One open stream; sends ``{}`` after the keep-alive time without a document."""

    def __init__(
        self,
        platform: ToyPlatform,
        token: str,
        query: str,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
    ) -> None:
        self.platform = platform
        self.token = token
        self.keep_alive_us = int(query.removeprefix("keepAlive=")) * 1000
        self.on_document = on_document
        self.on_end = on_end
        self.sent_us = 0

    @property
    def is_open(self) -> bool:
        """Whether the platform still serves this stream."""
        return self in self.platform.listeners.get(self.token, [])

    def send(self, document: Any) -> None:
        """Deliver a document after the platform's latency."""
        self.sent_us = self.platform.clock.now_us()
        later = self.platform.clock.sleep(self.platform.latency_s)
        later.callbacks.append(lambda _: self.on_document(document))

    def keep_alive(self) -> Any:
        """Send ``{}`` whenever nothing was sent for the keep-alive time."""
        while True:
            left_us = self.sent_us + self.keep_alive_us - self.platform.clock.now_us()
            if left_us <= 0:
                self.send({})
            else:
                yield self.platform.clock.timeout(left_us)
            if not self.is_open:
                return

    def close(self) -> None:
        """Stop listening."""
        group = self.platform.listeners.get(self.token, [])
        if self in group:
            group.remove(self)
