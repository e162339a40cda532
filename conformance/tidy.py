"""
Removing what a run has created, as far as the API can: at its end, and later by ``clean``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote

from conformance.clients.app_session import AppSession
from conformance.clients.exchange import Response
from conformance.clients.thethings_io import ThethingsClient
from conformance.ledger import NOT_REMOVED, WHY_LEFT, fingerprint, unseal
from conformance.targets import Target, sealing_keys

Entry: TypeAlias = dict[str, Any]
FLAGS = ("get", "post", "grant")


class Cleaned(NamedTuple):
    """What became of one object; ``why_left`` is None when it is gone."""

    kind: str
    what: str
    why_left: str | None
    entry: int | None = None


def clean(api: ThethingsClient, target: Target, entries: Sequence[Entry]) -> Iterator[Cleaned]:
    """Remove what a ledger says still exists; tells of each object what became of it."""
    tokens = known_tokens(target, entries)
    sessions = Sessions(api, target, entries)
    for entry in sorted(entries, key=lambda entry: entry["kind"] == "link"):
        if entry["state"] not in ("noted", "created"):
            continue
        yield Cleaned(entry["kind"], entry["what"], _why_left(api, tokens, sessions, entry))


def known_tokens(target: Target, entries: Sequence[Entry]) -> dict[str, str]:
    """Fingerprint to token: the target file's, and those that its codes unseal."""
    given = {fingerprint(token): token for token in target.credential("thing_tokens", ())}
    codes = list(target.credential("activation_codes", ()))
    for entry in entries:
        if entry["kind"] == "thing" and (token := unseal(entry.get("sealed", ""), codes)):
            given[entry["thing"]] = token
    return given


class Sessions:
    """Sessions of the users that a ledger names; each logs in when it is first needed."""

    def __init__(self, api: ThethingsClient, target: Target, entries: Sequence[Entry]) -> None:
        self._api = api
        self._app_id = str(target.credential("app_id", ""))
        self._passwords = _passwords(target, entries)
        self._found: dict[tuple[str, str], AppSession | None] = {}

    def of(self, entry: Entry) -> AppSession | None:
        """The session of who created something, or None when nobody can log in."""
        who = (str(entry.get("user")), str(entry.get("app", self._app_id)))
        if who not in self._found:
            self._found[who] = self._log_in(*who)
        return self._found[who]

    def _log_in(self, email: str, app_id: str) -> AppSession | None:
        if email not in self._passwords:
            return None
        answer = self._api.login(email, self._passwords[email], app_id).json
        token = answer.get("token") if isinstance(answer, dict) else None
        return self._api.session(token) if isinstance(token, str) and token else None


def _passwords(target: Target, entries: Sequence[Entry]) -> dict[str, str]:
    found = {user["email"]: user["password"] for user in target.credential("users", ())}
    keys = sealing_keys(target)
    for entry in entries:
        if entry["kind"] == "user" and (password := unseal(entry.get("sealed", ""), keys)):
            found[entry["what"]] = password
    return found


def _why_left(
    api: ThethingsClient, tokens: dict[str, str], sessions: Sessions, entry: Entry
) -> str | None:
    if entry["kind"] == "tag":
        token = tokens.get(entry["thing"])
        if token is None:
            return "the target file does not hold the code or the token of its thing"
        return None if remove_tag(api, token, entry["what"]) else NOT_REMOVED
    if entry["kind"] not in _REMOVING:
        return WHY_LEFT[entry["kind"]]
    session = sessions.of(entry)
    if session is None:
        return "the target file holds no password of its user"
    return None if remove(session, entry) else NOT_REMOVED


def remove(session: AppSession, entry: Entry) -> bool:
    """Remove a user's link, objects or permission; whether it is gone."""
    return _REMOVING[entry["kind"]](session, entry)


def remove_permissions(session: AppSession, entries: Sequence[Entry]) -> bool:
    """Take every flag back that a user has given, with one request for each receiver."""
    given: dict[str | None, dict[str, Any]] = {}
    for entry in entries:
        detail = entry.get("detail", {})
        email = detail.get("email")
        taken = given.setdefault(email if isinstance(email, str) else None, {})
        for resource, things in _pairs(detail.get("permissions")):
            flags = {str(thing): dict.fromkeys(FLAGS, False) for thing, _ in _pairs(things)}
            taken.setdefault(str(resource), {}).update(flags)
    answers = [session.grant(taken, email=email) for email, taken in given.items() if taken]
    return all(answer.is_success for answer in answers)


def _pairs(document: Any) -> Iterable[tuple[Any, Any]]:
    """Members; none of what is no object: some requests were wrong on purpose."""
    return document.items() if isinstance(document, dict) else ()


def _remove_objects(session: AppSession, entry: Entry) -> bool:
    collection = session.collection(*map(unquote, entry["detail"]["collection"].split("/")))
    for key in keys_in(collection.all()):
        collection.delete(key)
    answer = collection.all()
    return answer.status is not None and answer.status < 500 and not keys_in(answer)


def keys_in(answer: Response) -> list[str]:
    """The ``_id`` of every object in the answer to GET of a collection."""
    return [str(each["_id"]) for each in lists_in(answer.json) if "_id" in each]


def lists_in(document: Any) -> Iterable[dict[str, Any]]:
    """The objects of the first list in a document."""
    found = document if isinstance(document, list) else []
    if isinstance(document, dict):
        found = next((value for value in document.values() if isinstance(value, list)), [])
    return [each for each in found if isinstance(each, dict)]


def _remove_link(session: AppSession, entry: Entry) -> bool:
    thing_id = entry.get("thing_id") or entry.get("detail", {}).get("thing_id")
    if thing_id is None:
        return False
    if thing_id in keys_in(session.things()):
        unlink(session, thing_id)
    else:
        session.unlink(thing_id)  # a list that is wrong must not keep it linked
    answer = session.things()
    return answer.is_success and thing_id not in keys_in(answer)


def unlink(session: AppSession, thing_id: str) -> Response:
    """Unlink in one of the three ways that documents and clients know; the last answer."""
    answer = session.unlink(thing_id)
    if not answer.is_success:
        answer = session.send("DELETE", "/v2/me/things", json={"thingId": thing_id})
    if not answer.is_success:
        answer = session.send("DELETE", f"/v2/me/things?thingId={thing_id}")
    return answer


_REMOVING: dict[str, Callable[[AppSession, Entry], bool]] = {
    "permission": lambda session, entry: remove_permissions(session, [entry]),
    "objects": _remove_objects,
    "link": _remove_link,
}


def remove_tag(api: ThethingsClient, thing_token: str, name: str) -> bool:
    """Delete every tag of a thing that carries this name; whether none is left."""
    for tag_id in _tag_ids(api.tags(thing_token).json, name):
        api.delete_tag(thing_token, tag_id)
    answer = api.tags(thing_token)
    return answer.is_success and not _is_inside(answer.json, name)


def _tag_ids(answer: Any, name: str) -> list[str]:
    """Ids of the tags of that name, in any shape that shows both."""
    tags = answer if isinstance(answer, list) else []
    if isinstance(answer, dict):
        tags = next((value for value in answer.values() if isinstance(value, list)), [])
    return [
        str(tag.get("_id", tag.get("id", name))) if isinstance(tag, dict) else str(tag)
        for tag in tags
        if _is_inside(tag, name)
    ]


def _is_inside(document: Any, name: str) -> bool:
    if isinstance(document, dict):
        return any(_is_inside(value, name) for value in document.values())
    if isinstance(document, list):
        return any(_is_inside(value, name) for value in document)
    return bool(document == name)
