"""Defects of streams, apart from those of their framing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from simulators.platforms.effects import (
    Answer,
    Effects,
    OpenStream,
    Request,
    StreamDocument,
    Timer,
)
from simulators.platforms.thethings_io.arguments import is_false
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.deviations.changes import (
    is_bad,
    is_status,
    items_of,
    refused,
    token_of,
    with_query,
)
from simulators.platforms.thethings_io.deviations.deviation import After, Before, Deviation
from simulators.platforms.thethings_io.refusals import error_document

WRITE, SUBSCRIBE = ("TIO-WR",), ("TIO-SUB",)
Items = list[dict[str, Any]]


def _told(change: Callable[[Items], Any]) -> After:
    """Another document for subscribers; None is not sent."""

    def after(request: Request, effects: Effects) -> Effects:
        kept: Effects = []
        for effect in effects:
            if isinstance(effect, StreamDocument):
                document = change(effect.document)
                if document is not None:
                    kept.append(replace(effect, document=document))
            else:
                kept.append(effect)
        return kept

    return after


def _untold(is_kept_back: Callable[[Request], bool]) -> After:
    """Some writes are not told to subscribers."""
    return lambda request, effects: [
        effect
        for effect in effects
        if not (isinstance(effect, StreamDocument) and is_kept_back(request))
    ]


def _each_item(change: Callable[[dict[str, Any]], dict[str, Any]]) -> After:
    return _told(lambda items: [change(item) for item in items])


def _newest_only(request: Request, effects: Effects) -> Effects:
    return [
        replace(effect, stream_ids=effect.stream_ids[-1:])
        if isinstance(effect, StreamDocument)
        else effect
        for effect in effects
    ]


def _unavailable(request: Request, effects: Effects) -> Effects:
    return [
        Answer(request, 503, error_document(503, "overloaded"))
        if isinstance(effect, OpenStream)
        else effect
        for effect in effects
        if not isinstance(effect, Timer)
    ]


def _opened(document: Any) -> After:
    return lambda request, effects: [
        replace(effect, document=document) if isinstance(effect, OpenStream) else effect
        for effect in effects
    ]


def _twice(request: Request, effects: Effects) -> Effects:
    told = [effect for effect in effects if isinstance(effect, StreamDocument)]
    return [*effects, *told]


def _one_at_a_time(request: Request, effects: Effects) -> Effects:
    """Every value of a write comes in a document of its own."""
    return [
        part
        for effect in effects
        for part in (
            [replace(effect, document=[item]) for item in effect.document]
            if isinstance(effect, StreamDocument)
            else [effect]
        )
    ]


def _changes_only() -> After:
    """A value that was told before under its key is not told again."""
    seen: set[tuple[str, str]] = set()

    def change(items: Items) -> Any:
        known = {(item["key"], repr(item["value"])) for item in items}
        is_old = known <= seen
        seen.update(known)
        return None if is_old else items

    return _told(change)


def _last_document() -> tuple[Callable[[Request], Request], After]:
    """A new subscriber is told the last write first."""
    last: dict[str, Items] = {}

    def before(request: Request) -> Request:
        if request.method == "POST" and items_of(request):
            last[token_of(request)] = items_of(request)
        return request

    def after(request: Request, effects: Effects) -> Effects:
        opened = [effect.stream_id for effect in effects if isinstance(effect, OpenStream)]
        known = last.get(token_of(request))
        told = [StreamDocument((stream_id,), known) for stream_id in opened if known]
        return [*effects, *told]

    return before, after


_LAST_BEFORE, _LAST_AFTER = _last_document()
_CORES: list[Core] = []


def _tell_refused(request: Request, effects: Effects) -> Effects:
    thing = _CORES[0].store.thing(token_of(request))
    refused = any(isinstance(effect, Answer) and is_bad(effect) for effect in effects)
    if not refused or thing is None or thing.number not in _CORES[0].streams.of:
        return effects
    document = StreamDocument(_CORES[0].streams.of[thing.number], items_of(request))
    return [*effects, document]


def _unknown_is_silent(request: Request, effects: Effects) -> Effects:
    """Everybody gets a stream; nobody learns that the token is unknown."""
    return [
        OpenStream(
            request, 1_000_000_000 + id(effect), {"status": "success", "message": "subscribed"}
        )
        if isinstance(effect, Answer) and is_bad(effect) and "token" in effect.document["message"]
        else effect
        for effect in effects
    ]


def _unknown_text(request: Request, effects: Effects) -> Effects:
    return [
        replace(effect, document={**effect.document, "message": "not found"})
        if isinstance(effect, Answer) and is_bad(effect)
        else effect
        for effect in effects
    ]


def _younger_leave_too(core: Core) -> None:
    """With a subscriber all those go that came after it."""
    remove = core.streams.remove

    def remove_more(stream_id: int) -> None:
        stream = core.streams.by_id.get(stream_id)
        ids = core.streams.of.get(stream.channel, ()) if stream else ()
        for each in ids:
            if each >= stream_id:
                remove(each)

    setattr(core.streams, "remove", remove_more)  # noqa: B010 - a method is replaced on purpose


def _once(core: Core) -> None:
    """Only the first silence of a stream is broken."""
    timer, done = core.timer, set[int]()

    def once(key: int, now_us: int) -> Effects:
        effects = [] if key in done else timer(key, now_us)
        if any(isinstance(effect, StreamDocument) for effect in effects):
            done.add(key)
        return effects

    setattr(core, "timer", once)  # noqa: B010 - a method is replaced on purpose


def _smallest() -> Before:
    """All subscribers of a thing share the smallest keepAlive that one of them asked for."""
    known: dict[str, int] = {}

    def before(request: Request) -> Request:
        asked = request.arguments().get("keepAlive", "")
        if not asked.isdecimal() or int(asked) < 1000:  # which is refused
            return request
        token = token_of(request)
        known[token] = min(int(asked), known.get(token, int(asked)))
        return with_query(lambda query: {**query, "keepAlive": str(known[token])})(request)

    return before


def _stringified(item: dict[str, Any]) -> dict[str, Any]:
    value = item["value"]
    return {**item, "value": str(value)} if isinstance(value, bool) else item


DEVIATIONS = {
    "stream-20-values": Deviation(
        "A document tells of 20 values at most.",
        after=_told(lambda items: items[:20] if isinstance(items, list) else items),
    ),
    "stream-8-kibibytes": Deviation(
        "A document of more than 8 KiB is not sent.",
        after=_told(lambda items: items if len(repr(items)) <= 8192 else None),
    ),
    "stream-broadcast-true": Deviation(
        "Writes with broadcast=true are not told.",
        after=_untold(lambda request: "broadcast=true" in request.query),
    ),
    "stream-503": Deviation(
        "Subscriptions are refused with status 503.", SUBSCRIBE, after=_unavailable
    ),
    "stream-first-other": Deviation(
        "The first document says connected.",
        SUBSCRIBE,
        after=_opened({"status": "success", "message": "connected"}),
    ),
    "stream-bare-object": Deviation(
        "A value written alone comes without its array.",
        WRITE,
        after=_told(lambda items: items[0] if len(items) == 1 else items),
    ),
    "stream-without-value": Deviation(
        "Documents tell keys only.",
        WRITE,
        after=_each_item(lambda item: {"key": item["key"]}),
    ),
    "stream-one-at-a-time": Deviation(
        "Every value comes in a document of its own.", WRITE, after=_one_at_a_time
    ),
    "stream-backwards": Deviation(
        "Values of a write come backwards.", WRITE, after=_told(lambda items: items[::-1])
    ),
    "stream-sorted": Deviation(
        "Values of a write come sorted by key.",
        WRITE,
        after=_told(lambda items: sorted(items, key=lambda item: item["key"])),
    ),
    "stream-changes-only": Deviation(
        "A value that was told before is not told again.", WRITE, after=_changes_only()
    ),
    "stream-twice": Deviation("Every document comes twice.", WRITE, after=_twice),
    "stream-booleans-as-strings": Deviation(
        "Booleans come as strings.", WRITE, after=_each_item(_stringified)
    ),
    "stream-stored-only": Deviation(
        "With store=false nobody is told.",
        WRITE,
        after=_untold(lambda request: is_false(request.arguments().get("store"))),
    ),
    "broadcast-false-ignored": Deviation(
        "broadcast=false is ignored.", policy={"broadcast_parameter": False}
    ),
    "stream-undated-only": Deviation(
        "Values with a datetime are not told.",
        WRITE,
        after=_untold(lambda request: any("datetime" in item for item in items_of(request))),
    ),
    "stream-lower-case-only": Deviation(
        "Keys with capital letters are not told.",
        WRITE,
        after=_untold(
            lambda request: any(item["key"] != item["key"].lower() for item in items_of(request))
        ),
    ),
    "stream-newest-only": Deviation(
        "Only the newest subscriber is told.", WRITE, after=_newest_only
    ),
    "stream-tells-refused": Deviation(
        "What was refused is told.", WRITE, setup=_CORES.append, after=_tell_refused
    ),
    "keep-alive-late": Deviation(
        "The empty object comes 1.3 s late.", policy={"keep_alive_late_ms": 1300}
    ),
    "keep-alive-early": Deviation(
        "The empty object comes 0.6 s early.", policy={"keep_alive_late_ms": -600}
    ),
    "keep-alive-once": Deviation("The empty object comes once.", setup=_once),
    "keep-alive-not-restarted": Deviation(
        "A message does not start keepAlive anew.", policy={"keep_alive_restarts": False}
    ),
    "keep-alive-fixed": Deviation(
        "keepAlive is never longer than 1.5 s.",
        SUBSCRIBE,
        before=with_query(
            lambda query: {**query, "keepAlive": "1500"} if "keepAlive" in query else query
        ),
    ),
    "keep-alive-smallest": Deviation(
        "The smallest keepAlive of all subscribers holds for those that come after.",
        SUBSCRIBE,
        before=_smallest(),
    ),
    "stream-unknown-silent": Deviation(
        "A subscription with any token is accepted.", SUBSCRIBE, after=_unknown_is_silent
    ),
    "stream-unknown-text": Deviation(
        "A subscription with a token that no thing has says not found.",
        SUBSCRIBE,
        after=_unknown_text,
    ),
    "keep-alive-500": Deviation(
        "A keepAlive that cannot be read is answered with status 500.",
        SUBSCRIBE,
        answer=refused(500, "internal error", is_status(400)),
    ),
    "stream-needs-keep-alive": Deviation(
        "A subscription without keepAlive is refused.",
        SUBSCRIBE,
        before=with_query(lambda query: {"keepAlive": "none", **query}),
    ),
    "stream-last-first": Deviation(
        "A new subscriber is told the last write.",
        ("TIO-WR", "TIO-SUB"),
        before=_LAST_BEFORE,
        after=_LAST_AFTER,
    ),
    "stream-younger-leave": Deviation(
        "With a subscriber all those go that came after it.", setup=_younger_leave_too
    ),
}
