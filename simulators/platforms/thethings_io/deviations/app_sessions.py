"""Defects of sessions, registration and login."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.passwords import Password
from simulators.platforms.provisioning import DEMO_APP, DEMO_EXPIRING_APP, DEMO_UNOFFICIAL_APP
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.deviations.app import (
    APP,
    INSIDE,
    both,
    changing,
    members,
    segments,
    session_token,
    with_member,
    with_session,
    without,
)
from simulators.platforms.thethings_io.deviations.changes import (
    answered,
    is_good,
    is_status,
    refused,
    says,
    with_document,
    with_members,
    with_status,
)
from simulators.platforms.thethings_io.deviations.deviation import Before, Deviation, OnAnswer
from simulators.platforms.thethings_io.refusals import NO_SESSION

REG, LOGIN = ("TIO-REG",), ("TIO-LOGIN",)
ENTER = (*REG, *LOGIN)
PASSWORDS = (*ENTER, "TIO-SET")
EVERYWHERE = (*APP, "TIO-DATE")
HOUR_US = 3_600_000_000
APPS = (DEMO_APP, DEMO_EXPIRING_APP, DEMO_UNOFFICIAL_APP)
REGISTERED = "email is already registered"
WRONG = "email or password is wrong"


def _without_session(request: Request) -> bool:
    return not session_token(request)


def _any_session(request: Request) -> Request:
    """A token that no session has is taken for one that is."""
    token = session_token(request)
    known = INSIDE.sessions()
    return with_session(request, known[0]) if token and token not in known and known else request


def _from_query(request: Request) -> Request:
    """A token in the query is a session."""
    token = request.arguments().get("token")
    return with_session(request, token) if token and _without_session(request) else request


def _from_body(request: Request) -> Request:
    """A token in the body is a session."""
    token = members(request).get("token")
    is_here = isinstance(token, str) and _without_session(request)
    return with_session(request, str(token)) if is_here else request


def _done_all_the_same() -> tuple[Before, OnAnswer]:
    """Without a session the call is done, and refused all the same."""
    waiting: list[Request] = []

    def before(request: Request) -> Request:
        if INSIDE.is_session(session_token(request)):
            return request
        owner = INSIDE.owner_session(segments(request)[-1])
        waiting.append(with_session(request, owner))
        return waiting[-1]

    def answer(answer: Answer) -> Answer:
        if not any(answer.request is each for each in waiting):
            return answer
        return refused(401, NO_SESSION, lambda _: True)(answer)

    return before, answer


def _named_exactly(request: Request) -> Request:
    """The field has to be spelled Authorization."""
    headers = [
        (name, value)
        for name, value in request.headers
        if name.lower() != b"authorization" or name == b"Authorization"
    ]
    return replace(request, headers=headers)


def _asleep(after: str) -> tuple[Before, OnAnswer]:
    """The first call with a token that this endpoint handed out is refused."""
    fresh: set[str] = set()

    def before(request: Request) -> Request:
        token = session_token(request)
        if token not in fresh:
            return request
        fresh.discard(token)
        return with_session(request, None)

    def answer(answer: Answer) -> Answer:
        if segments(answer.request) == [after] and is_good(answer):
            fresh.add(answer.document["token"])
        return answer

    return before, answer


def _filled_in(name: str, value: str) -> Before:
    """A member that is missing, empty or no text is made up."""

    def before(request: Request) -> Request:
        found = members(request)
        is_text = isinstance(found.get(name), str) and found[name]
        return request if is_text or not found else with_member(request, name, value)

    return before


def _any_app(request: Request) -> Request:
    """An app that does not exist is taken for another."""
    name = members(request).get("app")
    is_unknown = isinstance(name, str) and name and name not in APPS
    return with_member(request, "app", DEMO_APP) if is_unknown else request


def _all_as_one(request: Request) -> Request:
    """Whoever calls is taken for the user who came first."""
    row = INSIDE.core.store.one(
        "SELECT token FROM session JOIN account ON account.number = account ORDER BY user LIMIT 1"
    )
    is_known = row is not None and INSIDE.is_session(session_token(request))
    return with_session(request, str(row[0])) if row is not None and is_known else request


def _is_known(answer: Answer) -> bool:
    """Whether somebody has the e-mail address of the request."""
    email = str(members(answer.request).get("email")).lower()
    return INSIDE.core.store.one("SELECT 1 FROM user WHERE email = ?", email) is not None


def _registering(request: Request) -> Request:
    """Whoever logs in without being registered is registered."""
    email = str(members(request).get("email")).lower()
    if INSIDE.core.store.one("SELECT 1 FROM user WHERE email = ?", email) is not None:
        return request
    return replace(request, path="/v2/register")


def _remembered_password() -> Before:
    """A login without a password counts when there was one with it before."""
    known: dict[str, str] = {}

    def before(request: Request) -> Request:
        found = members(request)
        email, password = found.get("email"), found.get("password")
        if not isinstance(email, str):
            return request
        if isinstance(password, str) and password:
            known.setdefault(email, password)
            return request
        return with_member(request, "password", known[email]) if email in known else request

    return before


def _roles_of_all() -> OnAnswer:
    """Roles name what anybody has."""
    found: dict[str, dict[str, Any]] = {}

    def change(document: dict[str, Any]) -> dict[str, Any]:
        for resource, things in document["roles"].items():
            found.setdefault(resource, {}).update(things)
        return {**document, "roles": {name: dict(things) for name, things in found.items()}}

    return with_document(change)


def _no_forms(request: Request) -> Request:
    is_form = (request.header(b"content-type") or "").startswith("application/x-www-form")
    return replace(request, body=b"") if is_form else request


def _ascii_alone(request: Request) -> Request:
    """A password with letters beyond ASCII is refused."""
    password = members(request).get("password")
    is_other = isinstance(password, str) and not password.isascii()
    return with_member(request, "password", "") if is_other else request


def _with_anything(core: Core) -> None:
    """Every password is right."""
    setattr(Password, "is_made_of", lambda _self, _digest: True)  # noqa: B010 - mypy


def _echo(answer: Answer) -> Answer:
    """The answer repeats the password."""
    password = members(answer.request).get("password")
    return with_members(password=password)(answer)


def _once(request: Request) -> Request:
    """Users of the app whose sessions end soon do not log in again."""
    is_there = members(request).get("app") == DEMO_EXPIRING_APP
    return with_member(request, "password", "never right") if is_there else request


def _as_text(document: dict[str, Any]) -> dict[str, Any]:
    date = str(document["date"])
    return {**document, "date": date, "values": [{"value": date}]}


_REFUSED_BEFORE, _REFUSED_ANSWER = _done_all_the_same()
_REG_BEFORE, _REG_ANSWER = _asleep("register")
_LOGIN_BEFORE, _LOGIN_ANSWER = _asleep("login")

DEVIATIONS = {
    "session-missing-403": Deviation(
        "A call without a session is answered with status 403.",
        EVERYWHERE,
        answer=with_status(403, both(is_status(401), _without_session)),
    ),
    "session-unknown-403": Deviation(
        "A call with a token that no session has is answered with status 403.",
        EVERYWHERE,
        answer=with_status(
            403, both(is_status(401), lambda request: not _without_session(request))
        ),
    ),
    "session-any-token": Deviation(
        "A token that no session has is taken for one that has.",
        EVERYWHERE,
        setup=INSIDE.take,
        before=_any_session,
    ),
    "session-bearer": Deviation(
        "The list of resources wants Bearer before the token.",
        ("TIO-MERES",),
        before=lambda request: with_session(
            request, (session_token(request) or "").partition("Bearer ")[2]
        ),
    ),
    "session-in-query": Deviation(
        "A token in the query is a session.", EVERYWHERE, before=_from_query
    ),
    "session-in-body": Deviation("A token in the body is a session.", APP, before=_from_body),
    "session-refused-too-late": Deviation(
        "A call without a session is done, and refused all the same.",
        ("TIO-MEWR", "TIO-UNLINK"),
        setup=INSIDE.take,
        before=_REFUSED_BEFORE,
        answer=_REFUSED_ANSWER,
    ),
    "session-name-of-field": Deviation(
        "The name of the field Authorization counts as it is spelled.",
        EVERYWHERE,
        before=_named_exactly,
    ),
    "session-for-ever": Deviation(
        "A session never ends.", ("TIO-SET",), clock=lambda now_us: now_us - HOUR_US
    ),
    "session-never-again": Deviation(
        "Whoever had a session that ended cannot log in again.", LOGIN, before=_once
    ),
    "register-202": Deviation(
        "A registration is answered with status 202.", REG, answer=with_status(202)
    ),
    "register-no-token": Deviation(
        "A registration hands out no token.",
        REG,
        answer=with_document(lambda document: without(document, "token")),
    ),
    "register-no-roles": Deviation(
        "The answer to a registration has no roles.",
        REG,
        answer=with_document(lambda document: without(document, "roles")),
    ),
    "register-asleep": Deviation(
        "The first call with the token of a registration is refused.",
        (*REG, *APP),
        before=_REG_BEFORE,
        answer=_REG_ANSWER,
    ),
    "register-without-login": Deviation(
        "Nobody logs in with the password they registered.",
        LOGIN,
        before=changing("password", lambda text: f"{text} "),
    ),
    "register-twice": Deviation(
        "A second registration of an e-mail address is answered like the first.",
        REG,
        answer=answered(201, {"status": "created", "roles": {}}, says(REGISTERED)),
    ),
    "register-refused-with-token": Deviation(
        "A registration that is refused hands out a token.",
        REG,
        answer=with_members(says(REGISTERED), token="T" * 43),
    ),
    "register-without-password": Deviation(
        "A registration without a password is accepted.",
        REG,
        before=_filled_in("password", "password"),
    ),
    "register-any-app": Deviation(
        "A registration in an app that does not exist is accepted.", REG, before=_any_app
    ),
    "register-password-echo": Deviation(
        "The answer to a registration repeats the password.", REG, answer=_echo
    ),
    "login-201": Deviation("A login is answered with status 201.", LOGIN, answer=with_status(201)),
    "login-no-token": Deviation(
        "The token of a login has another name.",
        LOGIN,
        answer=with_document(
            lambda document: {**without(document, "token"), "sessionToken": document["token"]}
        ),
    ),
    "login-no-roles": Deviation(
        "The answer to a login has no roles.",
        LOGIN,
        answer=with_document(lambda document: without(document, "roles")),
    ),
    "login-asleep": Deviation(
        "The first call with the token of a login is refused.",
        (*LOGIN, *APP),
        before=_LOGIN_BEFORE,
        answer=_LOGIN_ANSWER,
    ),
    "login-any-password": Deviation("Every password is right.", setup=_with_anything),
    "login-password-case": Deviation(
        "Capital and small letters of passwords are the same.",
        PASSWORDS,
        before=changing("password", str.lower),
    ),
    "login-password-72": Deviation(
        "Passwords count up to their seventy-second character.",
        PASSWORDS,
        before=changing("password", lambda text: text[:72]),
    ),
    "login-password-trimmed": Deviation(
        "Spaces around passwords do not count.",
        PASSWORDS,
        before=changing("password", str.strip),
    ),
    "login-wrong-400": Deviation(
        "A wrong password is answered with status 400.",
        LOGIN,
        setup=INSIDE.take,
        answer=with_status(400, lambda answer: says(WRONG)(answer) and _is_known(answer)),
    ),
    "login-unknown-400": Deviation(
        "A user who is unknown is answered with status 400.",
        LOGIN,
        setup=INSIDE.take,
        answer=with_status(400, lambda answer: says(WRONG)(answer) and not _is_known(answer)),
    ),
    "login-registers": Deviation(
        "Whoever logs in without being registered is registered.",
        LOGIN,
        setup=INSIDE.take,
        before=_registering,
    ),
    "login-any-app": Deviation(
        "A login in an app that does not exist is accepted.", LOGIN, before=_any_app
    ),
    "login-without-password": Deviation(
        "A login without a password is accepted after one with it.",
        LOGIN,
        before=_remembered_password(),
    ),
    "login-no-forms": Deviation("A login as a form is refused.", LOGIN, before=_no_forms),
    "login-empty-roles": Deviation("Roles are always empty.", ENTER, answer=with_members(roles={})),
    "login-roles-of-all": Deviation("Roles name what anybody has.", ENTER, answer=_roles_of_all()),
    "login-ascii-passwords": Deviation(
        "Passwords with letters beyond ASCII are refused.", ENTER, before=_ascii_alone
    ),
    "settings-shared": Deviation(
        "All users have the same settings.",
        ("TIO-SET",),
        setup=INSIDE.take,
        before=_all_as_one,
    ),
    "date-number-as-text": Deviation(
        "A number for a date is told to apps as text.",
        ("TIO-DATE",),
        answer=lambda answer: (
            answer if _without_session(answer.request) else with_document(_as_text)(answer)
        ),
    ),
    "date-any-session": Deviation(
        "The date is told to whoever has a token, right or wrong.",
        ("TIO-DATE",),
        setup=INSIDE.take,
        before=_any_session,
    ),
}
