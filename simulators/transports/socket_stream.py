"""A subscription over a socket: one connection, one endless answer, documents as they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.clock import WallClock
from simulators.transports.connection import Connection, Reader
from simulators.transports.endpoint import Endpoint
from simulators.transports.http import TransportError
from simulators.wire.json_stream import JsonStream, JsonStreamError


class SocketSubscription(Connection):
    """An open stream; after ``close`` and after the end nothing is called any more."""

    def __init__(
        self,
        clock: WallClock,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._reader = Reader(self, self._heard)
        self.is_open = True
        self._clock = clock
        self._on_document = on_document
        self._on_end = on_end
        self._documents = JsonStream()

    async def open(self, endpoint: Endpoint, request: bytes) -> None:
        """Connect and ask; a failure is the stream's end."""
        try:
            await endpoint.connect(lambda: self)
        except TransportError as error:
            self._end(str(error))
            return
        if not self.is_open:
            self.abort("closed by the device")
        elif self.is_reusable:
            self.send(request)

    def close(self) -> None:
        """Stop listening."""
        self.is_open = False
        self.abort("closed by the device")

    def _heard(self, piece: bytes) -> None:
        """Hand over every document that this piece completes."""
        if self._reader is None or self._reader.parser.get_status_code() != 200:
            return
        try:
            documents = self._documents.feed(piece)
        except JsonStreamError as error:
            self._end(str(error))
            self.abort(str(error))
            return
        for document in documents:
            self._clock.enter(self._deliver, document)

    def answered(self, status: int, body: bytes) -> None:
        """The stream ended in order, or was never one."""
        self._end("ended by the platform" if status == 200 else f"refused with status {status}")
        self.abort("over")

    def lost(self, reason: str) -> None:
        """The stream was cut."""
        self._end(f"stream cut: {reason}")

    def _deliver(self, document: Any) -> None:
        if self.is_open:
            self._on_document(document)

    def _end(self, reason: str) -> None:
        if self.is_open:
            self.is_open = False
            self._clock.enter(self._on_end, reason)
