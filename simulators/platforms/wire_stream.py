"""One open stream on a socket: spacing of its documents, and the end of a reader too slow."""

from __future__ import annotations

import asyncio
from collections import deque

from simulators.platforms.framing import LAST_CHUNK, Framing, Limits


class WireStream:
    """
    Documents leave one per socket write, ``gap_s`` apart while few are waiting, so that a client
    gets each of them by itself; when many or large ones wait, the reader's pace counts alone.

    Nothing is written while the socket is full; the documents wait here and are counted.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        framing: Framing,
        limits: Limits,
        *,
        chunked: bool,
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._framing = framing
        self._limits = limits
        self._chunked = chunked
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._last_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._full_since_s: float | None = None
        self._unsent_bytes = 0  # of what the socket was given, when last looked at
        # Anything left over pauses. Not 0: under TLS that pauses an empty buffer, for ever.
        transport.set_write_buffer_limits(high=1, low=0)

    def begin(self, head: bytes, document: bytes) -> None:
        """Send the head and the first document."""
        self._transport.write(head + self._chunk([document]))
        self._last_s = self._loop.time()

    def push(self, document: bytes) -> None:
        """Send a document as soon as spacing and reader allow."""
        if self._transport.is_closing():
            return
        self._queue.append(document)
        self._queued_bytes += len(document)
        if self._timer is not None and not self._is_short():
            self.stop()
        self._pump()
        if self._queued_bytes > self._limits.stream_bytes:
            self._transport.abort()

    def pause(self) -> None:
        """The socket takes no more."""
        if self._full_since_s is None:
            self._full_since_s = self._loop.time()
            self._unsent_bytes = self._transport.get_write_buffer_size()

    def resume(self) -> None:
        """The reader took everything."""
        self._full_since_s = None
        self._pump()

    def check(self, now_s: float) -> None:
        """Cut a reader that has taken nothing for too long."""
        if self._full_since_s is None:
            return
        unsent_bytes = self._transport.get_write_buffer_size()
        if unsent_bytes < self._unsent_bytes:  # slow, but it takes some
            self._unsent_bytes, self._full_since_s = unsent_bytes, now_s
        elif now_s - self._full_since_s >= self._limits.stream_stall_s:
            self._transport.abort()

    def finish(self) -> None:
        """Send what waits, end the stream in an orderly way and close."""
        self.stop()
        if self._queue:
            self._transport.write(self._chunk(list(self._queue)))
            self._queue.clear()
        if self._chunked:
            self._transport.write(LAST_CHUNK)
        self._transport.close()

    def stop(self) -> None:
        """Let no timer fire any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _chunk(self, documents: list[bytes]) -> bytes:
        return self._framing.chunks(documents) if self._chunked else b"".join(documents)

    def _pump(self) -> None:
        while self._queue and self._full_since_s is None and self._timer is None:
            wait_s = self._last_s + self._framing.gap_s - self._loop.time()
            if wait_s > 0 and self._is_short():
                self._timer = self._loop.call_later(wait_s, self._due)
            else:
                self._write_next()

    def _is_short(self) -> bool:
        """So little is waiting that documents may keep their distance."""
        framing = self._framing
        return len(self._queue) <= framing.gap_queue and self._queued_bytes <= framing.gap_bytes

    def _due(self) -> None:
        self._timer = None
        if self._queue and self._full_since_s is None:
            self._write_next()
        self._pump()

    def _write_next(self) -> None:
        count = len(self._queue) if self._framing.join else 1
        documents = [self._queue.popleft() for _ in range(count)]
        self._queued_bytes -= sum(map(len, documents))
        self._last_s = self._loop.time()
        self._transport.write(self._chunk(documents))
