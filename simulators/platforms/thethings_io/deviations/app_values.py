"""Defects of reading and writing resources as an app, and of descriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer, Effects, Request
from simulators.platforms.thethings_io import me_resources
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.deviations.app import (
    INSIDE,
    asking,
    has_segments,
    is_method,
    members,
    only,
    segments,
    session_token,
    with_segments,
)
from simulators.platforms.thethings_io.deviations.changes import (
    answered,
    is_good,
    is_status,
    refused,
    says,
    with_body,
    with_each_item,
    with_each_value,
    with_items,
    with_query,
    with_rows,
    with_status,
)
from simulators.platforms.thethings_io.deviations.deviation import Before, Deviation, OnAnswer
from simulators.platforms.thethings_io.refusals import NO_PERMISSION, NO_RESOURCE
from simulators.platforms.thethings_io.sessions import Session
from simulators.platforms.thethings_io.store import Thing
from simulators.platforms.thethings_io.write import CREATED

READ, WRITE, DESCRIBE = ("TIO-MERD",), ("TIO-MEWR",), ("TIO-MEDESC",)
IS_ONE = has_segments(4)  # me, resources, the resource, the thing
IS_ALL = has_segments(3)
IS_PUT = is_method("PUT")


def of_one(change: OnAnswer) -> OnAnswer:
    """A change of the answers to reads of one thing."""
    return only(IS_ONE, change)


def of_all(change: OnAnswer) -> OnAnswer:
    """A change of the answers to reads without a thing."""
    return only(IS_ALL, change)


def one_with_query(change: Callable[[dict[str, str]], dict[str, str]]) -> Before:
    """Another query in reads of one thing."""
    return asking(IS_ONE, with_query(change))


def all_with_query(change: Callable[[dict[str, str]], dict[str, str]]) -> Before:
    """Another query in reads without a thing."""
    return asking(IS_ALL, with_query(change))


def _without(*names: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda query: {name: value for name, value in query.items() if name not in names}


def _one_more(query: dict[str, str]) -> dict[str, str]:
    limit = query.get("limit", "")
    return {**query, "limit": str(int(limit) + 1)} if limit.isdigit() else query


def _both_dates(query: dict[str, str]) -> dict[str, str]:
    has_both = {"startDate", "endDate"} <= query.keys()
    return _without("startDate")(query) if has_both else query


def _has_iso_date(request: Request) -> bool:
    query = request.arguments()
    return any("-" in query.get(name, "") for name in ("startDate", "endDate"))


def _first_thing() -> Before:
    """Whatever thing is asked for: the first one that the session has read."""
    first: dict[str | None, str] = {}

    def before(request: Request) -> Request:
        parts = segments(request)
        if request.method != "GET" or len(parts) != 4:
            return request
        session = INSIDE.core.rights
        thing = INSIDE.core.store.thing_of_id(parts[3])
        if thing is None or session.owner(thing.number) is None:
            return request
        known = first.setdefault(session_token(request), parts[3])
        return with_segments(request, [*parts[:3], known])

    return before


def _something_newest() -> OnAnswer:
    """Where nothing is in the range, what was read last comes again."""
    last: dict[str, Any] = {}

    def change(answer: Answer) -> Answer:
        if not is_good(answer):
            return answer
        if answer.document:
            last[answer.request.path] = answer.document[:1]
        return replace(answer, document=answer.document or last.get(answer.request.path, []))

    return change


def _only_once() -> OnAnswer:
    """The same read a second time brings nothing."""
    seen: set[tuple[str, str]] = set()

    def change(answer: Answer) -> Answer:
        asked = answer.request.path, answer.request.query
        if is_good(answer) and asked in seen and "limit=3" in asked[1]:
            return replace(answer, document=[])
        seen.add(asked)
        return answer

    return change


def _with_query_of(text: str) -> Before:
    return lambda request: replace(request, query=text)


def _by_token_refused(request: Request) -> Request:
    parts = segments(request)
    is_token = INSIDE.core.store.thing(parts[3]) is not None
    return with_segments(request, [*parts[:3], "N" * 43]) if is_token else request


def _to_all_things(request: Request, effects: Effects) -> Effects:
    """The same values go to every thing of the user."""
    parts = segments(request)
    thing = INSIDE.core.store.thing_of_id(parts[3])
    owner = INSIDE.core.rights.owner(thing.number) if thing is not None else None
    if owner is None or thing is None or not is_good(effects[0]):  # type: ignore[arg-type]
        return effects
    for other in INSIDE.core.rights.linked(owner):
        if other.number != thing.number:
            copied = with_segments(request, [*parts[:3], other.thing_id])
            effects += INSIDE.core.handle(copied, _NOW_US)[1:]
    return effects


_NOW_US = 1_706_702_400_000_000
"""When the copies are dated; nobody asks."""


def _merged() -> Before:
    """A description that is put is merged into the one before."""
    known: dict[str, dict[str, Any]] = {}

    def before(request: Request) -> Request:
        if request.method != "PUT" or not members(request):
            return request
        thing_id = segments(request)[3]
        known[thing_id] = {**known.get(thing_id, {}), **members(request)}
        return replace(request, body=orjson.dumps(known[thing_id]))

    return before


def _kept_apart() -> tuple[Before, OnAnswer]:
    """What an app puts is shown to apps alone."""
    known: dict[str, Any] = {}

    def before(request: Request) -> Request:
        if request.method == "PUT" and members(request):
            known[segments(request)[3]] = members(request)
            described = INSIDE.core.store.thing_of_id(segments(request)[3])
            text = INSIDE.core.store.state(described, "description") if described else None
            return replace(request, body=(text or "{}").encode())
        return request

    def answer(answer: Answer) -> Answer:
        if answer.request.method != "GET" or not is_good(answer) or not known:
            return answer
        return replace(answer, document=[{"value": value} for value in known.values()])

    return before, answer


def _everywhere(request: Request, effects: Effects) -> Effects:
    """All things of the user get the description."""
    thing = INSIDE.core.store.thing_of_id(segments(request)[-1])
    owner = INSIDE.core.rights.owner(thing.number) if thing is not None else None
    if request.method == "PUT" and owner is not None and is_good(effects[0]):  # type: ignore[arg-type]
        for other in INSIDE.core.rights.linked(owner):
            INSIDE.core.store.set_states(other, [("description", request.body.decode())])
    return effects


def _names_alone(row: dict[str, Any]) -> dict[str, Any]:
    return {"thingId": row["thingId"], "members": [list(each["value"]) for each in row["values"]]}


def _of_everybody(core: Core) -> None:
    """A read without a thing shows everybody's."""

    def readable(core: Core, session: Session, resource: str) -> list[Thing]:
        rows = core.store.all("SELECT thing_token FROM thing JOIN link ON thing = number")
        found = (core.store.thing(token) for (token,) in rows)
        return [thing for thing in found if thing is not None and resource in thing.resources]

    setattr(me_resources, "readable_things", readable)  # noqa: B010 - replaced on purpose


