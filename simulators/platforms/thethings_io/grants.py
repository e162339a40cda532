"""
Grants: what an app may do with its user's things, and what a user shares with another.

What an official app asks for holds at once. Otherwise the user concerned gets an e-mail, and
nothing holds before the link in it was opened. To take rights away needs no confirmation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io import confirmations
from simulators.platforms.thethings_io.arguments import json_object, text
from simulators.platforms.thethings_io.refusals import Refused
from simulators.platforms.thethings_io.rights import FLAGS, GRANT
from simulators.platforms.thethings_io.watching import end_unlawful
from simulators.wire.thethings_io import is_key, is_magic_key

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core
    from simulators.platforms.thethings_io.sessions import Session

GRANTED = {"status": "success", "message": "granted"}
PENDING = {"status": "success", "message": "confirmation sent"}
_MOST_ENTRIES = 1000
_LONGEST_NAME = 256  # of a resource: mails carry it


class Entry(NamedTuple):
    """Rights on one resource of one thing; ``thing`` is None when there is none of that id."""

    thing: int | None
    resource: str
    flags: int


class Wish(NamedTuple):
    """Rights that ``session`` wants ``user`` to have: its own user for the app, or another."""

    session: Session
    user: int
    entries: list[Entry]

    @property
    def is_share(self) -> bool:
        """Somebody else is to have them."""
        return self.user != self.session.user


def grant(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Ask for rights for the app, or with an e-mail address share them."""
    session = core.session(request, now_us)
    body = json_object(request)
    entries = _entries(core, body)
    wish = Wish(session, _user(core, session, body, entries), entries)
    check(core, wish)
    is_official = session.is_official and core.policy.official_at_once
    if is_official or not _widens(core, wish):
        return [Answer(request, 200, GRANTED), *carry_out(core, wish)]
    return [Answer(request, 200, PENDING), *confirmations.ask(core, wish, now_us)]


def check(core: Core, wish: Wish) -> None:
    """
    Hold a wish against what the session has.

    Raises:
        Refused: it grants what it lacks.
    """
    for entry in wish.entries:
        if not _may_grant(core, wish, entry):
            raise Refused(403, "cannot grant what the session does not have")


def _may_grant(core: Core, wish: Wish, entry: Entry) -> bool:
    if entry.thing is None:
        return False
    if wish.is_share:
        held = core.rights.of(wish.session, entry.thing, entry.resource)
        return bool(held & GRANT) and not entry.flags & ~held
    # An app asks for what it has not got yet: its user has to have it.
    held = core.rights.of_user(wish.session.user, entry.thing, entry.resource)
    return bool(held) and not entry.flags & ~held


def carry_out(core: Core, wish: Wish, *, is_confirmed: bool = False) -> Effects:
    """Let the wish hold; streams that it leaves without a right are closed."""
    for thing, resource, flags in wish.entries:
        assert thing is not None
        if wish.is_share:
            core.rights.share(wish.session.user, wish.user, thing, resource, flags)
        if not wish.session.is_official and (is_confirmed or not wish.is_share):
            _let_app(core, wish, thing, resource, flags)
    return end_unlawful(core)


def _let_app(core: Core, wish: Wish, thing: int, resource: str, flags: int) -> None:
    """The app may use these rights for the user who has confirmed them."""
    row = core.store.one(
        "SELECT number FROM account WHERE app = ? AND user = ?", wish.session.app, wish.user
    )
    if row is not None:
        if wish.is_share:  # one of perhaps several shares: it takes nothing away
            flags |= core.rights.of_app(row[0], thing, resource)
        core.rights.grant_to_app(row[0], thing, resource, flags)


def _widens(core: Core, wish: Wish) -> bool:
    return any(entry.flags & ~_present(core, wish, entry) for entry in wish.entries)


def _present(core: Core, wish: Wish, entry: Entry) -> int:
    assert entry.thing is not None
    if wish.is_share:
        return core.rights.shared(wish.session.user, wish.user, entry.thing, entry.resource)
    return core.rights.of_app(wish.session.account, entry.thing, entry.resource)


def _user(core: Core, session: Session, body: dict[str, Any], entries: list[Entry]) -> int:
    """
    The user who is to have the rights; without an address the session's own.

    Raises:
        Refused: nobody has that address. Told only to who may share with somebody.
    """
    if "email" not in body:
        return session.user
    email = text(body, "email").lower()
    row = core.store.one("SELECT number FROM user WHERE email = ?", email)
    if row is None:
        check(core, Wish(session, 0, entries))
        raise Refused(404, "user not found")
    return int(row[0])


def _entries(core: Core, body: dict[str, Any]) -> list[Entry]:
    permissions = body.get("permissions")
    if not isinstance(permissions, dict) or not permissions:
        raise Refused(400, "permissions must be an object of resources")
    entries: list[Entry] = []
    for resource, things in permissions.items():
        if not _is_resource(resource):
            raise Refused(400, "a resource in permissions is no name of one")
        if not isinstance(things, dict) or not things:
            raise Refused(400, "a resource in permissions must be an object of thing ids")
        entries += [_entry(core, resource, *item) for item in things.items()]
        if len(entries) > _MOST_ENTRIES:
            raise Refused(400, f"permissions must name at most {_MOST_ENTRIES} resources of things")
    return entries


def _is_resource(name: str) -> bool:
    is_state = is_magic_key(name) and "." not in name
    return len(name) <= _LONGEST_NAME and (is_key(name) or is_state)


def _entry(core: Core, resource: str, thing_id: str, flags: Any) -> Entry:
    if not isinstance(flags, dict) or not flags.keys() <= FLAGS.keys():
        raise Refused(400, "permissions are an object of get, post and grant")
    if not all(isinstance(value, bool) for value in flags.values()):
        raise Refused(400, "a permission must be true or false")
    thing = core.store.thing_of_id(thing_id)
    return Entry(
        None if thing is None else thing.number,
        resource,
        sum(FLAGS[name] for name, value in flags.items() if value),
    )
