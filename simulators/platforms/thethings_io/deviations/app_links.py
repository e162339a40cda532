"""Defects of links: whose a thing is, and what a user's lists show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.deviations.app import (
    INSIDE,
    has_segments,
    members,
    segments,
    session_token,
    with_member,
    with_segments,
    with_session,
    without,
)
from simulators.platforms.thethings_io.deviations.changes import (
    answered,
    is_good,
    items_of,
    refused,
    says,
    token_of,
    with_document,
    with_members,
    with_rows,
    with_status,
)
from simulators.platforms.thethings_io.deviations.deviation import Before, Deviation, OnAnswer
from simulators.platforms.thethings_io.refusals import NO_THING
from simulators.platforms.thethings_io.rights import GET, POST
from simulators.platforms.thethings_io.sessions import Session
from simulators.platforms.thethings_io.store import Thing

LINK, UNLINK, THINGS, RESOURCES = ("TIO-LINK",), ("TIO-UNLINK",), ("TIO-THINGS",), ("TIO-MERES",)
LINKED = {"status": "success", "message": "linked", "thingId": "I" * 43}


def _named(request: Request) -> Thing | None:
    """The thing that a link, or an unlink, names."""
    body = members(request)
    names = [body.get("thingToken"), body.get("thingId"), request.arguments().get("thingId")]
    names += segments(request)[2:3]
    store = INSIDE.core.store
    found = (store.thing(str(name)) or store.thing_of_id(str(name)) for name in names if name)
    return next((thing for thing in found if thing is not None), None)


def _linked_by_id() -> tuple[OnAnswer, OnAnswer]:
    """Remembers what was linked by its id, and leaves it out of lists."""
    hidden: set[str] = set()

    def learn(answer: Answer) -> Answer:
        body = members(answer.request)
        if is_good(answer) and "thingId" in body:
            hidden.add(str(body["thingId"]))
        elif is_good(answer):
            hidden.discard(answer.document["thingId"])
        return answer

    return learn, with_rows(lambda rows: [row for row in rows if row["_id"] not in hidden])


def _in_two_places(link: OnAnswer, things: OnAnswer) -> OnAnswer:
    """One change for the answers to links, another for lists of things."""

    def answer(answer: Answer) -> Answer:
        return (link if answer.request.method == "POST" else things)(answer)

    return answer


def _at_second_look() -> OnAnswer:
    """A thing that was linked is listed from the second look on."""
    fresh: set[str] = set()

    def listed(rows: list[Any]) -> list[Any]:
        hidden = {row["_id"] for row in rows} & fresh
        fresh.difference_update(hidden)
        return [row for row in rows if row["_id"] not in hidden]

    def learn(answer: Answer) -> Answer:
        if is_good(answer):
            fresh.add(answer.document["thingId"])
        return answer

    return _in_two_places(learn, with_rows(listed))


def _written_before() -> tuple[Before, OnAnswer]:
    """Resources that a thing wrote while it was nobody's are not shown to apps."""
    early: set[str] = set()

    def before(request: Request) -> Request:
        thing = INSIDE.core.store.thing(token_of(request)) if request.method == "POST" else None
        if thing is not None and INSIDE.core.rights.owner(thing.number) is None:
            early.update(str(item.get("key")) for item in items_of(request))
        return request

    def is_early(answer: Answer) -> bool:
        parts = segments(answer.request)
        return is_good(answer) and parts[:2] == ["me", "resources"] and parts[2:3][0] in early

    return before, lambda answer: answered(200, [], is_early)(answer)


def _by_anybody(core: Core) -> None:
    """Links are made by every app."""
    session_of = core.session

    def session(request: Request, now_us: int) -> Session:
        found = session_of(request, now_us)
        is_link = request.method == "POST" and segments(request) == ["me", "things"]
        return replace(found, is_official=True) if is_link else found

    core.session = session  # type: ignore[method-assign]


