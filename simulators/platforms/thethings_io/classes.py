"""
Stored objects: collections of a user in an app, or of all users of the app.

A path names collections and keys in turn, so an odd number of segments is a collection and an even
number an object in it. A nested collection is one of its own: its parents need not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import orjson

from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io.arguments import (
    is_unicode,
    json_object,
    json_text,
    text,
)
from simulators.platforms.thethings_io.refusals import Refused
from simulators.platforms.thethings_io.stream import open_stream
from simulators.platforms.thethings_io.watching import changed, is_subscription

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core
    from simulators.platforms.thethings_io.sessions import Session

NOBODY = 0  # the owner of what belongs to the whole app
_ID = "_id"
_LONGEST_NAME = 256
_LONGEST_OBJECT = 1_048_576  # updates add up; a single body cannot be longer anyway
_WHERE = "app = ? AND owner = ? AND collection = ?"


class Collection(NamedTuple):
    """Where objects lie: the app, the account that owns them or NOBODY, and the path."""

    app: int
    owner: int
    path: str


def mine(session: Session, segments: Arguments) -> Collection:
    """A collection that only its user sees."""
    return Collection(session.app, session.account, _path(segments))


def shared(session: Session, segments: Arguments) -> Collection:
    """A collection that every user of the app sees."""
    return Collection(session.app, NOBODY, _path(segments))


SCOPES = {"me": mine, "app": shared}


def get(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """An object; all objects of a collection, the greatest key first; or a stream of them."""
    session = core.session(request, now_us)
    collection, key = _place(session, arguments)
    if is_subscription(request):
        return _subscribe(core, request, session, collection, key, now_us)
    if key is None:
        rows = core.store.all(
            f"SELECT document FROM object WHERE {_WHERE} ORDER BY id DESC",  # noqa: S608
            *collection,
        )
        return [Answer(request, 200, [core.store.show(document) for (document,) in rows])]
    return [Answer(request, 200, core.store.show(_document(core, collection, key)))]


def _subscribe(
    core: Core,
    request: Request,
    session: Session,
    collection: Collection,
    key: str | None,
    now_us: int,
) -> Effects:
    if key is not None:
        raise Refused(400, "only a collection can be subscribed to")
    return open_stream(core, request, collection, now_us, session=session)


def post(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Store a new object; without a key it gets a random one."""
    session = core.session(request, now_us)
    collection, path_key = _place(session, arguments)
    body = json_object(request)
    key = _key(body, path_key) or _new_key(core, collection)
    if _find(core, collection, key) is not None:
        raise Refused(400, "an object with this _id exists in the collection")
    document = _text_of({_ID: key, **body})
    core.store.change("INSERT INTO object VALUES (?, ?, ?, ?, ?)", *collection, key, document)
    answer = Answer(request, 201, {"status": "created", _ID: key})
    return [answer, *changed(core, collection, core.store.show(document), now_us)]


def put(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Change members of an object; those not named stay."""
    session = core.session(request, now_us)
    collection, key = _object_place(session, arguments)
    body = json_object(request)
    _key(body, key)
    document = _text_of(orjson.loads(_document(core, collection, key)) | body)
    core.store.change(
        f"UPDATE object SET document = ? WHERE {_WHERE} AND id = ?",  # noqa: S608
        document,
        *collection,
        key,
    )
    answer = Answer(request, 200, {"status": "success"})
    return [answer, *changed(core, collection, core.store.show(document), now_us)]


def delete(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Remove an object."""
    session = core.session(request, now_us)
    collection, key = _object_place(session, arguments)
    _document(core, collection, key)
    core.store.change(f"DELETE FROM object WHERE {_WHERE} AND id = ?", *collection, key)  # noqa: S608
    answer = Answer(request, 200, {"status": "success"})
    return [answer, *changed(core, collection, {_ID: key, "_deleted": True}, now_us)]


def _place(session: Session, arguments: Arguments) -> tuple[Collection, str | None]:
    """The collection, and the key where the path names an object."""
    scope, *segments = arguments
    if scope not in SCOPES or not segments:
        raise Refused(404, "path not found")
    if not all(map(_is_name, segments)):
        raise Refused(400, f"collections and keys have at most {_LONGEST_NAME} characters")
    key = segments.pop() if len(segments) % 2 == 0 else None
    return SCOPES[scope](session, tuple(segments)), key


def _object_place(session: Session, arguments: Arguments) -> tuple[Collection, str]:
    collection, key = _place(session, arguments)
    if key is None:
        raise Refused(404, "expected the path of an object, not of a collection")
    return collection, key


def _is_name(segment: str) -> bool:
    return len(segment) <= _LONGEST_NAME and is_unicode(segment)


def _path(segments: Arguments) -> str:
    return "/".join(quote(segment, safe="") for segment in segments)


def _key(body: dict[str, Any], path_key: str | None) -> str | None:
    """The key that body and path agree upon."""
    if _ID not in body:
        return path_key
    key = text(body, _ID, longest=_LONGEST_NAME)
    if path_key is not None and key != path_key:
        raise Refused(400, "_id must be the key of the path, or be left out")
    return key


def _new_key(core: Core, collection: Collection) -> str:
    while True:
        key = core.rng.randbytes(12).hex()
        if _find(core, collection, key) is None:
            return key


def _find(core: Core, collection: Collection, key: str) -> str | None:
    row = core.store.one(
        f"SELECT document FROM object WHERE {_WHERE} AND id = ?",  # noqa: S608
        *collection,
        key,
    )
    return None if row is None else str(row[0])


def _document(core: Core, collection: Collection, key: str) -> str:
    document = _find(core, collection, key)
    if document is None:
        raise Refused(404, "object not found")
    return document


def _text_of(document: dict[str, Any]) -> str:
    found = json_text(document)
    if len(found) > _LONGEST_OBJECT:
        raise Refused(400, f"object must stay within {_LONGEST_OBJECT} characters")
    return found
