"""
What a device may ask of HTTP: the interface that the socket transport and its in-memory twin share.

A channel belongs to one device. Requests on one channel are answered in order. An answer comes as a
SimPy event, so a device process reads the same on both clocks:

    answer = yield channel.request("POST", "/v2/things/…", {"values": [...]})
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import simpy


class TransportError(Exception):
    """The peer could not be reached, closed early, stayed silent, or did not speak HTTP."""


class UnconnectedError(TransportError):
    """There was no connection: nothing was sent."""


class HttpAnswer(NamedTuple):
    """An answer; ``document`` is the decoded JSON body, or the raw bytes when it is not JSON."""

    status: int
    document: Any


class Subscription(Protocol):
    """An open stream of documents."""

    def close(self) -> None:
        """Stop listening; no callback comes afterwards."""


class HttpChannel(Protocol):
    """One device's way to its platform."""

    def request(self, method: str, target: str, document: Any = None) -> simpy.Event:
        """
        Send a request; ``document`` becomes a JSON body.

        Returns:
            Event whose value is an HttpAnswer, or that fails with TransportError.
        """

    def authorize(self, token: str | None) -> None:
        """Send this as ``Authorization`` with every request and stream from now on."""

    def subscribe(
        self,
        target: str,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
        document: Any = None,
    ) -> Subscription:
        """
        Open a stream: ``on_document`` gets each JSON document, the first one included.

        ``on_end`` gets one lower-case reason when the stream could not be opened or has ended. With
        a ``document`` the stream is asked for by POST, and the document is the JSON body.
        """

    def close(self) -> None:
        """Release the channel's connections."""


class HttpTransport(Protocol):
    """Gives channels to devices."""

    def channel(self, device: str) -> HttpChannel:
        """A channel for the device of that name."""

    def close(self) -> None:
        """Close every channel."""