def _twice() -> OnAnswer:
    """A thing that was linked again is listed again."""
    times: dict[str, int] = {}

    def learn(answer: Answer) -> Answer:
        if is_good(answer):
            name = answer.document["thingId"]
            times[name] = times.get(name, 0) + 1
        return answer

    def listed(rows: list[Any]) -> list[Any]:
        return [row for row in rows for _ in range(max(1, times.get(row["_id"], 1)))]

    def forget(answer: Answer) -> Answer:
        if is_good(answer):
            times.pop(answer.document["thingId"], None)
        return answer

    changes = {"POST": learn, "GET": with_rows(listed), "DELETE": forget}
    return lambda answer: changes[answer.request.method](answer)


def _given_up(request: Request) -> None:
    """The thing that the request names belongs to nobody."""
    thing = _named(request)
    if thing is not None:
        INSIDE.core.store.change("DELETE FROM link WHERE thing = ?", thing.number)
        INSIDE.core.rights.forget()


def _taken_over(request: Request) -> Request:
    """Whoever links last is the owner."""
    if INSIDE.is_session(session_token(request)):
        _given_up(request)
    return request


def _path_refused(request: Request) -> Request:
    return with_segments(request, ["me", "things", "x"]) if has_segments(3)(request) else request


def _still_there(member: str) -> OnAnswer:
    """What a list has shown once it shows for ever."""
    shown: dict[str | None, dict[str, Any]] = {}

    def change(answer: Answer) -> Answer:
        if not is_good(answer) or not isinstance(answer.document, list):
            return answer
        known = shown.setdefault(session_token(answer.request), {})
        known.update({str(row[member]): row for row in answer.document})
        return replace(answer, document=list(known.values()))

    return change


def _once_owner(kept: int) -> Any:
    """Whoever has owned a thing keeps a right to it until it belongs to somebody else."""

    def setup(core: Core) -> None:
        rights_of, ever = core.rights.of, set[tuple[int, int]]()

        def of(session: Session, thing: int, resource: str) -> int:
            owner, flags = core.rights.owner(thing), rights_of(session, thing, resource)
            if owner == session.user:
                ever.add((session.user, thing))
            is_kept = owner is None and (session.user, thing) in ever
            return flags | kept if is_kept else flags

        core.rights.of = of  # type: ignore[method-assign]

    return setup


def _dead() -> tuple[Before, OnAnswer]:
    """The token of a thing that was unlinked is refused until it is linked again."""
    dead: set[str] = set()

    def before(request: Request) -> Request:
        parts = segments(request)
        if parts[0] == "things" and parts[1:2] and parts[1] in dead:
            return with_segments(request, ["things", "D" * 43, *parts[2:]])
        return request

    def answer(answer: Answer) -> Answer:
        if not is_good(answer) or segments(answer.request)[0] != "me":
            return answer
        thing = INSIDE.core.store.thing_of_id(answer.document["thingId"])
        if thing is not None:
            (dead.discard if answer.request.method == "POST" else dead.add)(thing.thing_token)
        return answer

    return before, answer


def _kept_for() -> tuple[Before, OnAnswer]:
    """Another user's first attempt to link a thing that was unlinked is refused."""
    former: dict[str, str | None] = {}

    def before(request: Request) -> Request:
        thing = _named(request) if request.method == "POST" else None
        owner = former.pop(thing.thing_id, None) if thing is not None else None
        if owner is None or owner == session_token(request):
            return request
        return with_member(request, "thingToken", "K" * 43)

    def answer(answer: Answer) -> Answer:
        if is_good(answer) and answer.request.method == "DELETE":
            former[answer.document["thingId"]] = session_token(answer.request)
        return answer

    return before, answer


def _lazy() -> tuple[Before, OnAnswer]:
    """What is unlinked stays linked until somebody links something."""
    waiting: list[Request] = []

    def before(request: Request) -> Request:
        if request.method == "DELETE" and INSIDE.is_session(session_token(request)):
            waiting.append(request)
            return with_segments(replace(request, method="GET"), ["me", "things"])
        if request.method == "POST":
            for each in waiting:
                INSIDE.core.handle(each, 0)
            waiting.clear()
        return request

    def answer(answer: Answer) -> Answer:
        is_put_off = answer.request.method == "GET" and is_good(answer)
        return answered(200, {"status": "success"}, lambda _: is_put_off)(answer)

    return before, answer


