"""Read: the values of one resource, of all resources, and the names of the resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io import magic
from simulators.platforms.thethings_io.arguments import date_ms, number
from simulators.platforms.thethings_io.policy import Policy
from simulators.platforms.thethings_io.refusals import NO_RESOURCE, Refused
from simulators.wire.thethings_io import format_date

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core

_END_OF_TIME = 1 << 60


class Window(NamedTuple):
    """Which rows of a resource are asked for; Unix milliseconds."""

    start_ms: int
    end_ms: int
    limit: int


def read(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Rows of one resource, newest first; one row without datetime for a ``$`` key."""
    thing = core.thing(arguments)
    key = arguments[1]
    if key.startswith("$"):
        return [Answer(request, 200, [{"key": key, "value": magic.read(core, thing, key)}])]
    resource = thing.resources.get(key)
    if resource is None:
        raise Refused(404, NO_RESOURCE)
    found = rows(core, resource, window_of(core, request, now_us, cap=core.policy.read_cap))
    return [Answer(request, 200, [{"key": key, **row} for row in found])]


def resources(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Names of the resources that ever stored a value, in ascending order."""
    thing = core.thing(arguments)
    document = {"status": "success", "resources": sorted(thing.resources)}
    return [Answer(request, 200, document)]


def all_resources(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Rows of every resource that has some in the window."""
    thing = core.thing(arguments)
    window = window_of(core, request, now_us, cap=core.policy.read_cap)
    entries = [
        {"key": key, "values": rows(core, thing.resources[key], window)}
        for key in sorted(thing.resources)
    ]
    return [Answer(request, 200, [entry for entry in entries if entry["values"]])]


def window_of(core: Core, request: Request, now_us: int, *, cap: int) -> Window:
    """
    The window that the query names; a limit above ``cap`` is clamped silently.

    Raises:
        Refused: a limit or date that cannot be read.
    """
    query = request.arguments()
    policy = core.policy
    limit = number(query.get("limit"), "limit", default=policy.read_default_limit)
    if limit < 1:
        raise Refused(400, "limit must be at least 1")
    start = date_ms(query.get("startDate"), "startDate", now_us, default=policy.default_start_ms)
    end = date_ms(query.get("endDate"), "endDate", now_us, default=_END_OF_TIME)
    return Window(start, end, min(limit, cap))


def rows(core: Core, resource: int, window: Window) -> list[dict[str, Any]]:
    """Rows of one resource as answers show them, newest first."""
    start = window.start_ms if core.policy.start_inclusive else window.start_ms + 1
    end = window.end_ms + 1 if core.policy.end_inclusive else window.end_ms
    found = core.store.all(_query(core.policy), resource, start, end, window.limit)
    return [_row(core, *row) for row in found]


def _query(policy: Policy) -> str:
    time_order = "DESC" if policy.newest_first else "ASC"
    written_order = "DESC" if policy.latest_written_first else "ASC"
    return (
        "SELECT unix_ms, value, geo FROM value "  # noqa: S608 - two words, both ours
        "WHERE resource = ? AND unix_ms >= ? AND unix_ms < ? "
        f"ORDER BY unix_ms {time_order}, sequence {written_order} LIMIT ?"
    )


def _row(core: Core, unix_ms: int, value: str, geo: str | None) -> dict[str, Any]:
    row = {"value": core.store.show(value), "datetime": format_date(unix_ms)}
    if geo is not None:
        row["geo"] = core.store.show(geo)
    return row
