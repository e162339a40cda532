"""Tags of a thing. The documents give methods and paths only; the shapes are ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io.arguments import json_object
from simulators.platforms.thethings_io.refusals import Refused
from simulators.platforms.thethings_io.store import Thing

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core


def add(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Add one or several tags; a tag that is there already keeps its id."""
    thing = core.thing(arguments)
    names = _names(json_object(request))
    added = [{"_id": _id_of(core, thing, name), "name": name} for name in names]
    return [Answer(request, 201, {"status": "created", **added[0]})]


def listing(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Every tag, in the order they were added."""
    thing = core.thing(arguments)
    rows = core.store.all("SELECT id, name FROM tag WHERE thing = ? ORDER BY number", thing.number)
    return [Answer(request, 200, [{"_id": tag_id, "name": name} for tag_id, name in rows])]


def delete(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Remove a tag by its id."""
    thing = core.thing(arguments)
    change = core.store.change(
        "DELETE FROM tag WHERE thing = ? AND id = ?", thing.number, arguments[1]
    )
    if change.rowcount == 0:
        raise Refused(404, "tag not found")
    return [Answer(request, 200, {"status": "success"})]


def _names(body: dict[str, Any]) -> list[str]:
    names = body.get("tags", [body.get("name", body.get("tag"))])
    if not isinstance(names, list) or not names:
        raise Refused(400, "tags must be an array of names")
    if not all(isinstance(name, str) and name for name in names):
        raise Refused(400, "name of the tag is missing")
    return names


def _id_of(core: Core, thing: Thing, name: str) -> str:
    row = core.store.one("SELECT id FROM tag WHERE thing = ? AND name = ?", thing.number, name)
    if row is not None:
        return str(row[0])
    tag_id = _new_id(core)
    core.store.change("INSERT INTO tag VALUES (NULL, ?, ?, ?)", tag_id, thing.number, name)
    return tag_id


def _new_id(core: Core) -> str:
    """An id nobody has; the generator repeats itself when a server restarts with its seed."""
    while True:
        tag_id = core.rng.randbytes(12).hex()
        if core.store.one("SELECT 1 FROM tag WHERE id = ?", tag_id) is None:
            return tag_id
