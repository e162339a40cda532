"""Links: which thing belongs to which user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.effects import NOT_GIVEN, Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io import confirmations
from simulators.platforms.thethings_io.arguments import json_object, text
from simulators.platforms.thethings_io.refusals import NO_THING, Refused
from simulators.platforms.thethings_io.rights import GET
from simulators.platforms.thethings_io.store import Thing
from simulators.platforms.thethings_io.watching import end_unlawful

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core
    from simulators.platforms.thethings_io.sessions import Session


def link(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Make a thing that belongs to nobody the user's; by its token or its id."""
    session = core.session(request, now_us)
    if not session.is_official:
        raise Refused(403, "only an official app can link things")
    thing = _named(core, json_object(request))
    owner = core.rights.owner(thing.number)
    if owner is None:
        core.store.change("INSERT INTO link VALUES (?, ?)", thing.number, session.user)
        core.rights.forget(thing.number)
    elif owner != session.user:
        raise Refused(403, "thing is linked to another user")
    return [Answer(request, 200, _done("linked", thing))]


def things(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """The user's things, ``_id`` first, as far as the app has any right to them."""
    session = core.session(request, now_us)
    linked = core.rights.linked(session.user)
    entries = [_entry(core, session, each) for each in linked if core.rights.any(session, each)]
    return [Answer(request, 200, entries)]


def unlink(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """The thing belongs to nobody; what was shared or granted of it is gone as well."""
    session = core.session(request, now_us)
    thing = core.store.thing_of_id(_thing_id(request, arguments))
    if thing is None or core.rights.owner(thing.number) != session.user:
        raise Refused(404, "thing is not linked")
    if not session.is_official:
        raise Refused(403, "only an official app can unlink things")
    for table in ("link", "share", "app_grant"):
        core.store.change(f"DELETE FROM {table} WHERE thing = ?", thing.number)  # noqa: S608
    confirmations.drop(core, thing.number)
    core.rights.forget(thing.number)
    return [Answer(request, 200, _done("unlinked", thing)), *end_unlawful(core)]


def _named(core: Core, body: dict[str, Any]) -> Thing:
    if "thingToken" in body:
        thing = core.store.thing(text(body, "thingToken"))
    elif "thingId" in body:
        thing = core.store.thing_of_id(text(body, "thingId"))
    else:
        raise Refused(400, "thingToken or thingId is missing")
    if thing is None:
        raise Refused(404, NO_THING)
    return thing


def _done(word: str, thing: Thing) -> dict[str, str]:
    return {"status": "success", "message": word, "thingId": thing.thing_id}


def _entry(core: Core, session: Session, thing: Thing) -> dict[str, Any]:
    entry: dict[str, Any] = {"_id": thing.thing_id}
    description = core.store.state(thing, "description")
    if description is not None and core.rights.of(session, thing.number, "description") & GET:
        entry["description"] = core.store.show(description)
    return entry


def _thing_id(request: Request, arguments: Arguments) -> str:
    """The id from the path, the query or the body: clients of all three kinds exist."""
    if arguments:
        return arguments[0]
    thing_id = request.arguments().get("thingId")
    if thing_id:
        return thing_id
    if not request.body and request.document is NOT_GIVEN:
        raise Refused(400, "thingId is missing")
    return text(json_object(request), "thingId")