def _by_the_owner(request: Request) -> Request:
    """An unlink is taken for the owner's."""
    thing = _named(request)
    owner = INSIDE.owner_session(thing.thing_id) if thing is not None else None
    is_known = INSIDE.is_session(session_token(request))
    return with_session(request, owner) if owner and is_known else request


def _things_of_all(core: Core) -> None:
    """The list of things shows everybody's."""
    core.rights.linked = lambda user: _all_things(core)  # type: ignore[method-assign]
    core.rights.any = lambda session, thing: True  # type: ignore[method-assign]


def _all_things(core: Core) -> list[Thing]:
    rows = core.store.all(
        "SELECT thing_token FROM thing JOIN link ON link.thing = number ORDER BY number"
    )
    found = (core.store.thing(token) for (token,) in rows)
    return [thing for thing in found if thing is not None]


def _resources_of_all(core: Core) -> None:
    """The list of resources shows everybody's."""
    core.rights.things = lambda user: _all_things(core)  # type: ignore[method-assign]
    core.rights.resources = (  # type: ignore[method-assign]
        lambda user, thing: sorted(thing.resources)
    )


def _remembered() -> OnAnswer:
    """A list of resources stays as it was when it was first asked for."""
    first: dict[str | None, Any] = {}

    def change(answer: Answer) -> Answer:
        if not is_good(answer):
            return answer
        known = first.setdefault(session_token(answer.request), answer.document)
        return replace(answer, document=known)

    return change


def _apart(rows: Iterable[Any]) -> list[Any]:
    """An entry for each thing."""
    return [{**row, "things": [thing]} for row in rows for thing in row["things"]]


def _granted_alone(answer: Answer) -> Answer:
    """An app that is not official sees nothing before it was granted something."""
    row = INSIDE.core.store.one(
        "SELECT is_official FROM session JOIN account ON account.number = session.account "
        "JOIN app ON app.number = account.app WHERE token = ?",
        session_token(answer.request),
    )
    return answer if row is None or row[0] else replace(answer, document=[])


_HIDE, _HIDDEN = _linked_by_id()
_EARLY_BEFORE, _EARLY_ANSWER = _written_before()
_DEAD_BEFORE, _DEAD_ANSWER = _dead()
_KEPT_BEFORE, _KEPT_ANSWER = _kept_for()
_LAZY_BEFORE, _LAZY_ANSWER = _lazy()

