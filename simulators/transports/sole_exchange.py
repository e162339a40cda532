"""Bytes as they are on a connection of their own, and what comes back: for what no device sends."""

from __future__ import annotations

import orjson
import simpy

from simulators.clock import WallClock
from simulators.transports.connection import Connection, Reader
from simulators.transports.endpoint import Endpoint
from simulators.transports.http import HttpAnswer, TransportError

LEFT = "closed by us right after sending"


class SoleExchange(Connection):
    """
    One request, and as many answers as it is said to get; ``event`` gets the last one.

    An answer that has begun but does not end counts with what has
    come of it, so that its status is known. One that wants no answer leaves at once, as far as the
    peer can see; it is over when the peer has seen it.
    """

    def __init__(
        self, clock: WallClock, event: simpy.Event, *, answers: int, timeout_us: int
    ) -> None:
        """To be called within the clock."""
        super().__init__()
        self._reader = Reader(self)
        self._clock = clock
        self._event = event
        self._left = answers
        self._wants_none = answers == 0
        late = clock.timeout(timeout_us)
        late.callbacks.append(lambda _: self._give_up(timeout_us))

    async def hold(self, endpoint: Endpoint, data: bytes) -> None:
        """Connect and send."""
        try:
            await endpoint.connect(lambda: self)
        except TransportError as error:
            self._clock.enter(self._fail, str(error))
            return
        if self.is_reusable:
            self.send(data)
            if self._wants_none:
                self._leave()

    def _leave(self) -> None:
        transport = self._transport
        if transport is not None and transport.can_write_eof():
            transport.write_eof()
        else:
            self._clock.enter(self._fail, LEFT)

    def answered(self, status: int, body: bytes) -> None:
        """One more; the last one is what counts."""
        self._left -= 1
        if self._wants_none:
            self._clock.enter(self._fail, LEFT)
        elif not self._left:
            self._clock.enter(self._succeed, status, body)

    def lost(self, reason: str) -> None:
        """There will be no more."""
        self._clock.enter(self._fail, LEFT if self._wants_none else reason)

    def _give_up(self, timeout_us: int) -> None:
        status = 0 if self._reader is None else self._reader.parser.get_status_code()
        if self._reader is not None and not self._reader.is_between and status >= 200:
            self._succeed(status, b"".join(self._reader.pieces))
        else:
            self._fail(f"no answer within {timeout_us / 1_000_000:g} s")

    def _succeed(self, status: int, body: bytes) -> None:
        if not self._event.triggered:
            self._event.succeed(HttpAnswer(status, _document(body)))
            self.abort("answered")

    def _fail(self, reason: str) -> None:
        if not self._event.triggered:
            self._event.fail(TransportError(reason))
            self.abort(reason)


def _document(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
