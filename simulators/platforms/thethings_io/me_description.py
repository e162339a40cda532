"""Descriptions of a user's things, as an app reads and replaces them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io import me_resources
from simulators.platforms.thethings_io.arguments import json_object, json_text
from simulators.platforms.thethings_io.refusals import Refused
from simulators.platforms.thethings_io.rights import POST

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core

_RESOURCE = "description"


def read(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Descriptions of all things, or of one; none where there is none."""
    handler = me_resources.read_one if arguments else me_resources.read
    try:
        return handler(core, request, (_RESOURCE, *arguments), now_us)
    except Refused as refusal:
        if refusal.status != 404:
            raise
        return [Answer(request, 200, [])]


def replace(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Replace the description of one thing by the body."""
    session = core.session(request, now_us)
    named = core.store.thing_of_id(arguments[0])
    thing = me_resources.permitted(core, session, named, _RESOURCE, POST)
    core.store.set_states(thing, [(_RESOURCE, json_text(json_object(request)))])
    return [Answer(request, 200, {"status": "success"})]


def write(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Replace the description as a value, as other resources are written."""
    return me_resources.write(core, request, (_RESOURCE, *arguments), now_us)
