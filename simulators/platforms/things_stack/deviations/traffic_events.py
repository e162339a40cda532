"""Defects of the event stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Effect, Effects, OpenStream, StreamDocument
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.changes import (
    with_body,
    with_status,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation, OnEffects
from simulators.platforms.things_stack.deviations.hooks import without_event
from simulators.platforms.things_stack.events.definitions import Definition
from simulators.platforms.things_stack.events.subscriptions import Subscription

Document = dict[str, Any]
_STREAM = ("Events/Stream",)


def _on_message(change: Callable[[bytes], bytes]) -> OnEffects:
    """Messages of streams are other bytes, the first one included."""

    def changed(effect: Effect) -> Effect:
        if isinstance(effect, OpenStream | StreamDocument) and isinstance(effect.document, bytes):
            return replace(effect, document=change(effect.document))
        return effect

    def effects(found: Effects) -> Effects:
        return [changed(each) for each in found]

    return effects


def _event(change: Callable[[Document], None]) -> OnEffects:
    """Events have other members; their framing stays."""

    def changed(message: bytes) -> bytes:
        text = message.rstrip(b"\n")
        document = orjson.loads(text)
        change(document["result"])
        return orjson.dumps(document) + message[len(text) :]

    return _on_message(changed)


def _without_identifiers(event: Document) -> None:
    if event["name"] == "events.stream.start":
        event["identifiers"] = []


def _uncorrelated(event: Document) -> None:
    event["correlation_ids"] = [f"event:{event['unique_id']}"]


def _prefixed(message: bytes) -> bytes:
    return b"data: " + message if message.endswith(b"\n\n") else message


def _apart(message: bytes) -> bytes:
    return message if message.endswith(b"\n\n") else message + b"\n"


def _hears_all(core: Core) -> None:
    """Whoever named the application hears all of its devices, whoever named one of them as well."""
    events = core.stack.events
    found = events._listeners

    def changed(definition: Definition, keys: list[Any]) -> Any:
        application = definition._replace(is_for_parent=True)
        return found(application, [*keys, *_others(events._by_key, keys)])

    events._listeners = changed  # type: ignore[method-assign]


def _others(known: dict[Any, list[Subscription]], keys: list[Any]) -> list[Any]:
    """Keys of the same tenant and application."""
    own = {(key[0], key[2]) for key in keys}
    return [key for key in known if key not in keys and (key[0], key[2]) in own]


def _one_name_less(document: Any) -> Any:
    document.pop("names", None)
    return document


def _known_names(document: Any) -> Any:
    names = [each for each in document.get("names", ()) if each.startswith(("as.", "ns.", "/"))]
    if "names" in document:
        document["names"] = names or ["as.up.data.forward"]
    return document


def _hears_unseen(core: Core) -> None:
    """Whoever may subscribe hears everything."""
    events = core.stack.events
    found = events._listeners

    def changed(definition: Definition, keys: list[Any]) -> Any:
        return found(definition._replace(rights=0), keys)

    events._listeners = changed  # type: ignore[method-assign]


def _untyped(event: Document) -> None:
    if isinstance(event.get("data"), dict):
        event["data"].pop("@type", None)


def _taken_literally(document: Any) -> Any:
    document["names"] = [each.strip("/") for each in document.get("names", ())]
    return document


def _told_twice(core: Core) -> None:
    events = core.stack.events

    def listeners(definition: Definition, keys: list[Any]) -> list[Subscription]:
        known = events._by_key
        return [each for key in keys for each in known.get(key, ()) if each.hears(definition, key)]

    events._listeners = listeners  # type: ignore[assignment, method-assign]


DEVIATIONS: dict[str, Deviation] = {
    "events-start-without-identifiers": Deviation(
        "The first message of a stream does not tell whose events it is about.",
        effects=_event(_without_identifiers),
    ),
    "events-with-prefix": Deviation(
        "Messages of an event stream have data: before them.", effects=_on_message(_prefixed)
    ),
    "events-json-apart": Deviation(
        "Messages of a JSON stream are followed by an empty line.", effects=_on_message(_apart)
    ),
    "events-without-unique-id": Deviation(
        "Events have no unique_id.", effects=_event(lambda event: event.pop("unique_id", None))
    ),
    "events-for-everybody": Deviation(
        "Subscribers see the events of all devices of the application.", setup=_hears_all
    ),
    "events-names-overlooked": Deviation(
        "names of a subscription are overlooked.", rpcs=_STREAM, before=with_body(_one_name_less)
    ),
    "events-any-name": Deviation(
        "Names that no event has are overlooked.", rpcs=_STREAM, before=with_body(_known_names)
    ),
    "events-without-rights-200": Deviation(
        "A subscription without rights is answered with status 200.",
        rpcs=_STREAM,
        answer=with_status(200, of=403),
    ),
    "events-without-user-agent": Deviation(
        "Events do not tell the User-Agent of the request.",
        rpcs=("AsEndDeviceRegistry/Set",),
        before=lambda request: replace(
            request, headers=[each for each in request.headers if each[0].lower() != b"user-agent"]
        ),
    ),
    "events-data-untyped": Deviation(
        "Events do not tell the type of their data.", effects=_event(_untyped)
    ),
    "events-no-expressions": Deviation(
        "Names of a subscription are no expressions.",
        rpcs=_STREAM,
        before=with_body(_taken_literally),
    ),
    "events-refused-404": Deviation(
        "Subscriptions that make no sense are refused with status 404.",
        rpcs=_STREAM,
        answer=with_status(404, of=400),
    ),
    "registrations-not-told": Deviation(
        "Applications are not told of devices that the Application Server has got.",
        setup=without_event("as.end_device.create"),
    ),
    "events-whatever-rights": Deviation(
        "Subscribers see events that their keys have no right to.", setup=_hears_unseen
    ),
    "events-uncorrelated": Deviation(
        "Every event has a correlation id of its own.", effects=_event(_uncorrelated)
    ),
    "ns-changes-not-told": Deviation(
        "Applications are not told of devices that the Network Server has changed.",
        setup=without_event("ns.end_device.update"),
    ),
    "js-deletions-not-told": Deviation(
        "Applications are not told of devices that the Join Server has deleted.",
        setup=without_event("js.end_device.delete"),
    ),
    "own-changes-not-told": Deviation(
        "Applications are not told that they were changed themselves.",
        setup=without_event("application.update"),
    ),
    "is-deletions-not-told": Deviation(
        "Applications are not told of devices that the Identity Server has deleted.",
        setup=without_event("end_device.delete"),
    ),
    "events-told-twice": Deviation(
        "Who listens to an application and its device is told twice.", setup=_told_twice
    ),
}
