"""The description of a thing: one object, read in the wrapper of a resource, replaced whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io.arguments import json_object, json_text

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core


def get(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """One row, or none when there is no description."""
    text = core.store.state(core.thing(arguments), "description")
    rows: list[dict[str, Any]] = []
    if text is not None:
        rows.append({"key": "description", "value": core.store.show(text)})
    return [Answer(request, 200, rows)]


def put(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Replace the description by the body."""
    thing = core.thing(arguments)
    core.store.set_states(thing, [("description", json_text(json_object(request)))])
    return [Answer(request, 200, {"status": "success"})]
