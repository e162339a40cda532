"""Defects of what apps subscribe to: resources and collections."""

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
from simulators.platforms.thethings_io import watching
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.deviations.app import (
    INSIDE,
    is_method,
    is_object,
    members,
    segments,
    session_token,
)
from simulators.platforms.thethings_io.deviations.changes import is_bad
from simulators.platforms.thethings_io.deviations.deviation import After, Deviation, OnAnswer, Setup
from simulators.platforms.thethings_io.refusals import error_document
from simulators.platforms.thethings_io.stream import Stream

RESOURCES, CLASSES = ("TIO-MERD",), ("TIO-CLS",)
WRITES = ("TIO-WR", "TIO-MEWR")


def _unavailable(request: Request, effects: Effects) -> Effects:
    return [
        Answer(request, 503, error_document(503, "overloaded"))
        if isinstance(effect, OpenStream)
        else effect
        for effect in effects
        if not isinstance(effect, Timer)
    ]


def _is_of_app(effect: Any) -> bool:
    """Whether an effect is a document for subscribers of a resource."""
    items = effect.document if isinstance(effect, StreamDocument) else None
    return isinstance(items, list) and bool(items) and "thingId" in items[0]


def _told(change: Callable[[StreamDocument], Effects]) -> After:
    """Other documents for subscribers of a resource."""
    return lambda request, effects: [
        part
        for effect in effects
        for part in (
            change(effect)
            if isinstance(effect, StreamDocument) and _is_of_app(effect)
            else [effect]
        )
    ]


def _as_text(document: StreamDocument) -> Effects:
    items = [{**item, "value": str(item["value"])} for item in document.document]
    return [replace(document, document=items)]


def _untold(matches: Callable[[Request], bool]) -> After:
    """Some requests tell subscribers nothing."""
    return lambda request, effects: [
        effect
        for effect in effects
        if not (isinstance(effect, StreamDocument) and matches(request))
    ]


def _of_devices_alone(request: Request, effects: Effects) -> Effects:
    is_apps = segments(request)[0] == "me"
    return [effect for effect in effects if not (is_apps and _is_of_app(effect))]


def _first_thing() -> tuple[OnAnswer, After]:
    """Values of the thing that a user has linked first are told, and of no other."""
    linked: dict[str | None, list[str]] = {}

    def learn(answer: Answer) -> Answer:
        if segments(answer.request)[:2] != ["me", "things"] or answer.status >= 300:
            return answer
        mine = linked.setdefault(session_token(answer.request), [])
        thing_id = answer.document["thingId"]
        if answer.request.method == "DELETE":
            mine[:] = [each for each in mine if each != thing_id]
        elif thing_id not in mine:
            mine.append(thing_id)
        return answer

    def change(document: StreamDocument) -> Effects:
        name = document.document[0]["thingId"]
        is_later = any(name in mine[1:] for mine in linked.values())
        return [] if is_later else [document]

    return learn, _told(change)


def _all_resources(request: Request, effects: Effects) -> Effects:
    """Values of every resource are told to the subscribers of all."""
    streams = INSIDE.core.streams
    channels = [each for each in streams.of if isinstance(each, str)]
    items = members(request).get("values")
    is_good = isinstance(effects[0], Answer) and effects[0].status < 300
    if not is_good or not isinstance(items, list):
        return effects
    for channel in channels:
        if all(item.get("key") != channel for item in items):
            effects.append(StreamDocument(streams.of[channel], items))
    return effects


def _to_everybody(core: Core) -> None:
    """Every subscription hears of every thing."""
    setattr(watching, "_may_hear", lambda _core, _stream, _thing: True)  # noqa: B010 - on purpose


def _stays_open(core: Core) -> None:
    """A subscription hears what its session was once allowed to."""
    may_hear, allowed = watching._may_hear, set[tuple[int, int]]()

    def remembering(core: Core, stream: Stream, thing: int) -> bool:
        if may_hear(core, stream, thing):
            allowed.add((id(stream), thing))
        return (id(stream), thing) in allowed

    setattr(watching, "_may_hear", remembering)  # noqa: B010 - a function is replaced on purpose


def _newest(document: StreamDocument) -> Effects:
    return [replace(document, stream_ids=document.stream_ids[-1:])]


def _is_of_class(effect: Any) -> bool:
    items = effect.document if isinstance(effect, StreamDocument) else None
    return isinstance(items, list) and bool(items) and "_id" in items[0]


def _classes(change: Callable[[Request, StreamDocument], Effects]) -> After:
    """Other documents for subscribers of a collection."""
    return lambda request, effects: [
        part
        for effect in effects
        for part in (
            change(request, effect)
            if isinstance(effect, StreamDocument) and _is_of_class(effect)
            else [effect]
        )
    ]


