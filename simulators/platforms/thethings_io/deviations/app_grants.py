"""Defects of grants, of sharing, and of confirmations by e-mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer, Effects, Mail, Request
from simulators.platforms.thethings_io import confirmations, grants
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.deviations.app import (
    INSIDE,
    asking,
    is_method,
    members,
    segments,
    with_segments,
)
from simulators.platforms.thethings_io.deviations.changes import (
    answered,
    is_bad,
    is_good,
    is_status,
    with_status,
)
from simulators.platforms.thethings_io.deviations.deviation import Before, Deviation, Setup
from simulators.platforms.thethings_io.grants import GRANTED, Entry, Wish
from simulators.platforms.thethings_io.rights import ALL, GET, GRANT, POST
from simulators.platforms.thethings_io.sessions import Session

PUT = ("TIO-GRANT",)
IS_PUT, IS_LINK = is_method("PUT"), is_method("GET")
LACKS = "cannot grant what the session does not have"


def _is_share(request: Request) -> bool:
    return request.method == "PUT" and "email" in members(request)


def _for_the_app(request: Request) -> bool:
    return request.method == "PUT" and "email" not in members(request)


def _permissions(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Before:
    """Other permissions in place of those that are asked for."""

    def before(request: Request) -> Request:
        found = members(request).get("permissions")
        if not isinstance(found, dict):
            return request
        body = {**members(request), "permissions": change(found)}
        return replace(request, body=orjson.dumps(body))

    return before


def _flags(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Before:
    """Other flags in every permission."""

    def each(permissions: dict[str, Any]) -> dict[str, Any]:
        return {
            resource: {
                thing: change(flags) if isinstance(flags, dict) else flags
                for thing, flags in things.items()
            }
            if isinstance(things, dict)
            else things
            for resource, things in permissions.items()
        }

    return _permissions(each)


def _implying(first: str, second: str) -> Before:
    """One flag brings another."""
    return _flags(lambda flags: {**flags, second: True} if flags.get(first) is True else flags)


def _never(name: str) -> Before:
    """One flag is always false."""
    return _flags(lambda flags: {**flags, name: False})


def _in(module: Any, **functions: Any) -> Setup:
    """Functions of a module with other behaviour."""

    def setup(core: Core) -> None:
        INSIDE.take(core)
        for name, function in functions.items():
            setattr(module, name, function)

    return setup


def _anything(core: Core, wish: Wish, entry: Entry) -> bool:
    return entry.thing is not None


def _whoever_may_grant(core: Core, wish: Wish, entry: Entry) -> bool:
    """Whoever has the flag grant gives everything."""
    if entry.thing is None:
        return False
    user = wish.session.user
    held = core.rights.of_user(user, entry.thing, entry.resource)
    return bool(held & GRANT)


def _is_unknown_thing(answer: Answer) -> bool:
    permissions = members(answer.request).get("permissions")
    things = [name for each in (permissions or {}).values() for name in each]
    is_unknown = all(INSIDE.core.store.thing_of_id(name) is None for name in things)
    return is_bad(answer) and answer.document["message"] == LACKS and is_unknown


def _official_waits() -> tuple[Setup, Before]:
    """What an official app asks for is closed to it."""
    waiting: set[tuple[str, str]] = set()

    def setup(core: Core) -> None:
        rights_of = core.rights.of

        def of(session: Session, thing: int, resource: str) -> int:
            row = core.store.one("SELECT thing_id FROM thing WHERE number = ?", thing)
            is_waiting = row is not None and (resource, row[0]) in waiting
            return 0 if is_waiting and session.is_official else rights_of(session, thing, resource)

        setattr(core.rights, "of", of)  # noqa: B010 - a method is replaced on purpose

    def before(request: Request) -> Request:
        found = members(request).get("permissions")
        if _for_the_app(request) and isinstance(found, dict):
            waiting.update((name, thing) for name, things in found.items() for thing in things)
        return request

    return setup, before


def _of_user(change: Callable[[Core, int, int, str, int], int]) -> Setup:
    """Other rights of users; ``change`` is given user, thing, resource and the true ones."""

    def setup(core: Core) -> None:
        of_user = core.rights.of_user

        def changed(user: int, thing: int, resource: str) -> int:
            return change(core, user, thing, resource, of_user(user, thing, resource))

        setattr(core.rights, "of_user", changed)  # noqa: B010 - a method is replaced on purpose

    return setup


def _all_of_thing(core: Core, user: int, thing: int, resource: str, flags: int) -> int:
    """What was shared of one resource counts for all of the thing."""
    rows = core.store.all("SELECT flags FROM share WHERE thing = ? AND user = ?", thing, user)
    return flags | _union(rows)


def _all_things(core: Core, user: int, thing: int, resource: str, flags: int) -> int:
    """What was shared of one thing counts for all things of its owner."""
    rows = core.store.all(
        "SELECT flags FROM share JOIN link USING (thing) WHERE resource = ? AND share.user = ? "
        "AND link.user = (SELECT user FROM link WHERE thing = ?)",
        resource,
        user,
        thing,
    )
    return flags | _union(rows)


def _all_users(core: Core, user: int, thing: int, resource: str, flags: int) -> int:
    """What was shared with one counts for all."""
    rows = core.store.all(
        "SELECT flags FROM share WHERE thing = ? AND resource = ?", thing, resource
    )
    return flags | _union(rows)


def _shared_out(core: Core, user: int, thing: int, resource: str, flags: int) -> int:
    """The owner of what was shared reads it, and no more."""
    row = core.store.one(
        "SELECT 1 FROM share WHERE thing = ? AND resource = ? AND flags", thing, resource
    )
    return GET | GRANT if row is not None and flags == ALL else flags


def _union(rows: list[tuple[Any, ...]]) -> int:
    found = 0
    for (flags,) in rows:
        found |= flags
    return found


def _share_for_ever(core: Core) -> None:
    """What was shared once stays shared."""
    share = core.rights.share

    def more(granter: int, user: int, thing: int, resource: str, flags: int) -> None:
        known = core.rights.shared(granter, user, thing, resource)
        share(granter, user, thing, resource, flags | known)

    setattr(core.rights, "share", more)  # noqa: B010 - a method is replaced on purpose


def _grant_for_ever(core: Core) -> None:
    """What an app was granted once stays granted."""
    grant = core.rights.grant_to_app

    def more(account: int, thing: int, resource: str, flags: int) -> None:
        grant(account, thing, resource, flags | core.rights.of_app(account, thing, resource))

    setattr(core.rights, "grant_to_app", more)  # noqa: B010 - a method is replaced on purpose


def _granted_whole(core: Core) -> None:
    """What an app was granted of one resource counts for all of the thing."""
    rights_of = core.rights.of

    def of(session: Session, thing: int, resource: str) -> int:
        if session.is_official:
            return rights_of(session, thing, resource)
        granted = core.store.all(
            "SELECT flags FROM app_grant WHERE account = ? AND thing = ?", session.account, thing
        )
        return core.rights.of_user(session.user, thing, resource) & _union(granted)

    setattr(core.rights, "of", of)  # noqa: B010 - a method is replaced on purpose


def _unofficial_writes(core: Core) -> None:
    """An app that is not official writes what its user may."""
    rights_of = core.rights.of

    def of(session: Session, thing: int, resource: str) -> int:
        own = core.rights.of_user(session.user, thing, resource)
        return rights_of(session, thing, resource) | own & POST

    setattr(core.rights, "of", of)  # noqa: B010 - a method is replaced on purpose


def _no_mail(request: Request, effects: Effects) -> Effects:
    return [effect for effect in effects if not isinstance(effect, Mail)]


def _no_link(request: Request, effects: Effects) -> Effects:
    return [
        replace(effect, text=effect.text.rpartition("http")[0])
        if isinstance(effect, Mail)
        else effect
        for effect in effects
    ]


def _formality(core: Core, wish: Wish, now_us: int) -> Effects:
    """The mail goes out, and the wish holds without it."""
    return [*_ASK(core, wish, now_us), *grants.carry_out(core, wish, is_confirmed=True)]


def _shares_as_formality(core: Core, wish: Wish, now_us: int) -> Effects:
    return _formality(core, wish, now_us) if wish.is_share else _ASK(core, wish, now_us)


_ASK = confirmations.ask


def _all_that_wait(request: Request, effects: Effects) -> Effects:
    """A link confirms all that waits."""
    if IS_LINK(request) and isinstance(effects[0], Answer) and is_good(effects[0]):
        rows = INSIDE.core.store.all("SELECT token FROM confirmation")
        for (token,) in rows:
            INSIDE.core.handle(with_segments(request, ["confirmations", token]), 0)
    return effects


def _any_link(request: Request) -> Request:
    """A link that was never sent confirms what was asked for last."""
    rows = INSIDE.core.store.all("SELECT token FROM confirmation ORDER BY expires_us DESC")
    tokens = [token for (token,) in rows]
    is_known = segments(request)[1] in tokens
    return (
        request if is_known or not tokens else with_segments(request, ["confirmations", tokens[0]])
    )


def _once_more() -> Before:
    """A link that was used can be used again."""
    used: dict[str, tuple[Any, list[Any]]] = {}

    def before(request: Request) -> Request:
        token, store = segments(request)[1], INSIDE.core.store
        row = store.one("SELECT * FROM confirmation WHERE token = ?", token)
        if row is not None:
            items = store.all("SELECT * FROM confirmation_item WHERE token = ?", token)
            used[token] = (row, items)
        elif token in used:
            row, items = used[token]
            store.change("INSERT INTO confirmation VALUES (?, ?, ?, ?)", *row)
            for item in items:
                store.change("INSERT INTO confirmation_item VALUES (?, ?, ?, ?)", *item)
        return request

    return before


_WAITS_SETUP, _WAITS_BEFORE = _official_waits()

DEVIATIONS = {
    "grant-302": Deviation(
        "A grant is answered with status 302.",
        PUT,
        answer=lambda answer: with_status(302)(answer) if IS_PUT(answer.request) else answer,
    ),
    "grant-official-waits": Deviation(
        "What an official app asks for is closed to it until somebody confirms.",
        PUT,
        setup=_WAITS_SETUP,
        before=_WAITS_BEFORE,
    ),
    "grant-anything": Deviation(
        "Everybody grants everything.", setup=_in(grants, _may_grant=_anything)
    ),
    "grant-unknown-thing": Deviation(
        "A grant of a thing that does not exist is accepted.",
        PUT,
        setup=INSIDE.take,
        answer=answered(200, GRANTED, _is_unknown_thing),
    ),
    "grant-nothing": Deviation(
        "A grant without permissions is accepted.",
        PUT,
        answer=answered(200, GRANTED, is_status(400)),
    ),
    "share-lost": Deviation(
        "What is shared goes to the app instead.",
        PUT,
        before=asking(
            _is_share,
            lambda request: replace(
                request,
                body=orjson.dumps({"permissions": members(request).get("permissions")}),
            ),
        ),
    ),
    "share-get-writes": Deviation(
        "Whoever was given get writes as well.",
        PUT,
        before=asking(_is_share, _implying("get", "post")),
    ),
    "share-no-post": Deviation(
        "Nobody is given post.", PUT, before=asking(_is_share, _never("post"))
    ),
    "share-get-grants": Deviation(
        "Whoever was given get shares on.", PUT, before=asking(_is_share, _implying("get", "grant"))
    ),
    "share-no-grant": Deviation(
        "Nobody is given grant.", PUT, before=asking(_is_share, _never("grant"))
    ),
    "share-on-more": Deviation(
        "Whoever shares on gives more than was given.",
        setup=_in(grants, _may_grant=_whoever_may_grant),
    ),
    "share-whole-thing": Deviation(
        "What was shared of one resource counts for all of the thing.",
        setup=_of_user(_all_of_thing),
    ),
    "share-all-things": Deviation(
        "What was shared of one thing counts for all of its owner's.", setup=_of_user(_all_things)
    ),
    "share-with-all": Deviation(
        "What was shared with one counts for all.", setup=_of_user(_all_users)
    ),
    "share-for-ever": Deviation("What was shared stays shared.", setup=_share_for_ever),
    "share-first-resource": Deviation(
        "Of several resources the first is shared.",
        PUT,
        before=asking(
            _is_share, _permissions(lambda found: dict(list(found.items())[:1]) or found)
        ),
    ),
    "share-shuts-owner-out": Deviation(
        "The owner no longer writes what is shared.", setup=_of_user(_shared_out)
    ),
    "confirm-never-asked": Deviation(
        "An app that is not official has at once what it asks for.",
        setup=_in(grants, _widens=lambda _core, _wish: False),
    ),
    "confirm-formality": Deviation(
        "What is asked for holds before the e-mail was answered.",
        setup=_in(confirmations, ask=_formality),
    ),
    "confirm-shares-formality": Deviation(
        "What is shared by an app that is not official holds before the e-mail was answered.",
        setup=_in(confirmations, ask=_shares_as_formality),
    ),
    "confirm-no-mail": Deviation("No e-mail is sent.", PUT, after=_no_mail),
    "confirm-no-link": Deviation("E-mails have no link.", PUT, after=_no_link),
    "confirm-official-no-mail": Deviation(
        "Official apps have to confirm as well, and no e-mail is sent.",
        PUT,
        policy={"official_at_once": False},
        after=_no_mail,
    ),
    "confirm-nothing": Deviation(
        "A link that is opened says thanks and does nothing.",
        PUT,
        before=asking(IS_LINK, lambda request: with_segments(request, ["confirmations", "x"])),
        answer=lambda answer: (
            answered(200, {"status": "success"}, is_bad)(answer)
            if IS_LINK(answer.request)
            else answer
        ),
    ),
    "confirm-all": Deviation(
        "A link confirms all that waits.", PUT, setup=INSIDE.take, after=_all_that_wait
    ),
    "confirm-any-link": Deviation(
        "A link that was never sent confirms what was asked for last.",
        PUT,
        setup=INSIDE.take,
        before=asking(IS_LINK, _any_link),
    ),
    "confirm-again": Deviation(
        "A link that was used can be used again.",
        PUT,
        setup=INSIDE.take,
        before=asking(IS_LINK, _once_more()),
    ),
    "confirm-get-writes": Deviation(
        "An app that was granted get writes as well.",
        PUT,
        before=asking(_for_the_app, _implying("get", "post")),
    ),
    "confirm-writes-unasked": Deviation(
        "An app that is not official writes what its user may.", setup=_unofficial_writes
    ),
    "confirm-for-ever": Deviation("What an app was granted stays granted.", setup=_grant_for_ever),
    "confirm-whole-thing": Deviation(
        "What an app was granted of one resource counts for all of the thing.",
        setup=_granted_whole,
    ),
}
