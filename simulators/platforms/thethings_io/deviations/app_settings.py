"""Defects of the settings of a user."""

from __future__ import annotations

from typing import Any

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.thethings_io.deviations.app import (
    is_method,
    members,
    only,
    session_token,
    without,
)
from simulators.platforms.thethings_io.deviations.changes import (
    is_good,
    with_document,
    with_status,
)
from simulators.platforms.thethings_io.deviations.deviation import Before, Deviation, OnAnswer

SETTINGS = ("TIO-SET",)
PASSWORD = "password"  # noqa: S105 - the name of the member
IS_GET, IS_PUT = is_method("GET"), is_method("PUT")


def _body(request: Request, document: dict[str, Any]) -> Request:
    return replace(request, body=orjson.dumps(document))


def _put_last() -> tuple[Before, OnAnswer]:
    """What was put last is all there is."""
    last: dict[str | None, set[str]] = {}

    def before(request: Request) -> Request:
        if request.method == "PUT" and members(request):
            last[session_token(request)] = set(members(request))
        return request

    def change(answer: Answer) -> Answer:
        kept = last.get(session_token(answer.request))
        if answer.request.method != "GET" or not is_good(answer) or kept is None:
            return answer
        shown = {name: value for name, value in answer.document.items() if name in kept}
        return replace(answer, document=shown)

    return before, change


def _put_first() -> Before:
    """A member keeps the value it was first given."""
    known: dict[str | None, set[str]] = {}

    def before(request: Request) -> Request:
        if request.method != "PUT" or not members(request):
            return request
        mine = known.setdefault(session_token(request), set())
        kept = {name: value for name, value in members(request).items() if name not in mine}
        mine.update(kept)
        return _body(request, kept)

    return before


def _only_password(request: Request) -> Request:
    document = members(request)
    return _body(request, {PASSWORD: document[PASSWORD]}) if PASSWORD in document else request


def _like_password(request: Request) -> Request:
    document = members(request)
    words = [name for name in document if name.lower().startswith("pass")]
    changed = {PASSWORD if name in words else name: value for name, value in document.items()}
    return _body(request, changed) if words else request


def _no_password(request: Request) -> Request:
    document = members(request)
    return _body(request, without(document, PASSWORD)) if PASSWORD in document else request


def _shown_password() -> tuple[Before, OnAnswer]:
    """The password that was put is shown."""
    known: dict[str, str] = {}

    def before(request: Request) -> Request:
        if isinstance(members(request).get(PASSWORD), str):
            known["last"] = members(request)[PASSWORD]
        return request

    def change(document: Any) -> Any:
        return {**document, PASSWORD: known["last"]} if known else document

    return before, only(IS_GET, with_document(change))


def _echoed(answer: Answer) -> Answer:
    """The answer repeats what was put."""
    return replace(answer, document={**answer.document, "settings": members(answer.request)})


def _by_session() -> tuple[Before, OnAnswer]:
    """Each session has settings of its own."""
    own: dict[str | None, dict[str, Any]] = {}

    def before(request: Request) -> Request:
        if request.method == "PUT":
            own.setdefault(session_token(request), {}).update(members(request))
        return request

    def change(answer: Answer) -> Answer:
        if answer.request.method != "GET" or not is_good(answer):
            return answer
        shown = without(own.get(session_token(answer.request), {}), PASSWORD)
        return replace(answer, document=shown)

    return before, change


_LAST_BEFORE, _LAST_ANSWER = _put_last()
_SHOWN_BEFORE, _SHOWN_ANSWER = _shown_password()
_SESSION_BEFORE, _SESSION_ANSWER = _by_session()

DEVIATIONS = {
    "me-settings-202": Deviation(
        "Settings that are put are answered with status 202.",
        SETTINGS,
        answer=only(IS_PUT, with_status(202)),
    ),
    "me-settings-last": Deviation(
        "Settings are what was put last.", SETTINGS, before=_LAST_BEFORE, answer=_LAST_ANSWER
    ),
    "me-settings-first": Deviation(
        "A setting keeps the value it was first given.", SETTINGS, before=_put_first()
    ),
    "me-settings-password-ignored": Deviation(
        "A new password is not taken over.", SETTINGS, before=_no_password
    ),
    "me-settings-password-alone": Deviation(
        "Beside a new password nothing is stored.", SETTINGS, before=_only_password
    ),
    "me-settings-password-like": Deviation(
        "Every member whose name begins with pass changes the password.",
        SETTINGS,
        before=_like_password,
    ),
    "me-settings-wrapped": Deviation(
        "Settings come inside a member of their own.",
        SETTINGS,
        answer=only(IS_GET, with_document(lambda document: {"settings": document})),
    ),
    "me-settings-text": Deviation(
        "Settings come as texts.",
        SETTINGS,
        answer=only(
            IS_GET,
            with_document(lambda document: {name: str(document[name]) for name in document}),
        ),
    ),
    "me-settings-show-password": Deviation(
        "Settings show the password.", SETTINGS, before=_SHOWN_BEFORE, answer=_SHOWN_ANSWER
    ),
    "me-settings-echo": Deviation(
        "The answer to settings repeats them, the password among them.",
        SETTINGS,
        answer=lambda answer: (
            _echoed(answer) if IS_PUT(answer.request) and is_good(answer) else answer
        ),
    ),
    "me-settings-by-session": Deviation(
        "Each session has settings of its own.",
        SETTINGS,
        before=_SESSION_BEFORE,
        answer=_SESSION_ANSWER,
    ),
}