_APART_BEFORE, _APART_ANSWER = _kept_apart()

DEVIATIONS = {
    "me-read-203": Deviation(
        "A read of one thing is answered with status 203.", READ, answer=of_one(with_status(203))
    ),
    "me-read-bare": Deviation(
        "Rows of one thing have a value alone.",
        READ,
        answer=of_one(with_rows(lambda rows: [{"value": row["value"]} for row in rows])),
    ),
    "me-read-oldest-first": Deviation(
        "Rows of one thing come oldest first.",
        READ,
        answer=of_one(with_rows(lambda rows: rows[::-1])),
    ),
    "me-read-ten": Deviation(
        "Without a limit ten rows of one thing come.",
        READ,
        before=one_with_query(lambda query: {"limit": "10", **query}),
    ),
    "me-read-one-more": Deviation(
        "One row more comes than the limit says.", READ, before=one_with_query(_one_more)
    ),
    "me-read-50": Deviation("Apps get 50 rows at most.", policy={"app_read_cap": 50}),
    "me-read-1000": Deviation("Apps get 1000 rows at most.", policy={"app_read_cap": 1000}),
    "me-read-no-start": Deviation(
        "startDate is not looked at.", READ, before=one_with_query(_without("startDate"))
    ),
    "me-read-no-end": Deviation(
        "endDate is not looked at.", READ, before=one_with_query(_without("endDate"))
    ),
    "me-read-one-date": Deviation(
        "With endDate startDate is not looked at.", READ, before=one_with_query(_both_dates)
    ),
    "me-read-14-digits": Deviation(
        "Dates are taken in 14 digits alone.",
        READ,
        answer=refused(400, "startDate must have 14 digits", lambda a: _has_iso_date(a.request)),
    ),
    "me-read-something": Deviation(
        "Where nothing is in the range, the row that was read last comes.",
        READ,
        answer=of_one(_something_newest()),
    ),
    "me-read-text": Deviation(
        "Values of one thing come as text.", READ, answer=of_one(with_each_value(str))
    ),
    "me-read-first-thing": Deviation(
        "Whatever thing is asked for, the first one is read.",
        READ,
        setup=INSIDE.take,
        before=_first_thing(),
    ),
    "me-read-nothing-for-all": Deviation(
        "What may not be read brings an empty array.",
        READ,
        answer=answered(200, [], says(NO_PERMISSION)),
    ),
    "me-read-once": Deviation(
        "The same read a second time brings nothing.", READ, answer=of_one(_only_once())
    ),
    "me-read-all-203": Deviation(
        "A read without a thing is answered with status 203.",
        READ,
        answer=of_all(with_status(203)),
    ),
    "me-read-all-first": Deviation(
        "A read without a thing shows the first thing alone.",
        READ,
        answer=of_all(with_rows(lambda rows: rows[:1])),
    ),
    "me-read-all-users": Deviation(
        "A read without a thing shows everybody's.", setup=_of_everybody
    ),
    "me-read-all-ten": Deviation(
        "A read without a thing brings ten values of each.",
        READ,
        before=all_with_query(lambda query: {"limit": "10", **query}),
    ),
    "me-read-all-one": Deviation(
        "A read without a thing brings one value, whatever the limit.",
        READ,
        before=all_with_query(_without("limit")),
    ),
    "me-read-all-dates": Deviation(
        "A read without a thing does not look at dates.",
        READ,
        before=all_with_query(_without("startDate", "endDate")),
    ),
    "me-write-202": Deviation(
        "A write of an app is answered with status 202.", WRITE, answer=with_status(202)
    ),
    "me-write-lost": Deviation(
        "What an app writes is not stored.", WRITE, before=_with_query_of("store=false")
    ),
    "me-write-text": Deviation(
        "What an app writes is stored as text.",
        WRITE,
        before=with_each_item(
            lambda item: {**item, "value": str(item["value"])} if "value" in item else item
        ),
    ),
    "me-write-old": Deviation(
        "What an app writes is dated 1990.",
        WRITE,
        before=with_each_item(lambda item: {"datetime": "19900101000000", **item}),
    ),
    "me-write-quiet": Deviation(
        "What an app writes reaches no subscriber.",
        WRITE,
        before=_with_query_of("broadcast=false"),
    ),
    "me-write-first": Deviation(
        "Of several values of an app the first is stored.",
        WRITE,
        before=with_items(lambda items: items[:1]),
    ),
    "me-write-no-key": Deviation(
        "A value of an app that names its key is refused.",
        WRITE,
        before=with_items(lambda items: [] if any("key" in item for item in items) else items),
    ),
    "me-write-no-token": Deviation(
        "An app names a thing by its id alone.",
        WRITE,
        setup=INSIDE.take,
        before=_by_token_refused,
    ),
    "me-write-nothing": Deviation(
        "A write of an app without values is accepted.",
        WRITE,
        answer=answered(201, CREATED, is_status(400)),
    ),
    "me-write-all-things": Deviation(
        "What an app writes goes to all things of the user.",
        WRITE,
        setup=INSIDE.take,
        after=_to_all_things,
    ),
    "me-write-anything": Deviation(
        "A write that is not permitted is answered as if it were.",
        WRITE,
        answer=answered(201, CREATED, says(NO_PERMISSION)),
    ),
    "me-describe-202": Deviation(
        "A description that an app puts is answered with status 202.",
        DESCRIBE,
        answer=only(IS_PUT, with_status(202)),
    ),
    "me-describe-merged": Deviation(
        "A description that an app puts is merged into the one before.",
        DESCRIBE,
        before=_merged(),
    ),
    "me-describe-apart": Deviation(
        "Apps and devices have descriptions of their own.",
        DESCRIBE,
        setup=INSIDE.take,
        before=_APART_BEFORE,
        answer=_APART_ANSWER,
    ),
    "me-describe-all": Deviation(
        "A description that an app puts is that of all things of the user.",
        DESCRIBE,
        setup=INSIDE.take,
        after=_everywhere,
    ),
    "me-describe-text": Deviation(
        "Members of a description that an app puts become texts.",
        DESCRIBE,
        before=asking(
            IS_PUT,
            with_body(
                lambda body: (
                    {name: str(value) for name, value in body.items()}
                    if isinstance(body, dict)
                    else body
                )
            ),
        ),
    ),
    "me-description-names": Deviation(
        "The descriptions of all things show names of members alone.",
        DESCRIBE,
        answer=only(has_segments(3), with_rows(lambda rows: [_names_alone(row) for row in rows])),
    ),
    "me-description-not-one": Deviation(
        "The description of one thing cannot be read.",
        DESCRIBE,
        answer=only(
            has_segments(4),
            refused(404, NO_RESOURCE, lambda answer: answer.request.method == "GET"),
        ),
    ),
}