DEVIATIONS = {
    "link-202": Deviation("A link is answered with status 202.", LINK, answer=with_status(202)),
    "link-no-id": Deviation(
        "The answer to a link does not tell the id.",
        LINK,
        answer=with_document(lambda document: without(document, "thingId")),
    ),
    "link-other-text": Deviation(
        "The answer to a link says welcome.", LINK, answer=with_members(message="welcome")
    ),
    "link-not-by-id": Deviation(
        "A thing is linked by its token alone.",
        LINK,
        answer=refused(
            400,
            "thingToken is missing",
            lambda a: a.status != 401 and "thingId" in members(a.request),
        ),
        before=lambda request: (
            with_member(request, "thingId", None) if "thingId" in members(request) else request
        ),
    ),
    "link-by-id-hidden": Deviation(
        "A thing that was linked by its id is not listed.",
        (*LINK, *THINGS),
        answer=_in_two_places(_HIDE, _HIDDEN),
    ),
    "link-listed-late": Deviation(
        "A thing that was linked is listed from the second look on.",
        (*LINK, *THINGS),
        answer=_at_second_look(),
    ),
    "link-values-from-then-on": Deviation(
        "What a thing wrote before it was linked is not shown.",
        ("TIO-WR", "TIO-MERD"),
        setup=INSIDE.take,
        before=_EARLY_BEFORE,
        answer=_EARLY_ANSWER,
    ),
    "link-any-token": Deviation(
        "A token that no thing has is linked.", LINK, answer=answered(200, LINKED, says(NO_THING))
    ),
    "link-by-any-app": Deviation("An app that is not official links things.", setup=_by_anybody),
    "link-twice": Deviation(
        "A thing that was linked twice is listed twice.",
        (*LINK, *THINGS, *UNLINK),
        answer=_twice(),
    ),
    "link-takes-over": Deviation(
        "Whoever links a thing last is its owner.", LINK, setup=INSIDE.take, before=_taken_over
    ),
    "link-nothing": Deviation(
        "A link that names no thing is accepted.",
        LINK,
        answer=answered(200, LINKED, says("thingToken or thingId is missing")),
    ),
    "unlink-lazy": Deviation(
        "What is unlinked stays linked until somebody links something.",
        (*LINK, *UNLINK),
        setup=INSIDE.take,
        before=_LAZY_BEFORE,
        answer=_LAZY_ANSWER,
    ),
    "unlink-not-by-path": Deviation(
        "The id behind the path of an unlink is not looked at.", UNLINK, before=_path_refused
    ),
    "unlink-still-listed": Deviation(
        "A thing that was unlinked is listed for ever.", THINGS, answer=_still_there("_id")
    ),
    "unlink-resources-listed": Deviation(
        "The resources of a thing that was unlinked are listed for ever.",
        RESOURCES,
        answer=_still_there("name"),
    ),
    "unlink-still-read": Deviation(
        "Whoever has owned a thing reads it until somebody else links it.", setup=_once_owner(GET)
    ),
    "unlink-still-written": Deviation(
        "Whoever has owned a thing writes to it until somebody else links it.",
        setup=_once_owner(POST),
    ),
    "unlink-kills-device": Deviation(
        "The token of a thing that was unlinked is refused.",
        (*LINK, *UNLINK, "TIO-WR", "TIO-RD"),
        setup=INSIDE.take,
        before=_DEAD_BEFORE,
        answer=_DEAD_ANSWER,
    ),
    "unlink-kept": Deviation(
        "Another user's first attempt to link a thing that was unlinked is refused.",
        (*LINK, *UNLINK),
        setup=INSIDE.take,
        before=_KEPT_BEFORE,
        answer=_KEPT_ANSWER,
    ),
    "unlink-again": Deviation(
        "A thing that is not linked is unlinked.",
        UNLINK,
        answer=answered(200, {"status": "success"}, says("thing is not linked")),
    ),
    "unlink-by-anybody": Deviation(
        "Everybody unlinks every thing.", UNLINK, setup=INSIDE.take, before=_by_the_owner
    ),
    "things-203": Deviation(
        "The list of things is answered with status 203.", THINGS, answer=with_status(203)
    ),
    "things-first": Deviation(
        "The list of things has one at most.", THINGS, answer=with_rows(lambda rows: rows[:1])
    ),
    "things-id-last": Deviation(
        "The id is not the first member of a thing.",
        THINGS,
        answer=with_rows(lambda rows: [{"name": "", **row} for row in rows]),
    ),
    "things-none-404": Deviation(
        "A user without things is answered with status 404.",
        THINGS,
        answer=refused(404, "no things", lambda a: is_good(a) and a.document == []),
    ),
    "things-of-all": Deviation("The list of things shows everybody's.", setup=_things_of_all),
    "resources-object": Deviation(
        "The list of resources is an object.",
        RESOURCES,
        answer=with_document(lambda rows: {row["name"]: row["things"] for row in rows}),
    ),
    "resources-remembered": Deviation(
        "A list of resources stays as it was when it was first asked for.",
        RESOURCES,
        answer=_remembered(),
    ),
    "resources-by-thing": Deviation(
        "The list of resources has an entry for each thing.", RESOURCES, answer=with_rows(_apart)
    ),
    "resources-of-all": Deviation(
        "The list of resources shows everybody's.", setup=_resources_of_all
    ),
    "resources-none-404": Deviation(
        "A user without resources is answered with status 404.",
        RESOURCES,
        answer=refused(404, "no resources", lambda a: is_good(a) and a.document == []),
    ),
    "resources-granted-alone": Deviation(
        "An app sees no resource before it was granted one.",
        RESOURCES,
        setup=INSIDE.take,
        answer=lambda answer: _granted_alone(answer) if is_good(answer) else answer,
    ),
}