def _channels(matches: Callable[[tuple[int, int, str], tuple[int, int, str]], bool]) -> Setup:
    """Changes are told to other collections as well; ``matches`` is given theirs and the other."""

    def setup(core: Core) -> None:
        changed = watching.changed

        def more(
            core: Core, collection: tuple[int, int, str], document: Any, now_us: int
        ) -> Effects:
            found = [
                each
                for each in list(core.streams.of)
                if isinstance(each, tuple) and each != collection and matches(collection, each)
            ]
            effects = changed(core, collection, document, now_us)
            for each in found:
                effects += changed(core, each, document, now_us)
            return effects

        setattr(_classes_module(), "changed", more)  # noqa: B010 - replaced on purpose

    return setup


def _classes_module() -> Any:
    from simulators.platforms.thethings_io import classes

    return classes


def _beneath(changed: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    return changed[:2] == other[:2] and changed[2].startswith(f"{other[2]}/")


def _top(changed: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    return changed[0] == other[0] and changed[2].count("/") == other[2].count("/") == 0


def _others(changed: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    is_mine = changed[1] != 0 and other[1] != 0
    return is_mine and changed[0] == other[0] and changed[2] == other[2]


def _own(request: Request, document: StreamDocument) -> Effects:
    """A change is told to whoever made it."""
    session = INSIDE.core.session(request, 0)
    mine = tuple(
        stream_id
        for stream_id in document.stream_ids
        if (stream := INSIDE.core.streams.by_id.get(stream_id)) is not None
        and stream.session is not None
        and stream.session.user == session.user
    )
    return [replace(document, stream_ids=mine)] if mine else []


def _refused_too(request: Request, effects: Effects) -> Effects:
    """An object that is refused is told."""
    first = effects[0]
    if request.method != "POST" or not isinstance(first, Answer) or not is_bad(first):
        return effects
    path = segments(request)[2 : -1 if is_object(request) else None]
    streams = INSIDE.core.streams.of
    found = [
        ids
        for each, ids in streams.items()
        if isinstance(each, tuple) and each[2] == "/".join(path)
    ]
    return [*effects, *(StreamDocument(ids, [members(request)]) for ids in found)]


_FIRST_ANSWER, _FIRST_AFTER = _first_thing()

DEVIATIONS = {
    "me-stream-503": Deviation(
        "Subscriptions to resources are refused with status 503.", RESOURCES, after=_unavailable
    ),
    "me-stream-text": Deviation(
        "Values reach subscriptions of apps as text.", WRITES, after=_told(_as_text)
    ),
    "me-stream-devices-alone": Deviation(
        "What apps write does not reach subscriptions of apps.", WRITES, after=_of_devices_alone
    ),
    "me-stream-twice": Deviation(
        "Values reach subscriptions of apps twice.",
        WRITES,
        after=_told(lambda document: [document, document]),
    ),
    "me-stream-all-resources": Deviation(
        "Values of every resource reach the subscriptions of all.",
        WRITES,
        setup=INSIDE.take,
        after=_all_resources,
    ),
    "me-stream-all-things": Deviation(
        "Values of every thing reach a subscription.", setup=_to_everybody
    ),
    "me-stream-stays": Deviation(
        "A subscription hears what its session was once allowed to.", setup=_stays_open
    ),
    "me-stream-newest": Deviation(
        "Of several subscriptions to a resource the newest is told.", WRITES, after=_told(_newest)
    ),
    "me-stream-first-thing": Deviation(
        "Values of the thing that a user has linked first alone reach subscriptions.",
        (*WRITES, "TIO-LINK", "TIO-UNLINK"),
        answer=_FIRST_ANSWER,
        after=_FIRST_AFTER,
    ),
    "class-stream-503": Deviation(
        "Subscriptions to collections are refused with status 503.", CLASSES, after=_unavailable
    ),
    "class-stream-no-new": Deviation(
        "New objects are not told.", CLASSES, after=_untold(is_method("POST"))
    ),
    "class-stream-no-updates": Deviation(
        "Updates are not told.", CLASSES, after=_untold(is_method("PUT"))
    ),
    "class-stream-no-deletions": Deviation(
        "Deletions are not told.", CLASSES, after=_untold(is_method("DELETE"))
    ),
    "class-stream-all": Deviation(
        "Changes are told to all collections at the top.", setup=_channels(_top)
    ),
    "class-stream-beneath": Deviation(
        "Changes of a collection beneath an object are told above.", setup=_channels(_beneath)
    ),
    "class-stream-top": Deviation(
        "Changes of collections beneath objects are not told.",
        CLASSES,
        after=_untold(lambda request: len(segments(request)) > 4),
    ),
    "class-stream-own": Deviation(
        "A change is told to whoever made it, and to nobody else.",
        CLASSES,
        setup=INSIDE.take,
        after=_classes(_own),
    ),
    "class-stream-foreign": Deviation(
        "Changes under me are told to everybody.", setup=_channels(_others)
    ),
    "class-stream-twice": Deviation(
        "Changes are told twice.",
        CLASSES,
        after=_classes(lambda _request, document: [document, document]),
    ),
    "class-stream-refused": Deviation(
        "An object that is refused is told.", CLASSES, setup=INSIDE.take, after=_refused_too
    ),
}
