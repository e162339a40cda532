"""Roles: what an app may do with which resource of which thing, as login shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.platforms.thethings_io import rights

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core
    from simulators.platforms.thethings_io.sessions import Session

Roles = dict[str, dict[str, dict[str, bool]]]


def roles(core: Core, session: Session) -> Roles:
    """``{resource: {thing id: {"get": …, "post": …, "grant": …}}}``, names in ascending order."""
    found: Roles = {}
    for thing in core.rights.things(session.user):
        for resource in core.rights.resources(session.user, thing):
            flags = core.rights.of(session, thing.number, resource)
            if flags:
                found.setdefault(resource, {})[thing.thing_id] = rights.shown(flags)
    return dict(sorted(found.items()))
