"""
Users of apps: register, log in, and the session that every other call of an app carries.

A user is known by e-mail address and has one password, whatever the app; an account is a user in
one app. A password is hashed by the shell: the request comes back with the hash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from simulators.platforms.effects import Answer, Arguments, Effects, Hash, Request
from simulators.platforms.passwords import Password, from_text
from simulators.platforms.provisioning import random_token
from simulators.platforms.thethings_io import roles
from simulators.platforms.thethings_io.arguments import json_object, text
from simulators.platforms.thethings_io.refusals import NO_SESSION, Refused
from simulators.wire.thethings_io import is_email

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core

MICROSECONDS = 1_000_000
SALT_BYTES = 16
_NO_SALT = bytes(SALT_BYTES)
_SESSION = (
    "SELECT account.number, app, user, is_official, expires_us FROM session "
    "JOIN account ON account.number = session.account JOIN app ON app.number = account.app "
    "WHERE token = ?"
)
_ACCOUNT = (
    "SELECT account.number, app, user, is_official FROM account "
    "JOIN app ON app.number = account.app WHERE account.number = ?"
)


class Session(msgspec.Struct, frozen=True):
    """Who calls: an account, which is a user in an app; all are numbers of the tables."""

    account: int
    app: int
    user: int
    is_official: bool
    expires_us: int | None = None

    def has_expired(self, now_us: int) -> bool:
        """It is over; a session without an end never is."""
        return self.expires_us is not None and self.expires_us <= now_us


class App(msgspec.Struct, frozen=True):
    """An app as stored."""

    number: int
    is_official: bool
    session_s: float | None


def session_of(core: Core, request: Request, now_us: int) -> Session:
    """
    The session whose token the request carries.

    Raises:
        Refused: no token, an unknown one, or one that has expired.
    """
    token = request.header(b"authorization")
    row = core.store.one(_SESSION, token) if token else None
    if row is not None:
        session = Session(row[0], row[1], row[2], bool(row[3]), row[4])
        if not session.has_expired(now_us):
            return session
    raise Refused(401, NO_SESSION)


def account_of(core: Core, number: int) -> Session:
    """An account as if it called; there is always one of a number that was noted."""
    row = core.store.one(_ACCOUNT, number)
    assert row is not None
    return Session(row[0], row[1], row[2], bool(row[3]))


def register(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Make an account and log in; somebody known from another app proves it by the password."""
    app, email, password = _credentials(core, request)
    row = core.store.one("SELECT number, password FROM user WHERE email = ?", email)
    if row is not None and _account(core, app, row[0]) is not None:
        raise Refused(400, "email is already registered")
    stored = None if row is None else from_text(row[1])
    salt = stored.salt if stored else _salt_in(request) or core.secrets.randbytes(SALT_BYTES)
    cost = stored.cost if stored else core.policy.password_cost
    if request.hashed is None or request.hashed.salt != salt:
        return [Hash(request, password, salt, cost)]
    if row is None:
        user = add_user(core, email, Password(cost, salt, request.hashed.digest))
    elif stored and stored.is_made_of(request.hashed.digest):
        user = row[0]
    else:
        raise Refused(400, "email is already registered with another password")
    return _logged_in(core, request, 201, "created", app, add_account(core, app, user), now_us)


def login(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Answer a session token and the roles; a wrong address costs as much time as a password."""
    app, email, password = _credentials(core, request)
    row = core.store.one(
        "SELECT account.number, password FROM user JOIN account ON user = user.number "
        "WHERE email = ? AND app = ?",
        email,
        app.number,
    )
    stored = from_text(row[1]) if row else Password(core.policy.password_cost, _NO_SALT, b"")
    if request.hashed is None or request.hashed.salt != stored.salt:
        return [Hash(request, password, stored.salt, stored.cost)]
    if row is None or not stored.is_made_of(request.hashed.digest):
        raise Refused(401, "email or password is wrong")
    return _logged_in(core, request, 200, "success", app, row[0], now_us)


def add_user(core: Core, email: str, password: Password) -> int:
    """Store a user and return the number."""
    row = core.store.change("INSERT INTO user VALUES (NULL, ?, ?)", email, password.text())
    return int(row.lastrowid or 0)


def add_account(core: Core, app: App, user: int) -> int:
    """Store a user in an app and return the account's number."""
    row = core.store.change("INSERT INTO account VALUES (NULL, ?, ?, '{}')", app.number, user)
    return int(row.lastrowid or 0)


def _salt_in(request: Request) -> bytes | None:
    return request.hashed.salt if request.hashed else None


def _credentials(core: Core, request: Request) -> tuple[App, str, str]:
    body = json_object(request)
    email = text(body, "email")
    if not is_email(email):
        raise Refused(400, "email must be an e-mail address")
    password, app_id = text(body, "password"), text(body, "app")
    row = core.store.one("SELECT number, is_official, session_s FROM app WHERE id = ?", app_id)
    if row is None:
        raise Refused(400, "app not found")
    return App(row[0], bool(row[1]), row[2]), email.lower(), password


def _account(core: Core, app: App, user: int) -> int | None:
    row = core.store.one("SELECT number FROM account WHERE app = ? AND user = ?", app.number, user)
    return None if row is None else int(row[0])


def _logged_in(
    core: Core, request: Request, status: int, word: str, app: App, account: int, now_us: int
) -> Effects:
    core.store.change("DELETE FROM session WHERE expires_us <= ?", now_us)
    token = _new_token(core)
    expires_us = None if app.session_s is None else now_us + round(app.session_s * MICROSECONDS)
    core.store.change("INSERT INTO session VALUES (?, ?, ?)", token, account, expires_us)
    shown = roles.roles(core, account_of(core, account))
    return [Answer(request, status, {"status": word, "token": token, "roles": shown})]


def _new_token(core: Core) -> str:
    while True:
        token = random_token(core.secrets)
        if core.store.one("SELECT 1 FROM session WHERE token = ?", token) is None:
            return token
