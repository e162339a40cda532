"""
The reference server of The Things Stack without a wire: a request becomes effects.

Every call goes the same way: decode, check the field mask and the fields, count against the rate
limit, then the handler with its own checks. Never commits, sleeps, or does I/O beyond its SQLite
connection; time comes with each call, ids and secrets from the generators handed in.
"""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import orjson

from simulators.platforms.effects import (
    Answer,
    Effects,
    Hash,
    OpenStream,
    Request,
    Timer,
    Work,
)
from simulators.platforms.scripting.worker import Result
from simulators.platforms.things_stack import configuration
from simulators.platforms.things_stack.application_server import (
    handlers as application_server,
)
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import ApiError, StackError
from simulators.platforms.things_stack.events import handlers as events
from simulators.platforms.things_stack.gateway_server import handlers as gateway_server
from simulators.platforms.things_stack.identity import handlers as identity
from simulators.platforms.things_stack.join_server import handlers as join_server
from simulators.platforms.things_stack.network_server import handlers as network_server
from simulators.platforms.things_stack.policy import Policy
from simulators.platforms.things_stack.rate_limits import RateLimiter, limit_key
from simulators.platforms.things_stack.requests import check, decoded
from simulators.platforms.things_stack.routes import PREFIX, Routes
from simulators.platforms.things_stack.slow import NeedsHash, NeedsWork
from simulators.platforms.things_stack.stack import Stack
from simulators.platforms.things_stack.ulid import ulid
from simulators.transports.websocket import Refusal

Document = dict[str, Any]

HANDLERS: dict[str, Callable[[Call], Document]] = {
    **application_server.HANDLERS,
    **configuration.HANDLERS,
    **events.HANDLERS,
    **gateway_server.HANDLERS,
    **identity.HANDLERS,
    **join_server.HANDLERS,
    **network_server.HANDLERS,
}
STREAMS: dict[str, Callable[[Call], Effects]] = {
    **application_server.STREAMS,
    **events.STREAMS,
}
ANSWERS: dict[str, Callable[[Call], Effects]] = {**application_server.ANSWERS}

_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_NOT_IN_HEADERS = re.compile(r"[^ -~]")
_LONGEST_ROUTE = 200
_AGENDA = 0  # the one timer's key; streams are numbered from 1


