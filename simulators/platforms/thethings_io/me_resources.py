"""Resources of a user's things, as an app reads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io import magic
from simulators.platforms.thethings_io.arguments import json_object
from simulators.platforms.thethings_io.read import Window, rows, window_of
from simulators.platforms.thethings_io.refusals import NO_PERMISSION, NO_RESOURCE, Refused
from simulators.platforms.thethings_io.rights import GET, POST
from simulators.platforms.thethings_io.store import Thing
from simulators.platforms.thethings_io.stream import open_stream
from simulators.platforms.thethings_io.watching import is_subscription
from simulators.platforms.thethings_io.write import items_of, put_values

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core
    from simulators.platforms.thethings_io.sessions import Session


def listing(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """
    Names of the resources that the user has, and whose they are.

    Names only: an app sees here what it could ask for.
    """
    session = core.session(request, now_us)
    found: dict[str, list[str]] = {}
    for thing in core.rights.things(session.user):
        for name in core.rights.resources(session.user, thing):
            found.setdefault(name, []).append(thing.thing_id)
    document = [{"name": name, "things": found[name]} for name in sorted(found)]
    return [Answer(request, 200, document)]


def read(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Values of a resource of every thing that the session may read, or a stream of them."""
    session = core.session(request, now_us)
    (resource,) = arguments
    if is_subscription(request):
        readable_things(core, session, resource)
        return open_stream(core, request, resource, now_us, session=session)
    window = window_of(core, request, now_us, cap=core.policy.app_read_cap)
    readable = readable_things(core, session, resource)
    found = [(thing, _values(core, thing, resource, window)) for thing in readable]
    if all(values is None for _, values in found):
        raise Refused(404, NO_RESOURCE)
    document = [
        {"thingId": thing.thing_id, "key": resource, "values": values}
        for thing, values in found
        if values
    ]
    return [Answer(request, 200, document)]


def read_one(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Values of a resource of one thing, or a stream of them."""
    session = core.session(request, now_us)
    resource, thing_id = arguments
    thing = permitted(core, session, core.store.thing_of_id(thing_id), resource, GET)
    if is_subscription(request):
        return open_stream(core, request, resource, now_us, session=session, thing=thing.number)
    values = _values(
        core, thing, resource, window_of(core, request, now_us, cap=core.policy.app_read_cap)
    )
    if values is None:
        raise Refused(404, NO_RESOURCE)
    return [Answer(request, 200, [{"key": resource, **row} for row in values])]


def read_all(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Values of every resource of one thing that the session may read."""
    session = core.session(request, now_us)
    thing = core.store.thing_of_id(arguments[0])
    if thing is None or not core.rights.any(session, thing):
        raise Refused(403, NO_PERMISSION)
    window = window_of(core, request, now_us, cap=core.policy.app_read_cap)
    entries = [
        {"key": key, "values": rows(core, thing.resources[key], window)}
        for key in sorted(thing.resources)
        if core.rights.of(session, thing.number, key) & GET
    ]
    return [Answer(request, 200, [entry for entry in entries if entry["values"]])]


def write(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Values for a resource of a thing, as if the thing had written them."""
    session = core.session(request, now_us)
    resource, name = arguments
    # Clients of both kinds exist: the id as documented, or the token.
    named = core.store.thing_of_id(name) or core.store.thing(name)
    thing = permitted(core, session, named, resource, POST)
    items = [_item(item, resource) for item in items_of(json_object(request))]
    return put_values(core, thing, items, request, now_us)


def permitted(
    core: Core, session: Session, thing: Thing | None, resource: str, right: int
) -> Thing:
    """
    The thing, when the session has that right on its resource.

    Raises:
        Refused: it has not; whether there is such a thing is not told.
    """
    if thing is None or not core.rights.of(session, thing.number, resource) & right:
        raise Refused(403, NO_PERMISSION)
    return thing


def readable_things(core: Core, session: Session, resource: str) -> list[Thing]:
    """
    Things of which the session may read that resource, whether it was written or not.

    Raises:
        Refused: there is none; 403 when the user has the resource and the app has no right to it.
    """
    reached = core.rights.things(session.user)
    readable = [thing for thing in reached if core.rights.of(session, thing.number, resource) & GET]
    if not readable:
        is_known = any(resource in core.rights.resources(session.user, thing) for thing in reached)
        raise Refused(403, NO_PERMISSION) if is_known else Refused(404, NO_RESOURCE)
    return readable


def _values(core: Core, thing: Thing, resource: str, window: Window) -> list[dict[str, Any]] | None:
    """Rows of a timeline, the one row of a state, or None for what was never written."""
    if resource == "description":
        text = core.store.state(thing, resource)
        return None if text is None else [{"value": core.store.show(text)}]
    if resource.startswith("$"):
        return [{"value": magic.read(core, thing, resource)}]
    number = thing.resources.get(resource)
    return None if number is None else rows(core, number, window)


def _item(item: Any, resource: str) -> Any:
    """The item with its key, which the path says already."""
    if not isinstance(item, dict):
        return item
    if item.get("key", resource) != resource:
        raise Refused(400, "key must be the resource of the path, or be left out")
    return {"key": resource, **item}
