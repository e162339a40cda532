"""
Who is told of a write: devices of the thing, and apps whose sessions may read the resource.

Rights are looked at with every write, so that a stream falls silent with the right to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from simulators.platforms.effects import Effects, Request
from simulators.platforms.thethings_io.arguments import datetime_ms, is_true
from simulators.platforms.thethings_io.rights import GET
from simulators.platforms.thethings_io.store import Thing
from simulators.wire.thethings_io import format_date

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core
    from simulators.platforms.thethings_io.stream import Channel, Stream

Items = list[dict[str, Any]]


def is_subscription(request: Request) -> bool:
    """The query asks for a stream instead of an answer."""
    return bool(request.query) and is_true(request.arguments().get("subscribe"))


def told(core: Core, thing: Thing, items: Items, now_us: int) -> Effects:
    """A document for the thing's own subscribers, and one for those of each resource."""
    streams = core.streams
    effects: Effects = []
    if thing.number in streams.of:
        effects.append(streams.broadcast(streams.of[thing.number], items, now_us))
    for key in dict.fromkeys(item["key"] for item in items):
        if key in streams.of:
            effects += _told_apps(core, thing, key, items, now_us)
    return effects


def _told_apps(core: Core, thing: Thing, key: str, items: Items, now_us: int) -> Effects:
    effects = _end_expired(core, key, now_us)
    entitled = tuple(
        stream_id
        for stream_id, stream in _streams(core, key)
        if stream.thing in (None, thing.number) and _may_hear(core, stream, thing.number)
    )
    if entitled:
        document = [_shown(item, thing, now_us) for item in items if item["key"] == key]
        effects.append(core.streams.broadcast(entitled, document, now_us))
    return effects


def changed(core: Core, collection: tuple[int, int, str], document: Any, now_us: int) -> Effects:
    """A document for the subscribers of a collection."""
    if collection not in core.streams.of:
        return []
    effects = _end_expired(core, collection, now_us)
    stream_ids = core.streams.of.get(collection)
    if stream_ids:
        effects.append(core.streams.broadcast(stream_ids, [document], now_us))
    return effects


def end_unlawful(core: Core) -> Effects:
    """Close the streams of a single thing whose sessions have lost the right to it."""
    lost = [
        stream_id
        for stream_id, stream in core.streams.by_id.items()
        if stream.thing is not None and not _may_hear(core, stream, stream.thing)
    ]
    return core.streams.end(lost)


def _end_expired(core: Core, channel: Channel, now_us: int) -> Effects:
    return core.streams.end(
        [stream_id for stream_id, stream in _streams(core, channel) if stream.has_expired(now_us)]
    )


def _streams(core: Core, channel: Channel) -> Iterator[tuple[int, Stream]]:
    by_id = core.streams.by_id
    return ((stream_id, by_id[stream_id]) for stream_id in core.streams.of.get(channel, ()))


def _may_hear(core: Core, stream: Stream, thing: int) -> bool:
    if stream.session is None or not isinstance(stream.channel, str):
        return False
    return bool(core.rights.of(stream.session, thing, stream.channel) & GET)


def _shown(item: dict[str, Any], thing: Thing, now_us: int) -> dict[str, Any]:
    """The item as apps see it: always with its time, and with the thing it is from."""
    unix_ms = now_us // 1000
    if "datetime" in item:
        unix_ms = datetime_ms(item["datetime"], unix_ms)
    shown = {"key": item["key"], "value": item["value"], "datetime": format_date(unix_ms)}
    if "geo" in item:
        shown["geo"] = item["geo"]
    return {**shown, "thingId": thing.thing_id}
