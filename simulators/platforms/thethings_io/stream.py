"""Subscribe: what is written as it is written, and an empty object when nothing was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from simulators.platforms.effects import (
    Arguments,
    Effects,
    EndStream,
    OpenStream,
    Request,
    StreamDocument,
    Timer,
)
from simulators.platforms.thethings_io.arguments import number
from simulators.platforms.thethings_io.refusals import Refused
from simulators.platforms.thethings_io.sessions import Session

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core

SUBSCRIBED = {"status": "success", "message": "subscribed"}

# What is listened to: a thing by its number, a resource by its name, or a collection of objects.
Channel: TypeAlias = "int | str | tuple[int, int, str]"


class Stream(msgspec.Struct):
    """
    An open stream: to what, how long it may be silent, and when it last was not.

    ``session`` is an app's; ``thing`` the only one whose resource it wants to hear of.
    """

    channel: Channel
    keep_alive_us: int
    last_us: int
    session: Session | None = None
    thing: int | None = None

    def has_expired(self, now_us: int) -> bool:
        """Its session is over."""
        session = self.session
        return session is not None and session.has_expired(now_us)


class Streams:
    """Open streams by their id and by channel; ids count up and are never used again."""

    def __init__(self) -> None:
        self.by_id: dict[int, Stream] = {}
        self.of: dict[Channel, tuple[int, ...]] = {}
        self._next_id = 0

    def add(self, stream: Stream) -> int:
        """Open a stream and return its id."""
        self._next_id += 1
        self.by_id[self._next_id] = stream
        self.of[stream.channel] = (*self.of.get(stream.channel, ()), self._next_id)
        return self._next_id

    def remove(self, stream_id: int) -> None:
        """Forget a stream; one that is not there is no mistake."""
        stream = self.by_id.pop(stream_id, None)
        if stream is None:
            return
        left = tuple(other for other in self.of[stream.channel] if other != stream_id)
        if left:
            self.of[stream.channel] = left
        else:
            del self.of[stream.channel]

    def broadcast(self, stream_ids: tuple[int, ...], document: Any, now_us: int) -> StreamDocument:
        """The document for these streams; their keep-alive starts again."""
        for stream_id in stream_ids:
            self.by_id[stream_id].last_us = now_us
        return StreamDocument(stream_ids, document)

    def end(self, stream_ids: Iterable[int]) -> Effects:
        """Close these streams."""
        ended = tuple(stream_ids)
        for stream_id in ended:
            self.remove(stream_id)
        return [EndStream(stream_id) for stream_id in ended]


def subscribe(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """A stream of all values of a thing."""
    thing = core.store.thing(arguments[0])
    if thing is None:
        raise Refused(
            core.policy.unknown_subscriber_status,
            f"Thing with thing token '{arguments[0]}' not found.",
        )
    return open_stream(core, request, thing.number, now_us)


def open_stream(
    core: Core,
    request: Request,
    channel: Channel,
    now_us: int,
    *,
    session: Session | None = None,
    thing: int | None = None,
) -> Effects:
    """
    Answer the request with a stream and start its keep-alive.

    Raises:
        Refused: a keepAlive that cannot be.
    """
    silence_us = _keep_alive_ms(core, request) * 1000
    stream = Stream(channel, silence_us, now_us, session, thing)
    stream_id = core.streams.add(stream)
    return [OpenStream(request, stream_id, SUBSCRIBED), _timer(stream_id, stream)]


def _timer(stream_id: int, stream: Stream) -> Timer:
    """For the end of the silence, or of the session when that comes first."""
    due_us = stream.last_us + stream.keep_alive_us
    ends_us = stream.session.expires_us if stream.session else None
    return Timer(stream_id, due_us if ends_us is None else min(due_us, ends_us))


def _keep_alive_ms(core: Core, request: Request) -> int:
    policy = core.policy
    text = request.arguments().get("keepAlive")
    keep_alive = number(text, "keepAlive", default=policy.keep_alive_default_ms)
    if not policy.keep_alive_min_ms <= keep_alive <= policy.keep_alive_max_ms:
        raise Refused(
            400,
            "keepAlive must be a number of milliseconds from "
            f"{policy.keep_alive_min_ms} to {policy.keep_alive_max_ms}",
        )
    return keep_alive + policy.keep_alive_late_ms


def keep_alive(core: Core, stream_id: int, now_us: int) -> Effects:
    """An empty object when the stream was silent for its keep-alive; else wait for the rest."""
    stream = core.streams.by_id.get(stream_id)
    if stream is None:
        return []
    if stream.has_expired(now_us):
        return core.streams.end((stream_id,))
    if core.policy.keep_alive_restarts and now_us < stream.last_us + stream.keep_alive_us:
        return [_timer(stream_id, stream)]
    stream.last_us = now_us
    return [StreamDocument((stream_id,), {}), _timer(stream_id, stream)]
