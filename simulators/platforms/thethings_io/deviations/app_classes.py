"""Defects of stored objects: classes, collections, and collections beneath objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer, Effects, Request
from simulators.platforms.thethings_io.deviations.app import (
    INSIDE,
    is_collection,
    is_method,
    is_object,
    members,
    only,
    segments,
    session_token,
    with_member,
    with_segments,
    with_session,
    without,
)
from simulators.platforms.thethings_io.deviations.changes import (
    answered,
    is_bad,
    is_good,
    refused,
    says,
    with_document,
    with_rows,
    with_status,
)
from simulators.platforms.thethings_io.deviations.deviation import Before, Deviation, OnAnswer

CLASSES = ("TIO-CLS",)
EXISTS = "an object with this _id exists in the collection"
MISSING = "object not found"
IS_POST, IS_PUT, IS_DELETE = is_method("POST"), is_method("PUT"), is_method("DELETE")
SUCCESS = {"status": "success"}


def _is_get_of(kind: Callable[[Request], bool]) -> Callable[[Request], bool]:
    return lambda request: request.method == "GET" and kind(request)


IS_ALL, IS_ONE = _is_get_of(is_collection), _is_get_of(is_object)


def _place(change: Callable[[list[str]], list[str]], *methods: str) -> Before:
    """Another place for an object: ``change`` is given scope, collections and keys."""

    def before(request: Request) -> Request:
        parts = segments(request)
        if methods and request.method not in methods:
            return request
        return with_segments(request, ["classes", *change(parts[1:])]) if parts[2:] else request

    return before


def _number_as_id() -> Before:
    """Objects without a key all get the same."""

    def before(request: Request) -> Request:
        has_key = "_id" in members(request) or not is_collection(request)
        return request if request.method != "POST" or has_key else with_member(request, "_id", "0")

    return before


def _own_id(request: Request) -> Request:
    """The _id of a body is not looked at."""
    document = members(request)
    if request.method != "POST" or "_id" not in document:
        return request
    return replace(request, body=orjson.dumps(without(document, "_id")))


def _with_path(answer: Answer) -> Answer:
    if not is_good(answer):
        return answer
    path = "/".join(segments(answer.request)[2:])
    return replace(answer, document={**answer.document, "_id": path})


def _overwriting(request: Request) -> Request:
    """An object that exists is replaced."""
    document = members(request)
    if request.method != "POST":
        return request
    parts = segments(request)
    key = parts[-1] if is_object(request) else document.get("_id")
    if isinstance(key, str):
        target = [*parts[:-1], key] if is_object(request) else [*parts, key]
        _run(with_segments(replace(request, method="DELETE", body=b""), target))
    return request


def _updating(request: Request, effects: Effects) -> Effects:
    """An object that exists is refused, and changed all the same."""
    first = effects[0]
    if isinstance(first, Answer) and says(EXISTS)(first):
        parts = segments(request)
        key = [] if is_object(request) else [str(members(request).get("_id"))]
        _run(with_segments(replace(request, method="PUT"), [*parts, *key]))
    return effects


def _run(request: Request) -> None:
    """Do what another request would."""
    INSIDE.core.handle(request, 0)


def _replacing(request: Request) -> Request:
    """An update replaces the object."""
    if request.method != "PUT" or not members(request):
        return request
    parts = segments(request)
    _run(replace(request, method="DELETE", body=b""))
    _run(replace(request, method="POST"))
    return with_segments(replace(request, body=b"{}"), parts)


def _all_alike(request: Request, effects: Effects) -> Effects:
    """An update changes all objects of the collection."""
    first = effects[0]
    if request.method == "PUT" and isinstance(first, Answer) and is_good(first):
        parts = segments(request)[:-1]
        [listing] = INSIDE.core.handle(with_segments(replace(request, method="GET"), parts), 0)
        for row in listing.document if isinstance(listing, Answer) else []:
            _run(with_segments(request, [*parts, row["_id"]]))
    return effects


def _emptied(request: Request, effects: Effects) -> Effects:
    """A deletion takes what begins with the same letters."""
    first = effects[0]
    if request.method == "DELETE" and isinstance(first, Answer) and is_good(first):
        *parts, key = segments(request)
        [listing] = INSIDE.core.handle(with_segments(replace(request, method="GET"), parts), 0)
        for row in listing.document if isinstance(listing, Answer) else []:
            if str(row["_id"]).startswith(key):
                _run(with_segments(request, [*parts, row["_id"]]))
    return effects


def _still_listed() -> OnAnswer:
    """Objects that were deleted stay in their collection."""
    shown: dict[str, dict[str, Any]] = {}

    def change(answer: Answer) -> Answer:
        if IS_POST(answer.request) and is_good(answer):
            key = answer.document["_id"]
            place = segments(answer.request)
            path = _own_path(answer.request, place[:-1] if is_object(answer.request) else place)
            shown.setdefault(path, {})[key] = {**members(answer.request), "_id": key}
        if not IS_ALL(answer.request) or not is_good(answer):
            return answer
        known = shown.get(_own_path(answer.request, segments(answer.request)), {})
        rows = {**known, **{row["_id"]: row for row in answer.document}}
        return replace(answer, document=[rows[key] for key in sorted(rows, reverse=True)])

    return change


def _own_path(request: Request, parts: list[str]) -> str:
    return "/".join([str(session_token(request)), *parts])


def _reserved() -> OnAnswer:
    """The key of an object that was deleted cannot be used again."""
    gone: set[str] = set()

    def answer(answer: Answer) -> Answer:
        path = answer.request.path
        if IS_DELETE(answer.request) and is_good(answer):
            gone.add(path)
        if IS_POST(answer.request) and path in gone:
            _run(replace(answer.request, method="DELETE", body=b""))
            return refused(400, EXISTS, lambda _: True)(answer)
        return answer

    return answer


def _everybodys(*methods: str) -> Before:
    """What is stored under me belongs to whoever stored first."""

    def before(request: Request) -> Request:
        token = session_token(request)
        known = sorted(INSIDE.sessions())
        is_mine = segments(request)[1:2] == ["me"] and INSIDE.is_session(token)
        row = INSIDE.core.store.one(
            "SELECT token FROM session JOIN account ON account.number = account "
            "WHERE app = 1 ORDER BY user LIMIT 1"
        )
        if not is_mine or not known or row is None or (methods and request.method not in methods):
            return request
        return with_session(request, str(row[0]))

    return before


def _of_the_first_app(request: Request) -> Request:
    """What is stored under app is seen by users of every app."""
    row = INSIDE.core.store.one(
        "SELECT token FROM session JOIN account ON account.number = account "
        "WHERE app = 1 ORDER BY user LIMIT 1"
    )
    is_app = segments(request)[1:2] == ["app"] and INSIDE.is_session(session_token(request))
    return with_session(request, str(row[0])) if is_app and row is not None else request


def _own_app(request: Request) -> Request:
    """What is stored under app is seen by its user alone."""
    parts = segments(request)
    if parts[1:2] != ["app"] or not parts[2:]:
        return request
    return with_segments(request, ["classes", "me", f"app~{parts[2]}", *parts[3:]])


def _sorted_pairs(parts: list[str]) -> list[str]:
    """Pairs of collection and key in the order of their names."""
    scope, *rest = parts
    end = rest[len(rest) - len(rest) % 2 :]
    pairs = sorted(zip(rest[::2], rest[1::2], strict=False))
    return [scope, *(part for pair in pairs for part in pair), *end]


def _last_pair(parts: list[str]) -> list[str]:
    """The last collection alone counts."""
    scope, *rest = parts
    return [scope, *rest[-2 + len(rest) % 2 :]]


def _names_of_collections(parts: list[str]) -> list[str]:
    """Keys on the way do not count."""
    scope, *rest = parts
    return [
        scope,
        *(part if n % 2 == 0 or n == len(rest) - 1 else "x" for n, part in enumerate(rest)),
    ]


def _two_levels(request: Request) -> bool:
    return len(segments(request)) > 6


def _parent_of(request: Request) -> list[str] | None:
    parts = segments(request)
    return parts[: 4 if len(parts) > 4 else 0] or None


def _orphans_refused() -> OnAnswer:
    """Beneath an object that does not exist nothing is stored."""

    def is_orphan(answer: Answer) -> bool:
        parent = _parent_of(answer.request)
        if parent is None or not IS_POST(answer.request) or is_bad(answer):
            return False
        asked = with_segments(replace(answer.request, method="GET", body=b""), parent)
        [found] = INSIDE.core.handle(asked, 0)
        return isinstance(found, Answer) and is_bad(found)

    return refused(404, MISSING, is_orphan)


def _with_parents(request: Request, effects: Effects) -> Effects:
    """What is stored beneath an object makes the object, where there is none."""
    parent, first = _parent_of(request), effects[0]
    if parent and IS_POST(request) and isinstance(first, Answer) and is_good(first):
        _run(with_segments(replace(request, body=b"{}"), parent))
    return effects


def _keys_beneath() -> OnAnswer:
    """A key exists once beneath a collection at the top, whatever the objects in between."""
    known: dict[str, str] = {}

    def change(answer: Answer) -> Answer:
        if not IS_POST(answer.request) or is_bad(answer) or not is_object(answer.request):
            return answer
        *place, key = segments(answer.request)
        first = known.setdefault(f"{place[2]}/{place[-1]}/{key}", "/".join(place))
        return refused(400, EXISTS, lambda _: first != "/".join(place))(answer)

    return change


DEVIATIONS = {
    "class-202": Deviation(
        "A new object is answered with status 202.",
        CLASSES,
        answer=only(IS_POST, with_status(202)),
    ),
    "class-no-id": Deviation(
        "The answer to a new object does not name its _id.",
        CLASSES,
        answer=only(IS_POST, with_document(lambda document: without(document, "_id"))),
    ),
    "class-same-id": Deviation(
        "Objects without a key all get the same.", CLASSES, before=_number_as_id()
    ),
    "class-own-id": Deviation(
        "The _id that an object comes with is not looked at.", CLASSES, before=_own_id
    ),
    "class-id-as-path": Deviation(
        "The _id of an object is shown with its collection.",
        CLASSES,
        answer=only(IS_ONE, _with_path),
    ),
    "class-duplicates": Deviation(
        "An object whose _id exists replaces the one before.",
        CLASSES,
        setup=INSIDE.take,
        before=_overwriting,
    ),
    "class-duplicates-kept": Deviation(
        "An object whose _id exists is accepted, and nothing is changed.",
        CLASSES,
        answer=answered(201, {"status": "created"}, says(EXISTS)),
    ),
    "class-refused-too-late": Deviation(
        "An object whose _id exists is refused, and changes the one before.",
        CLASSES,
        setup=INSIDE.take,
        after=_updating,
    ),
    "class-object-203": Deviation(
        "An object is answered with status 203.", CLASSES, answer=only(IS_ONE, with_status(203))
    ),
    "class-text": Deviation(
        "Members of an object come as texts.",
        CLASSES,
        answer=only(
            IS_ONE, with_document(lambda found: {name: str(found[name]) for name in found})
        ),
    ),
    "class-missing-empty": Deviation(
        "An object that does not exist is an empty one.",
        CLASSES,
        answer=only(IS_ONE, answered(200, {}, says(MISSING))),
    ),
    "class-update-replaces": Deviation(
        "An update replaces the object.", CLASSES, setup=INSIDE.take, before=_replacing
    ),
    "class-update-202": Deviation(
        "An update is answered with status 202.", CLASSES, answer=only(IS_PUT, with_status(202))
    ),
    "class-update-all": Deviation(
        "An update changes all objects of the collection.",
        CLASSES,
        setup=INSIDE.take,
        after=_all_alike,
    ),
    "class-delete-ignored": Deviation(
        "A deletion deletes nothing.",
        CLASSES,
        before=lambda request: (
            replace(request, method="GET") if request.method == "DELETE" else request
        ),
    ),
    "class-delete-listed": Deviation(
        "Objects that were deleted stay in their collection.", CLASSES, answer=_still_listed()
    ),
    "class-delete-alike": Deviation(
        "A deletion takes what begins with the same letters.",
        CLASSES,
        setup=INSIDE.take,
        after=_emptied,
    ),
    "class-reserved": Deviation(
        "The key of an object that was deleted cannot be used again.",
        CLASSES,
        setup=INSIDE.take,
        answer=_reserved(),
    ),
    "collection-203": Deviation(
        "A collection is answered with status 203.", CLASSES, answer=only(IS_ALL, with_status(203))
    ),
    "collection-20": Deviation(
        "A collection shows twenty objects at most.",
        CLASSES,
        answer=only(IS_ALL, with_rows(lambda rows: rows[:20])),
    ),
    "collection-no-ids": Deviation(
        "Objects of a collection have no _id.",
        CLASSES,
        answer=only(IS_ALL, with_rows(lambda rows: [without(row, "_id") for row in rows])),
    ),
    "collection-ascending": Deviation(
        "The objects of a collection come in ascending order.",
        CLASSES,
        answer=only(IS_ALL, with_rows(lambda rows: rows[::-1])),
    ),
    "collection-up-to-dot": Deviation(
        "Names of collections count up to their first dot.",
        CLASSES,
        before=_place(lambda parts: [parts[0], parts[1].partition(".")[0], *parts[2:]]),
    ),
    "collection-one-scope": Deviation(
        "What is stored under app is under me as well.",
        CLASSES,
        before=_place(lambda parts: ["app", *parts[1:]]),
    ),
    "collection-foreign-read": Deviation(
        "What is stored under me is read by everybody.",
        CLASSES,
        setup=INSIDE.take,
        before=_everybodys("GET"),
    ),
    "collection-foreign-change": Deviation(
        "What is stored under me is changed by everybody.",
        CLASSES,
        setup=INSIDE.take,
        before=_everybodys("PUT", "DELETE"),
    ),
    "collection-foreign-key": Deviation(
        "The keys under me are those of all users.",
        CLASSES,
        setup=INSIDE.take,
        before=_everybodys("POST"),
    ),
    "collection-app-alone": Deviation(
        "What is stored under app is seen by its user alone.", CLASSES, before=_own_app
    ),
    "collection-all-apps": Deviation(
        "What is stored under app is seen by users of every app.",
        CLASSES,
        setup=INSIDE.take,
        before=_of_the_first_app,
    ),
    "nested-two-levels": Deviation(
        "Paths end after two levels.",
        CLASSES,
        answer=refused(404, "path not found", lambda answer: _two_levels(answer.request)),
    ),
    "nested-as-top": Deviation(
        "The last collection of a path alone counts.", CLASSES, before=_place(_last_pair)
    ),
    "nested-any-order": Deviation(
        "The order of a path does not matter.", CLASSES, before=_place(_sorted_pairs)
    ),
    "nested-parents-needed": Deviation(
        "Beneath an object that does not exist nothing is stored.",
        CLASSES,
        setup=INSIDE.take,
        answer=_orphans_refused(),
    ),
    "nested-by-name": Deviation(
        "Collections of the same name beneath all objects are one.",
        CLASSES,
        before=_place(_names_of_collections),
    ),
    "nested-makes-parents": Deviation(
        "What is stored beneath an object makes the object.",
        CLASSES,
        setup=INSIDE.take,
        after=_with_parents,
    ),
    "nested-changes-top": Deviation(
        "Updates and deletions go to the collection at the top.",
        CLASSES,
        before=_place(_last_pair, "PUT", "DELETE"),
    ),
    "nested-keys-once": Deviation(
        "A key exists once beneath a collection, whatever the objects in between.",
        CLASSES,
        answer=_keys_beneath(),
    ),
}
