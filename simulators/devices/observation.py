"""
A channel that tells an observer what passes through it, so that a recorder can write a trace.

Without an observer a device gets its plain channel: tracing that is off costs nothing. Messages
are passed on raw; the observer learns each secret before the first message that holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import simpy

from simulators.devices.device import Credentials
from simulators.transports.http import HttpChannel, Subscription


class Observer(Protocol):
    """Whoever writes the trace; it knows the time by itself."""

    def event(self, device: str, direction: str, channel: str, message: dict[str, Any]) -> None:
        """``direction`` is uplink or downlink, ``channel`` is http; ``message`` is not kept."""

    def secret(self, kind: str, value: str) -> None:
        """``value`` must not be shown; ``kind`` says what it is, such as thing_token."""


def observed(
    channel: HttpChannel, device: str, credentials: Credentials, observer: Observer | None
) -> HttpChannel:
    """``channel`` itself, or with an observer a channel around it."""
    if observer is None:
        return channel
    if credentials.activation_code is not None:
        observer.secret("activation_code", credentials.activation_code)
    if credentials.thing_token is not None:
        observer.secret("thing_token", credentials.thing_token)
    return ObservedChannel(channel, device, observer)


class ObservedChannel:
    """An HttpChannel that reports requests, answers and stream documents."""

    def __init__(self, channel: HttpChannel, device: str, observer: Observer) -> None:
        self._channel = channel
        self._device = device
        self._observer = observer
        self.session: str | None = None

    def request(self, method: str, target: str, document: Any = None) -> simpy.Event:
        """As HttpChannel.request."""
        self._uplink({"method": method, "target": target, "document": document})
        return self._awaited(self._channel.request(method, target, document))

    def passed_on(self, message: dict[str, Any], event: simpy.Event) -> simpy.Event:
        """Report a request that another way has taken, and its answer."""
        self._uplink(message)
        return self._awaited(event)

    def authorize(self, token: str | None) -> None:
        """As HttpChannel.authorize."""
        if token is not None:
            self._observer.secret("session_token", token)
        self.session = token
        self._channel.authorize(token)

    def subscribe(
        self,
        target: str,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
        document: Any = None,
    ) -> Subscription:
        """As HttpChannel.subscribe."""

        def heard(document: Any) -> None:
            self._downlink({"stream": document})
            on_document(document)

        def ended(reason: str) -> None:
            subscription.is_open = False
            self._downlink({"stream_end": reason})
            on_end(reason)

        subscription = ObservedSubscription(self._uplink)
        if document is None:
            self._uplink({"method": "GET", "target": target, "stream": True})
        else:
            asked = {"method": "POST", "target": target, "document": document, "stream": True}
            self._uplink(asked)
        subscription.inner = self._channel.subscribe(target, heard, ended, document)
        return subscription

    def close(self) -> None:
        """As HttpChannel.close."""
        self._channel.close()

    def _awaited(self, event: simpy.Event) -> simpy.Event:
        if event.callbacks is not None:
            # First in line, so that the answer stands before what the device does about it.
            event.callbacks.insert(0, self._answered)
        return event

    def _answered(self, event: simpy.Event) -> None:
        if not event.ok:
            self._downlink({"failure": str(event.value)})
            return
        answer: Any = event.value
        if isinstance(answer.document, dict):
            for kind, token in _tokens(answer.document):
                self._observer.secret(kind, token)
        self._downlink({"status": answer.status, "document": answer.document})

    def _uplink(self, message: dict[str, Any]) -> None:
        if self.session is not None:
            message["authorization"] = self.session
        self._observer.event(self._device, "uplink", "http", message)

    def _downlink(self, message: dict[str, Any]) -> None:
        self._observer.event(self._device, "downlink", "http", message)


class ObservedSubscription:
    """A Subscription that reports when its device stops listening."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self.inner: Subscription | None = None
        self.is_open = True
        self._tell = tell

    def close(self) -> None:
        """As Subscription.close."""
        if self.is_open and self.inner is not None:
            self.is_open = False
            self._tell({"stream_closed": True})
            self.inner.close()


def _tokens(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and value of whatever calls itself a token, wherever a platform puts it."""
    for name, value in answer.items():
        if isinstance(value, dict):
            yield from _tokens(value)
        elif isinstance(value, str) and "token" in name.lower():
            yield "session_token" if name == "token" else "thing_token", value
