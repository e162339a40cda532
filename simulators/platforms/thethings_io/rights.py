"""
What a session may do with which resource of which thing.

A user has every right on a thing that is linked to them, and on others what was shared with them.
An official app may do what its user may; another app only what that user has granted to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from simulators.platforms.thethings_io.store import Store, Thing

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.sessions import Session

GET, POST, GRANT = 1, 2, 4
ALL = GET | POST | GRANT
FLAGS = {"get": GET, "post": POST, "grant": GRANT}
_REMEMBERED = 100_000

_SHARED = "WHERE thing = ? AND resource = ? AND user = ?"
_LINKED = (
    "SELECT thing_token FROM thing JOIN link ON link.thing = number WHERE user = ? ORDER BY number"
)
_REACHED = (
    "SELECT thing_token FROM thing WHERE number IN (SELECT thing FROM link WHERE user = ? "
    "UNION SELECT thing FROM share WHERE user = ?) ORDER BY number"
)


def shown(flags: int) -> dict[str, bool]:
    """Rights as answers show them."""
    return {name: bool(flags & bit) for name, bit in FLAGS.items()}


def permission_of(resource: str) -> str:
    """The name under which a resource is granted: a path in ``$settings`` is part of it."""
    return resource.partition(".")[0] if resource.startswith("$") else resource


class Rights:
    """Looks rights up, and remembers them until something about them changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[int, dict[tuple[int, str], int]] = {}  # by thing
        self._count = 0

    def forget(self, thing: int | None = None) -> None:
        """Links or grants have changed: remember nothing about a thing, or nothing at all."""
        if thing is None:
            self._known.clear()
            self._count = 0
        else:
            self._count -= len(self._known.pop(thing, ()))

    def of(self, session: Session, thing: int, resource: str) -> int:
        """What the session may do with that resource; the sum of GET, POST and GRANT."""
        key = (session.account, resource)
        known = self._known.get(thing)
        flags = None if known is None else known.get(key)
        return self._learn(session, thing, resource) if flags is None else flags

    def _learn(self, session: Session, thing: int, resource: str) -> int:
        if self._count >= _REMEMBERED:
            self.forget()
        flags = self._look_up(session, thing, resource)
        self._known.setdefault(thing, {})[session.account, resource] = flags
        self._count += 1
        return flags

    def _look_up(self, session: Session, thing: int, resource: str) -> int:
        flags = self.of_user(session.user, thing, resource)
        return (
            flags if session.is_official else flags & self.of_app(session.account, thing, resource)
        )

    def of_user(self, user: int, thing: int, resource: str) -> int:
        """What the user may do, by whatever app."""
        if self.owner(thing) == user:
            return ALL
        rows = self._store.all(
            "SELECT flags FROM share WHERE thing = ? AND resource = ? AND user = ?",
            thing,
            permission_of(resource),
            user,
        )
        return _union(row[0] for row in rows)

    def of_app(self, account: int, thing: int, resource: str) -> int:
        """What its user has granted to an app that is not official."""
        row = self._store.one(
            "SELECT flags FROM app_grant WHERE account = ? AND thing = ? AND resource = ?",
            account,
            thing,
            permission_of(resource),
        )
        return 0 if row is None else int(row[0])

    def owner(self, thing: int) -> int | None:
        """The user a thing is linked to."""
        row = self._store.one("SELECT user FROM link WHERE thing = ?", thing)
        return None if row is None else int(row[0])

    def any(self, session: Session, thing: Thing) -> bool:
        """Whether the session has any right to anything of a thing."""
        is_shared = "SELECT 1 FROM share WHERE thing = ? AND user = ? LIMIT 1"
        if self.owner(thing.number) != session.user and not self._store.one(
            is_shared, thing.number, session.user
        ):
            return False
        is_granted = "SELECT 1 FROM app_grant WHERE thing = ? AND account = ? LIMIT 1"
        return session.is_official or bool(
            self._store.one(is_granted, thing.number, session.account)
        )

    def linked(self, user: int) -> list[Thing]:
        """Things that are linked to a user."""
        return self._things(_LINKED, user)

    def grant_to_app(self, account: int, thing: int, resource: str, flags: int) -> None:
        """A user lets an app that is not official have these rights, instead of others."""
        query = "DELETE FROM app_grant WHERE account = ? AND thing = ? AND resource = ?"
        self._store.change(query, account, thing, resource)
        if flags:
            query = "INSERT INTO app_grant VALUES (?, ?, ?, ?)"
            self._store.change(query, account, thing, resource, flags)
        self.forget(thing)

    def shared(self, granter: int, user: int, thing: int, resource: str) -> int:
        """What a granter has shared with a user; the owner stands for every granter."""
        is_owner = self.owner(thing) == granter
        query = f"SELECT granter, flags FROM share {_SHARED}"  # noqa: S608 - a constant of ours
        rows = self._store.all(query, thing, resource, user)
        return _union(flags for by, flags in rows if is_owner or by == granter)

    def share(self, granter: int, user: int, thing: int, resource: str, flags: int) -> None:
        """
        Share these rights instead of others; what others had only through the user goes as well.

        The owner's word replaces that of every other granter.
        """
        if self.owner(thing) == granter:
            query = f"DELETE FROM share {_SHARED}"  # noqa: S608 - a constant of ours
            self._store.change(query, thing, resource, user)
        self._store.change(
            "REPLACE INTO share VALUES (?, ?, ?, ?, ?)", thing, resource, user, granter, flags
        )
        self._trim(thing, resource)
        self.forget(thing)

    def _trim(self, thing: int, resource: str) -> None:
        """Cut every share down to what its granter may share, beginning at the owner."""
        rows = self._store.all(
            "SELECT user, granter, flags FROM share WHERE thing = ? AND resource = ?",
            thing,
            resource,
        )
        held = {self.owner(thing): ALL}
        while _spread(rows, held):
            pass
        for user, granter, flags in rows:
            left = _passed_on(held, granter, flags)
            if left != flags or not left:
                change = f"UPDATE share SET flags = ? {_SHARED} AND granter = ?"  # noqa: S608
                self._store.change(change, left, thing, resource, user, granter)
        self._store.change("DELETE FROM share WHERE thing = ? AND NOT flags", thing)

    def things(self, user: int) -> list[Thing]:
        """Things that are linked to a user, or of which something was shared with them."""
        return self._things(_REACHED, user, user)

    def _things(self, query: str, *values: int) -> list[Thing]:
        found = (self._store.thing(token) for (token,) in self._store.all(query, *values))
        return [thing for thing in found if thing is not None]

    def resources(self, user: int, thing: Thing) -> list[str]:
        """Names of what a user can know of a thing: all that was stored, or what was shared."""
        if self.owner(thing.number) == user:
            return sorted(thing.resources)
        rows: list[tuple[Any, ...]] = self._store.all(
            "SELECT DISTINCT resource FROM share WHERE thing = ? AND user = ? ORDER BY resource",
            thing.number,
            user,
        )
        return [resource for (resource,) in rows]


def _passed_on(held: dict[int | None, int], granter: int, flags: int) -> int:
    """What of these rights a granter may pass on: those held, if GRANT is one of them."""
    own = held.get(granter, 0)
    return flags & own if own & GRANT else 0


def _spread(rows: list[tuple[Any, ...]], held: dict[int | None, int]) -> bool:
    """Add to what users hold what granters pass on to them; whether that was anything new."""
    is_new = False
    for user, granter, flags in rows:
        known = held.get(user, 0)
        held[user] = known | _passed_on(held, granter, flags)
        is_new = is_new or held[user] != known
    return is_new


def _union(flags: Iterable[int]) -> int:
    found = 0
    for each in flags:
        found |= each
    return found
