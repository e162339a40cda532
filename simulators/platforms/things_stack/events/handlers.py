"""The part of the API about events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.platforms.effects import Effects, OpenStream, Request
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.events.definitions import matching
from simulators.platforms.things_stack.events.subscriptions import (
    Kept,
    Key,
    Subscription,
    keys_of,
    rendered,
)
from simulators.platforms.things_stack.identity import access
from simulators.platforms.things_stack.times import unix_us

Document = dict[str, Any]

EVENT_STREAM = "text/event-stream"
_NOT_KEPT = "Events storage is not enabled"


def stream(call: Call) -> Effects:
    """
    Events of some entities, from now on; first one that says that listening has begun.

    Messages are separated by an empty line for who accepts nothing but an event stream, else each
    is a line. Neither is what the standard of event streams says.
    """
    message = call.message
    identifiers: list[Document] = message.get("identifiers", [])
    if not identifiers:
        raise StackError("pkg/events/grpc:no_identifiers")
    patterns: list[str] = message.get("names", [])
    names = matching(patterns) if patterns else None
    rights = dict(_rights(call, ids) for ids in identifiers)
    kind, delimiter = framing_of(call.request)
    events = call.stack.events
    subscription = events.subscribe(rights, names, delimiter)
    start = events.start(
        identifiers,
        patterns,
        tenant=call.tenant,
        now_us=call.now_us,
        correlation_ids=call.correlation_ids,
    )
    _begin_with_past(call, subscription)
    document = rendered(start, delimiter)
    return [OpenStream(call.request, subscription.stream_id, document, kind)]


def framing_of(request: Request) -> tuple[str | None, bytes]:
    """Content type of a stream (None: the usual one), and what ends each message."""
    is_event_stream = request.header(b"accept") == EVENT_STREAM
    return (EVENT_STREAM, b"\n\n") if is_event_stream else (None, b"\n")


def _begin_with_past(call: Call, subscription: Subscription) -> None:
    tail, after = call.message.get("tail", 0), call.message.get("after")
    if not tail and after is None:
        return
    if not call.stack.events.are_kept:
        call.warn(_NOT_KEPT)
        return
    after_us = None if after is None else unix_us(after)
    call.stack.events.past(subscription, tail=tail, after_us=after_us)


def _rights(call: Call, ids: Document) -> tuple[Key, int]:
    """The entity's key and the caller's rights there, of which one is needed."""
    (key,) = keys_of(call.tenant, ids)
    kind = "application" if key[1] == "device" else key[1]
    rights = call.rights(kind, key[2])
    access.require(rights, kind, call.uid(key[2]), ())
    return key, rights


def find_related(call: Call) -> Document:
    """Events with a correlation id; without their data where the caller may not see them."""
    call.caller.require_authentication()
    if not call.stack.events.are_kept:
        raise StackError("pkg/events/grpc:storage_disabled")
    kept = call.stack.events.related(call.message["correlation_id"])
    events = [_seen(call, one) for one in kept]
    return {"events": events} if events else {}


def _seen(call: Call, kept: Kept) -> Document:
    for ids in kept.document["identifiers"]:
        _, kind, entity_id, *_ = keys_of(call.tenant, ids)[0]
        kind = "application" if kind == "device" else kind
        if kept.definition.rights & call.rights(kind, entity_id):
            return kept.document
    hidden = ("data", "authentication", "user_agent")
    return {name: value for name, value in kept.document.items() if name not in hidden}


HANDLERS: dict[str, Callable[[Call], Document]] = {"Events/FindRelated": find_related}
STREAMS: dict[str, Callable[[Call], Effects]] = {"Events/Stream": stream}
