"""
Calls of the HTTP API: which server each one is for, how errors look, when to try again.

Source: The Things Stack documentation, "HTTP API" and "Addresses"; rate limits answer with 429.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any

import simpy

from simulators.clock import Clock
from simulators.transports.http import (
    HttpAnswer,
    HttpChannel,
    HttpTransport,
    Subscription,
    TransportError,
    UnconnectedError,
)

Document = dict[str, Any]
Steps = Generator[simpy.Event, Any, Any]

PREFIX = "/api/v3"
SERVERS = {"js": "join", "ns": "network", "as": "application", "gs": "gateway"}
IDENTITY, EVENTS = "identity", "application"
TRIES = 6
NOT_FOUND = 404
UNCONNECTED = "unconnected"
LIMITED, UNAVAILABLE = "rate_limit_exceeded", 503


class ApiError(Exception):
    """
    A call that was refused, or that got no answer.

    ``status`` is 0 without an answer; ``name`` is the error's, without its namespace, or
    UNCONNECTED when nothing was sent.
    """

    def __init__(self, what: str, status: int, name: str, told: str) -> None:
        self.status = status
        self.name = name
        super().__init__(f"{what}: {told}")


class Doors:
    """
    The ways to the servers of one deployment; ``transports`` by component, the rest by ``usual``.

    A cluster without an Identity Server has that one elsewhere.
    """

    def __init__(
        self, usual: HttpTransport, transports: Mapping[str, HttpTransport] | None = None
    ) -> None:
        self._usual = usual
        self._transports = transports or {}

    def channel(self, component: str, user: str) -> HttpChannel:
        """A channel to one of the servers."""
        return self._transports.get(component, self._usual).channel(user)


class Api:
    """What one user of the API holds: a key, and a channel to each server that is asked."""

    def __init__(self, clock: Clock, doors: Doors, api_key: str, *, user: str) -> None:
        self.clock = clock
        self._doors = doors
        self._authorization = f"Bearer {api_key}"
        self._user = user
        self._channels: dict[str, HttpChannel] = {}

    def call(self, method: str, path: str, document: Document | None = None) -> Steps:
        """
        One call; ``path`` is without the prefix. A limited rate is waited for.

        Returns:
            The answer's document.
        Raises:
            ApiError: refused, or no answer.
        """
        what = f"{method} {path.partition('?')[0]}"
        channel = self._channel(_component(path))
        for attempt in range(TRIES):
            try:
                answer = yield channel.request(method, PREFIX + path, document)
            except TransportError as error:
                name = UNCONNECTED if isinstance(error, UnconnectedError) else ""
                raise ApiError(what, 0, name, str(error)) from error
            if answer.status == 200:
                return answer.document if isinstance(answer.document, dict) else {}
            refusal = _refusal(what, answer)
            if refusal.name != LIMITED and refusal.status != UNAVAILABLE:
                break
            yield self.clock.sleep(1 << attempt)
        raise refusal

    def stream(
        self, document: Document, heard: Callable[[Any], None], ended: Callable[[str], None]
    ) -> Subscription:
        """Events, as they come; ``ended`` gets a reason."""
        channel = self._channel(EVENTS)
        return channel.subscribe(f"{PREFIX}/events", heard, ended, document)

    def close(self) -> None:
        """Release the connections."""
        for channel in self._channels.values():
            channel.close()

    def _channel(self, component: str) -> HttpChannel:
        if component not in self._channels:
            channel = self._channels[component] = self._doors.channel(component, self._user)
            channel.authorize(self._authorization)
        return self._channels[component]


def in_parallel(apis: Sequence[Api], jobs: Iterable[Callable[[Api], Steps]]) -> Steps:
    """
    Have several users of the API do jobs one after the other until none is left.

    Raises:
        ApiError: the first one that a job raised; no job is begun after it.
    """
    waiting = iter(list(jobs))
    problems: list[ApiError] = []

    def work(api: Api) -> Steps:
        for job in waiting:
            try:
                yield from job(api)
            except ApiError as problem:
                problems.append(problem)
            if problems:
                return

    clock = apis[0].clock
    yield simpy.AllOf(clock, [clock.process(work(api)) for api in apis])
    if problems:
        raise problems[0]


def _component(path: str) -> str:
    first = path.split("/", 2)[1]
    return EVENTS if first == "events" else SERVERS.get(first, IDENTITY)


def _refusal(what: str, answer: HttpAnswer) -> ApiError:
    document = answer.document if isinstance(answer.document, dict) else {}
    details = document.get("details") or [{}]
    message = document.get("message") or f"status {answer.status}"
    return ApiError(what, answer.status, str(details[0].get("name", "")), str(message))
