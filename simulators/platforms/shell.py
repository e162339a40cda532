"""
The shell of a reference server: connections in front, the core behind, SQLite in between.

All requests that arrive in one turn of the event loop share one commit; only after it do their
effects leave. So nothing is acknowledged that a kill could lose, and the commit costs little.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import traceback
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, ClassVar

from simulators.platforms.effects import (
    Answer,
    Datagram,
    Effect,
    Effects,
    EndStream,
    Hash,
    Hashed,
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
from simulators.platforms.framing import Framing, Limits, head, header_lines
from simulators.platforms.gateway_front import GatewayFront
from simulators.platforms.hashing import HashingThreads
from simulators.platforms.mailer import Outgoing
from simulators.platforms.poster import Poster
from simulators.platforms.scripting.threads import ScriptThreads
from simulators.platforms.scripting.worker import Result, by_key
from simulators.platforms.wire_http import Connection
from simulators.platforms.wire_stream import WireStream

_SWEEP_S = 0.5
_LONGEST_TIMER_S = 86_400.0  # longer ones come back to the core, which asks again


class Shell:
    """Carries out a core's effects on sockets."""

    def __init__(
        self,
        core: PlatformCore,
        database: sqlite3.Connection,
        now_us: Callable[[], int],
        *,
        framing: Framing | None = None,
        limits: Limits | None = None,
        mailer: Outgoing | None = None,
        network: NetworkCore | None = None,
    ) -> None:
        """
        Must be made inside a running loop.

        Args:
            now_us: tells microseconds since 1970.
            mailer: None leaves mails in the core's outbox.
            network: the core once more, if gateways connect to it, or it posts.
        """
        self.loop = asyncio.get_running_loop()
        self.framing = framing or Framing()
        self.limits = limits or Limits()
        self._core = core
        self._network = network
        self._database = database
        self._now_us = now_us
        self._mailer = mailer
        self.gateways = None if network is None else GatewayFront(network, self.let_in)
        self._poster = None if network is None else Poster(self.loop, self._posted)
        self._scripts = None
        if network is not None:
            self._scripts = ScriptThreads(self.loop, self._worked, most=self.limits.scripts)
        self._effects: Effects = []
        self._is_flush_due = self._is_ending = False
        self._connections: set[Connection] = set()
        self._streams: dict[int, WireStream] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._heads: dict[tuple[int, str], bytes] = {}
        self._hashing = HashingThreads(self.loop, self._hashed, most=self.limits.hashes)
        # Requests that came on a connection after one whose password is being hashed.
        self._held: dict[Connection, deque[Request]] = {}
        self._sweeper = self.loop.call_later(_SWEEP_S, self._sweep)
        self.is_empty = asyncio.Event()  # after shut_down: the last connection is gone

    # --- connections

    def admit(self, connection: Connection) -> bool:
        """Note a new connection; False when there are too many."""
        self._connections.add(connection)
        return len(self._connections) <= self.limits.connections

    def lost(self, connection: Connection) -> None:
        """The connection is gone, and with it its stream."""
        self._connections.discard(connection)
        if connection.stream is not None:
            stream_id, stream = connection.stream
            stream.stop()
            self._forget_stream(stream_id)
        if self._is_ending and not self._connections:
            self.is_empty.set()

    def _forget_stream(self, stream_id: int) -> None:
        self._streams.pop(stream_id, None)
        timer = self._timers.pop(stream_id, None)
        if timer is not None:
            timer.cancel()
        self._core.closed(stream_id)

    def _sweep(self) -> None:
        """Limits in time, looked at for all connections together."""
        self._sweeper = self.loop.call_later(_SWEEP_S, self._sweep)
        self._heads.clear()  # they hold the date
        now_s = self.loop.time()
        for connection in list(self._connections):
            if connection.stream is not None:
                connection.stream[1].check(now_s)
            else:
                self._check_idle(connection, now_s)

    def _check_idle(self, connection: Connection, now_s: float) -> None:
        limits = self.limits
        if connection.is_deaf:
            if now_s - connection.heard_s > limits.linger_s:
                connection.transport.abort()
        elif connection.began_s is not None:
            if now_s - connection.began_s > limits.request_s:
                connection.refuse(408, f"request took longer than {limits.request_s:g} s")
        elif now_s - connection.heard_s > limits.idle_s:
            self._close_idle(connection)

    def _close_idle(self, connection: Connection) -> None:
        # After an answer silence is normal, and an error now could meet the next request.
        if connection.transport.get_write_buffer_size():
            connection.transport.abort()
        elif connection.was_answered:
            connection.transport.close()
        else:
            connection.refuse(408, f"no request within {self.limits.idle_s:g} s")

    # --- requests in, effects out

    def resume(self) -> None:
        """Go on with what an earlier process left undone."""
        self._effects += self._core.resume(self._now_us())
        self._flush_soon()
        if self.gateways is not None:
            self.gateways.is_open = True

    def submit(self, request: Request) -> None:
        """Hand a request to the core; its effects leave after the turn's commit."""
        if self._held and request.origin in self._held:
            self._held[request.origin].append(request)  # answers keep the order of the requests
            return
        try:
            effects = self._core.handle(request, self._now_us())
            if effects and type(effects[0]) in _SLOW:
                effects = self._hold(effects[0])
            self._effects += effects
        except sqlite3.Error as error:
            self._storage_failed([*self._effects, Answer(request, 503)], error)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            self._effects.append(self._refusal(request, 500, "internal error"))
        self._flush_soon()

    def _hold(self, work: Any) -> Effects:
        """Let nothing overtake the request that waits for a hash or for scripts."""
        threads: HashingThreads | ScriptThreads = self._hashing
        what = "passwords wait to be hashed"
        if isinstance(work, Work) and self._scripts is not None:
            threads, what = self._scripts, "scripts wait to be run"
        if threads.is_full:
            return [self._refusal(work.request, 503, f"too many {what}")]
        connection: Connection = work.request.origin
        self._held[connection] = deque()
        connection.transport.pause_reading()
        return [work]

    def _hash(self, work: Hash) -> None:
        self._hashing.start(work)

    def _work(self, work: Work) -> None:
        if self._scripts is not None:
            self._scripts.start(work)

    def _mail(self, mail: Mail) -> None:
        if self._mailer is not None:
            self._mailer.send(mail, self._mailed)

    def _mailed(self, number: int) -> None:
        try:
            self._core.mailed(number)
        except sqlite3.Error as error:  # it will be sent once more
            self._storage_failed(self._effects, error)
        self._flush_soon()

    def _hashed(self, work: Hash, result: Hashed | BaseException) -> None:
        """The request comes back with its hash."""
        waiting = self._let_go(work.request)
        if isinstance(result, BaseException):
            print(f"password was not hashed: {result}", file=sys.stderr)
            self._effects.append(self._refusal(work.request, 503, "password was not hashed"))
            self._flush_soon()
        else:
            work.request.hashed = result
            self.submit(work.request)
        for request in waiting:
            self.submit(request)

    def _worked(self, work: Work, results: list[Result]) -> None:
        """The request comes back with what its scripts have made, if one waits for that."""
        if work.request is None:
            network = self._network
            assert network is not None
            self.let_in(lambda now_us: network.worked(work.number, results, now_us))
            return
        waiting = self._let_go(work.request)
        work.request.worked = (work.request.worked or {}) | by_key(work.jobs, results)
        self.submit(work.request)
        for request in waiting:
            self.submit(request)

    def _let_go(self, request: Request) -> deque[Request]:
        """Those that waited behind a request; its connection is read again."""
        connection: Connection = request.origin
        if not connection.is_deaf and not connection.transport.is_closing():
            connection.transport.resume_reading()
        return self._held.pop(connection)

    def refuse(self, connection: Connection, status: int, message: str) -> None:
        """Answer something that never became a request."""
        request = Request("", "", origin=connection)
        self._effects.append(self._refusal(request, status, message))
        self._flush_soon()

    def _refusal(self, request: Request, status: int, message: str) -> Answer:
        return Answer(request, *self.framing.refusal(status, message))

    def let_in(self, call: Callable[[int], Effects]) -> None:
        """Call the core for something that nobody waits for; its effects leave as all others."""
        try:
            self._effects += call(self._now_us())
        except sqlite3.Error as error:
            self._storage_failed(self._effects, error)
        except Exception:
            traceback.print_exc(file=sys.stderr)
        self._flush_soon()

    def _flush_soon(self) -> None:
        if not self._is_flush_due:
            self._is_flush_due = True
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flush_due = False
        effects, self._effects = self._effects, []
        try:
            if self._database.in_transaction:
                self._database.commit()
        except sqlite3.Error as error:
            self._storage_failed(effects, error)
            return
        release = self._RELEASE
        for effect in effects:
            try:
                release[type(effect)](self, effect)
            except Exception:
                self._failed(effect)

    def _failed(self, effect: Effect) -> None:
        """A mistake of ours must cost nobody else an answer."""
        traceback.print_exc(file=sys.stderr)
        if isinstance(effect, Answer | OpenStream):
            effect.request.origin.transport.abort()

    def _storage_failed(self, effects: Effects, error: sqlite3.Error) -> None:
        """Nothing of this turn was kept: say so to everybody who asked in it."""
        print(f"storage failed: {error}", file=sys.stderr)
        self._database.rollback()
        self._core.forget()
        self._effects = []
        for effect in effects:
            if isinstance(effect, OpenStream):
                self._core.closed(effect.stream_id)
            if isinstance(effect, OpenStream | Answer):
                self._answer(self._refusal(effect.request, 503, "storage failed"))
            if isinstance(effect, Hash):  # has changed nothing yet
                self._hash(effect)
            if isinstance(effect, Work):  # what waits for it is not in the database
                self._work(effect)

    # --- releasing effects

    def _answer(self, answer: Answer) -> None:
        request = answer.request
        connection: Connection = request.origin
        if connection.transport.is_closing() or connection.stream is not None:
            return  # gone, or asked again after it had subscribed
        if answer.content_type is None:
            body = b"" if answer.document is None else self.framing.dumps(answer.document)
            start = self._heads.get((answer.status, "")) or self._head(answer.status, "")
        else:
            body = answer.document
            start = self._head(answer.status, answer.content_type)
        if answer.headers:
            start += header_lines(answer.headers)
        connection.pending -= 1
        connection.was_answered = True
        if connection.is_closing or request.method in _SPECIAL or answer.status == 204:
            self._answer_specially(connection, answer, start, body)
        else:
            connection.transport.write(b"%bContent-Length: %d\r\n\r\n%b" % (start, len(body), body))

    def _head(self, status: int, content_type: str) -> bytes:
        kind = content_type or self.framing.content_type
        start = head(status, [self._date(), ("Content-Type", kind), *self.framing.headers])
        self._heads[status, content_type] = start
        return start

    def _date(self) -> tuple[str, str]:
        return "Date", formatdate(self._now_us() / 1_000_000, usegmt=True)

    def _answer_specially(
        self, connection: Connection, answer: Answer, start: bytes, body: bytes
    ) -> None:
        """The last answer on a connection, one without a body, or one to HTTP/1.0."""
        if answer.status == 204:
            headers = [self._date(), *self.framing.headers, *self.framing.preflight]
            start, length = head(204, [*headers, *answer.headers]), b""
        else:
            length = b"Content-Length: %d\r\n" % len(body)
        is_last = connection.is_closing and connection.pending == 0
        close = b"Connection: close\r\n" if is_last else b""
        shown = b"" if answer.request.method == "HEAD" else body
        connection.transport.write(b"".join((start, length, close, b"\r\n", shown)))
        if is_last:
            self._close_after_answer(connection)

    def _close_after_answer(self, connection: Connection) -> None:
        if connection.has_ended or not connection.is_deaf:
            connection.transport.close()
            return
        # More bytes may be on their way: closing now would reset the answer away. The sweep
        # ends a client that does not close.
        connection.heard_s = self.loop.time()
        if connection.transport.can_write_eof():
            connection.transport.write_eof()

    def _open_stream(self, effect: OpenStream) -> None:
        connection: Connection = effect.request.origin
        connection.pending -= 1
        if connection.transport.is_closing() or connection.stream is not None:
            self._core.closed(effect.stream_id)
            return
        connection.limit_send_buffer(self.limits.stream_send_buffer)
        chunked = self.framing.chunked and not connection.is_http_1_0()
        stream = WireStream(
            connection.transport, self.loop, self.framing, self.limits, chunked=chunked
        )
        connection.stream = (effect.stream_id, stream)
        self._streams[effect.stream_id] = stream
        stream.begin(self._stream_head(effect, chunked), self.framing.dumps(effect.document))
        if connection.has_ended:
            stream.finish()

    def _stream_head(self, effect: OpenStream, chunked: bool) -> bytes:
        kind = (b"Transfer-Encoding", b"chunked") if chunked else (b"Connection", b"close")
        start = self._head(200, effect.content_type or "") + header_lines(effect.headers)
        return start + b"%s: %s\r\n\r\n" % kind

    def _stream_document(self, effect: StreamDocument) -> None:
        document = self.framing.dumps(effect.document)
        for stream_id in effect.stream_ids:
            stream = self._streams.get(stream_id)
            if stream is not None:
                stream.push(document)

    def _end_stream(self, effect: EndStream) -> None:
        stream = self._streams.get(effect.stream_id)
        if stream is not None:
            stream.finish()

    def _set_timer(self, effect: Timer) -> None:
        previous = self._timers.pop(effect.key, None)
        if previous is not None:
            previous.cancel()
        delay_s = (effect.due_us - self._now_us()) / 1_000_000
        self._timers[effect.key] = self.loop.call_later(
            min(max(0.0, delay_s), _LONGEST_TIMER_S), self._timer_due, effect.key
        )

    def _timer_due(self, key: int) -> None:
        self._timers.pop(key, None)
        self.let_in(lambda now_us: self._core.timer(key, now_us))

    def _datagram(self, effect: Datagram) -> None:
        if self.gateways is not None:
            self.gateways.send(effect)

    def _socket_text(self, effect: SocketText) -> None:
        if self.gateways is not None:
            self.gateways.send_text(effect)

    def _socket_close(self, effect: SocketClose) -> None:
        if self.gateways is not None:
            self.gateways.close(effect)

    def _post(self, effect: Post) -> None:
        if self._poster is not None:
            self._poster.post(effect)

    def _posted(self, number: int, status: int | None, said: str) -> None:
        network = self._network
        if network is not None:
            self.let_in(lambda now_us: network.posted(number, status, said, now_us))

    _RELEASE: ClassVar[dict[type[Effect], Callable[[Shell, Any], None]]] = {
        Answer: _answer,
        OpenStream: _open_stream,
        StreamDocument: _stream_document,
        EndStream: _end_stream,
        Timer: _set_timer,
        Hash: _hash,
        Mail: _mail,
        Datagram: _datagram,
        SocketText: _socket_text,
        SocketClose: _socket_close,
        Post: _post,
        Work: _work,
    }

    # --- the end

    def shut_down(self) -> None:
        """Answer what was asked, end every stream in an orderly way, close every connection."""
        self._sweeper.cancel()
        self._flush()
        self._hashing.close()
        if self._poster is not None:
            self._poster.close()
        if self._scripts is not None:
            self._scripts.close()
        for stream in list(self._streams.values()):
            stream.finish()
        for connection in self._connections:
            connection.transport.close()
        self._is_ending = True
        if not self._connections:
            self.is_empty.set()

    def abort(self) -> None:
        """Leave those behind who do not take their last bytes."""
        for connection in self._connections:
            connection.transport.abort()


_SPECIAL = ("HEAD",)
_SLOW = (Hash, Work)  # alone among the effects of a request that waits for them