class Core:
    """One deployment, as a shell sees it."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        rng: random.Random,
        *,
        secrets: random.Random | None = None,
        policy: Policy | None = None,
    ) -> None:
        """
        Args:
            connection: from ``open_database``; whoever gave it commits.
            rng: source of ids.
            secrets: source of keys and salts; ``rng`` when None.
        """
        self.policy = policy or Policy()
        self.stack = Stack(connection, self.policy, rng, secrets or rng)
        served = HANDLERS.keys() | STREAMS.keys() | ANSWERS.keys()
        if not self.policy.storage_integration:
            served -= application_server.HOSTED
        self.routes = Routes(served)
        limit = self.policy.rate_limit
        self._limiter = RateLimiter(limit) if limit is not None else None
        self._armed_us: int | None = None

    def located(self, url: str) -> None:
        """Callers find this deployment there."""
        self.stack.application.public_url = url
        self.stack.gateways.public_url = url
        self.stack.gateways.stations.has_tls = url.startswith("https:")

    # --- PlatformCore

    def handle(self, request: Request, now_us: int) -> Effects:
        """Effects of a request that arrived at ``now_us`` (microseconds since 1970)."""
        if request.is_http_1_0 and self.policy.refuses_http_1_0:
            return [_upgrade(request)]
        headers = [("X-Request-Id", self._request_id(request, now_us))]
        try:
            effects = self._answer(request, headers, now_us)
        except NeedsHash as work:
            cost = self.policy.password_cost if work.cost is None else work.cost
            return [Hash(request, work.password, work.salt, cost)]
        except NeedsWork as work:
            return [Work(0, [job.at(now_us) for job in work.jobs], request)]
        except ApiError as error:
            effects = [Answer(request, error.status, self._told(error, headers))]
        for effect in effects:
            if isinstance(effect, Answer | OpenStream):
                effect.headers = tuple(headers)
        return [*effects, *self._drained()]

    def timer(self, key: int, now_us: int) -> Effects:
        """Do what is due."""
        self._armed_us = None
        self.stack.agenda.run(now_us)
        return self._drained()

    def closed(self, stream_id: int) -> None:
        """The client of a stream is gone."""
        self.stack.events.close(stream_id)

    def resume(self, now_us: int) -> Effects:
        """Go on with what the database says is still to be done."""
        self.stack.identity.resume()
        self.stack.network.resume(now_us)
        self.stack.application.resume(now_us)
        return self._drained()

    def mailed(self, number: int) -> None:
        """No mails are sent."""

    def forget(self) -> None:
        """The database was rolled back: nothing that was read from it may stay."""
        self.stack.identity.forget()
        self.stack.network.forget()
        self.stack.application.forget()

    # --- NetworkCore

    def datagram(self, data: bytes, address: Any, now_us: int) -> Effects:
        """Effects of a datagram that came from ``address``."""
        self.stack.gateways.datagram(data, address, now_us)
        return self._drained()

    def socket_opened(
        self, socket_id: int, path: str, headers: Mapping[str, str], now_us: int
    ) -> Effects | Refusal:
        """Effects of a WebSocket that opens, or why it may not."""
        refusal = self.stack.gateways.socket_opened(socket_id, path, headers, now_us)
        return self._drained() if refusal is None else refusal

    def socket_text(self, socket_id: int, text: str, now_us: int) -> Effects:
        """Effects of a message on a WebSocket."""
        self.stack.gateways.socket_text(socket_id, text, now_us)
        return self._drained()

    def socket_closed(self, socket_id: int, now_us: int) -> Effects:
        """Effects of a WebSocket's end."""
        self.stack.gateways.socket_closed(socket_id, now_us)
        return self._drained()

    def posted(self, number: int, status: int | None, said: str, now_us: int) -> Effects:
        """Effects of a Post's end: a status, or None and why there is none."""
        self.stack.application.posted(number, status, said, now_us)
        return self._drained()

    def worked(self, number: int, results: Sequence[Result], now_us: int) -> Effects:
        """Effects of a Work's end."""
        self.stack.application.worked(number, results, now_us)
        return self._drained()

    def _drained(self) -> Effects:
        """What the servers have put into the outbox, and the timer for what they do next."""
        self.stack.network.flush()
        effects = list(self.stack.outbox)
        self.stack.outbox.clear()
        next_us = self.stack.agenda.next_us
        if next_us is not None and next_us != self._armed_us:
            self._armed_us = next_us
            effects.append(Timer(_AGENDA, next_us))
        return effects

    # --- the way of a call

    def _answer(self, request: Request, headers: list[tuple[str, str]], now_us: int) -> Effects:
        if request.method == "OPTIONS":
            return [Answer(request, 204)]
        if not request.path.startswith(PREFIX):
            route_text = unquote(request.path, errors="replace")[:_LONGEST_ROUTE]
            raise StackError("pkg/webhandlers:route_not_found", {"route": route_text})
        route, values = self.routes.find(request.method, request.path)
        message = decoded(route, request, values)
        call = Call(
            self.stack, request, route, message, tenant=self._tenant(request), now_us=now_us
        )
        try:
            check(route, message, now_us)
            self._count(call)
            return self._handled(call)
        except StackError as error:
            if route.rpc not in STREAMS:
                raise
            return [self._stream_refusal(call, error, headers)]
        finally:
            headers += [(name, header_text(text)) for name, text in call.headers]

    def _handled(self, call: Call) -> Effects:
        rpc = call.route.rpc
        if rpc in STREAMS:
            return STREAMS[rpc](call)
        if rpc in ANSWERS:
            return ANSWERS[rpc](call)
        return [Answer(call.request, 200, HANDLERS[rpc](call))]

    def _tenant(self, request: Request) -> str:
        if not self.policy.tenants:
            return ""
        label = (request.header(b"host") or "").partition(".")[0].lower()
        return label if label in self.policy.tenants else self.policy.tenants[0]

    def _count(self, call: Call) -> None:
        """Count a call against its limit, but once when it comes back from slow work."""
        request = call.request
        if self._limiter is None or request.hashed is not None or request.worked is not None:
            return
        key = limit_key(call, is_stream=call.route.rpc in STREAMS)
        verdict = self._limiter.take(key, call.now_us)
        call.headers += verdict.headers()
        if not verdict.is_allowed:
            attributes = {"key": key, "rate": self._limiter.limit.per_minute}
            raise StackError("pkg/ratelimit:rate_limit_exceeded", attributes)

    def _request_id(self, request: Request, now_us: int) -> str:
        given = request.header(b"x-request-id") or ""
        return given if _REQUEST_ID.fullmatch(given) else ulid(now_us, self.stack.rng)

    def _told(self, error: ApiError, headers: list[tuple[str, str]]) -> Document:
        """An error as a document; a 401 also says so in a header."""
        if error.status == 401:
            headers.append(("WWW-Authenticate", header_text(error.message)))
        return error.body(f"{self.stack.rng.getrandbits(128):032x}")

    def _stream_refusal(
        self, call: Call, error: StackError, headers: list[tuple[str, str]]
    ) -> Answer:
        """An error in place of a stream's first message."""
        kind, delimiter = events.framing_of(call.request)
        document = orjson.dumps({"error": self._told(error, headers)}) + delimiter
        return Answer(call.request, error.status, document, kind)


def header_text(text: str) -> str:
    """A text that may stand in a header: one line of printable ASCII."""
    return _NOT_IN_HEADERS.sub("?", text)


def _upgrade(request: Request) -> Answer:
    headers = (("Upgrade", "HTTP/1.1"), ("Connection", "Upgrade"))
    return Answer(request, 426, b"Upgrade Required\n", "text/plain", headers)
