"""Subscribe: a thing's values as they are written, and an empty object when nothing was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from simulators.platforms.effects import (
    Arguments,
    Effects,
    OpenStream,
    Request,
    StreamDocument,
    Timer,
)
from simulators.platforms.thethings_io.arguments import number
from simulators.platforms.thethings_io.refusals import Refused

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core

SUBSCRIBED = {"status": "success", "message": "subscribed"}


class Stream(msgspec.Struct):
    """An open stream: whose, how long it may be silent, and when it last was not."""

    thing: int
    keep_alive_us: int
    last_us: int


class Streams:
    """Open streams by their id and by thing; ids count up and are never used again."""

    def __init__(self) -> None:
        self.by_id: dict[int, Stream] = {}
        self.of_thing: dict[int, tuple[int, ...]] = {}
        self._next_id = 0

    def add(self, stream: Stream) -> int:
        """Open a stream and return its id."""
        self._next_id += 1
        self.by_id[self._next_id] = stream
        self.of_thing[stream.thing] = (*self.of_thing.get(stream.thing, ()), self._next_id)
        return self._next_id

    def remove(self, stream_id: int) -> None:
        """Forget a stream; one that is not there is no mistake."""
        stream = self.by_id.pop(stream_id, None)
        if stream is None:
            return
        left = tuple(other for other in self.of_thing[stream.thing] if other != stream_id)
        if left:
            self.of_thing[stream.thing] = left
        else:
            del self.of_thing[stream.thing]

    def broadcast(self, thing: int, document: Any, now_us: int) -> StreamDocument:
        """The document for every subscriber of the thing; their keep-alive starts again."""
        stream_ids = self.of_thing[thing]
        for stream_id in stream_ids:
            self.by_id[stream_id].last_us = now_us
        return StreamDocument(stream_ids, document)


def subscribe(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Open a stream and start its keep-alive."""
    thing = core.store.thing(arguments[0])
    if thing is None:
        raise Refused(
            core.policy.unknown_subscriber_status,
            f"Thing with thing token '{arguments[0]}' not found.",
        )
    silence_us = _keep_alive_ms(core, request) * 1000
    stream_id = core.streams.add(Stream(thing.number, silence_us, now_us))
    return [
        OpenStream(request, stream_id, SUBSCRIBED),
        Timer(stream_id, now_us + silence_us),
    ]


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
    due_us = stream.last_us + stream.keep_alive_us
    if core.policy.keep_alive_restarts and now_us < due_us:
        return [Timer(stream_id, due_us)]
    stream.last_us = now_us
    return [StreamDocument((stream_id,), {}), Timer(stream_id, now_us + stream.keep_alive_us)]
