"""Write: values of a thing, stored and broadcast, all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.bodies import document_of
from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io import magic
from simulators.platforms.thethings_io.arguments import (
    datetime_ms,
    is_false,
    json_object,
    json_text,
)
from simulators.platforms.thethings_io.refusals import Refused
from simulators.platforms.thethings_io.store import Row, Thing
from simulators.platforms.thethings_io.watching import told
from simulators.wire.thethings_io import WireError, is_key, read_geo

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core

CREATED = {"status": "created"}


class Draft:
    """What a write would change, collected before anything is changed."""

    __slots__ = ("rows", "states")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.states: dict[str, Any] = {}


def write(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Store and broadcast the values of a request; one bad item refuses all of them."""
    thing = core.thing(arguments)
    # Boards write a thousand times a second; none of them repeats a member.
    items = items_of(json_object(request, read=document_of))
    return put_values(core, thing, items, request, now_us)


def put_values(
    core: Core, thing: Thing, items: list[Any], request: Request, now_us: int
) -> Effects:
    """Store and broadcast these items for a thing, and answer the request."""
    draft = Draft()
    try:
        for item in items:
            _read_item(core, thing, item, now_us // 1000, draft)
    except Refused:
        if not core.policy.all_or_nothing:
            _store(core, thing, draft)
        raise
    is_stored, is_broadcast = _wishes(core, request) if request.query else (True, True)
    if is_stored:
        _store(core, thing, draft)
    effects: Effects = [Answer(request, core.policy.written_status, CREATED)]
    if is_broadcast and core.streams.of:  # somebody listens to something
        effects += told(core, thing, [_shown(core, item) for item in items], now_us)
    return effects


def _wishes(core: Core, request: Request) -> tuple[bool, bool]:
    """Whether the values are to be stored, and to be broadcast; without a word both."""
    query = request.arguments()
    return (
        not (core.policy.store_parameter and is_false(query.get("store"))),
        not (core.policy.broadcast_parameter and is_false(query.get("broadcast"))),
    )


def items_of(body: dict[str, Any]) -> list[Any]:
    """
    The values that a body holds.

    Raises:
        Refused: no array, or an empty one.
    """
    items = body.get("values")
    if not isinstance(items, list):
        raise Refused(400, "values must be an array")
    if not items:
        raise Refused(400, "values must not be empty")
    return items


def _read_item(core: Core, thing: Thing, item: Any, now_ms: int, draft: Draft) -> None:
    """Check one item and add it to the draft."""
    try:
        key, value = item["key"], item["value"]
    except (TypeError, KeyError) as error:
        raise Refused(400, "each of values must have a key and a value") from error
    text = json_text(value)
    unix_ms, geo = now_ms, None
    if len(item) > 2:
        unix_ms, geo = _extras(item, now_ms)
    if isinstance(key, str) and (key in thing.resources or is_key(key)) and key != "description":
        draft.rows.append((key, unix_ms, text, geo))
    elif not magic.accept(core, thing, key, item, draft.states):
        _unnamed(core, key, (unix_ms, text, geo), draft)


def _shown(core: Core, item: dict[str, Any]) -> dict[str, Any]:
    """What subscribers see of an item: as it was submitted, without members that mean nothing."""
    shown = {"key": item["key"], "value": core.store.show(json_text(item["value"]))}
    if "datetime" in item:
        shown["datetime"] = item["datetime"]
    if item.get("geo") is not None:
        shown["geo"] = {"lat": item["geo"]["lat"], "long": item["geo"]["long"]}
    return shown


def _unnamed(core: Core, key: Any, rest: tuple[int, str, str | None], draft: Draft) -> None:
    if core.policy.key_alphabet or not isinstance(key, str):
        raise Refused(400, "key must consist of letters, digits, '.', '-' and '_'")
    draft.rows.append((key, *rest))


def _extras(item: dict[str, Any], now_ms: int) -> tuple[int, str | None]:
    """The item's own datetime and position, where it has them."""
    unix_ms, geo = now_ms, None
    try:
        if "datetime" in item:
            unix_ms = datetime_ms(item["datetime"], now_ms)
        if item.get("geo") is not None:
            latitude, longitude = read_geo(item["geo"])
            geo = json_text({"lat": latitude, "long": longitude})
    except WireError as error:
        raise Refused(400, str(error)) from error
    return unix_ms, geo


def _store(core: Core, thing: Thing, draft: Draft) -> None:
    if draft.states:
        # Before the values: a state that cannot be stored must refuse them as well.
        texts = [(name, json_text(value)) for name, value in draft.states.items()]
        core.store.set_states(thing, texts)
    if draft.rows:
        core.store.add_values(thing, draft.rows)
