"""
Confirmation by e-mail: the link that lets a wish hold, and the mail that carries it.

A link works once, until it expires. The mail is first a row of the outbox, so that it survives the
process, and leaves the outbox when a mail server has taken it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.platforms.effects import Answer, Arguments, Effects, Mail, Request
from simulators.platforms.provisioning import random_token
from simulators.platforms.thethings_io import grants
from simulators.platforms.thethings_io.refusals import Refused
from simulators.platforms.thethings_io.rights import FLAGS
from simulators.platforms.thethings_io.sessions import MICROSECONDS, account_of
from simulators.wire.thethings_io import format_date

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core
    from simulators.platforms.thethings_io.grants import Wish

PATH = "/v2/confirmations/"
_SHOWN = 20  # lines of a mail that say which rights


def ask(core: Core, wish: Wish, now_us: int) -> Effects:
    """Note a wish and write the mail that asks for its confirmation."""
    _make_room(core, wish, now_us)
    token = _new_token(core)
    expires_us = now_us + round(core.policy.confirmation_s * MICROSECONDS)
    core.store.change(
        "INSERT INTO confirmation VALUES (?, ?, ?, ?)",
        token,
        wish.session.account,
        wish.user,
        expires_us,
    )
    for entry in wish.entries:
        core.store.change("REPLACE INTO confirmation_item VALUES (?, ?, ?, ?)", token, *entry)
    by_granted = core.policy.share_confirmed_by_granted
    reader = wish.user if by_granted else wish.session.user
    row = core.store.change(
        "INSERT INTO outbox VALUES (NULL, ?, ?, ?, ?)",
        _email(core, reader),
        "Please confirm: sharing" if wish.is_share else "Please confirm: access of an app",
        _text(core, wish, expires_us),
        PATH + token,
    )
    return pending_mail(core, "WHERE number = ?", row.lastrowid)


def confirm(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """The link was opened: the wish holds, if its session still has what it grants."""
    row = core.store.one(
        "DELETE FROM confirmation WHERE token = ? RETURNING account, user, expires_us", arguments[0]
    )
    items = core.store.all(
        "DELETE FROM confirmation_item WHERE token = ? RETURNING thing, resource, flags",
        arguments[0],
    )
    if row is None or row[2] <= now_us:
        raise Refused(404, "link is unknown, was used or has expired")
    wish = grants.Wish(account_of(core, row[0]), row[1], [grants.Entry(*item) for item in items])
    grants.check(core, wish)
    done = {"status": "success", "message": "confirmed"}
    return [Answer(request, 200, done), *grants.carry_out(core, wish, is_confirmed=True)]


def drop(core: Core, thing: int) -> None:
    """What waits for a confirmation about a thing waits no longer."""
    core.store.change(
        "DELETE FROM confirmation WHERE token IN "
        "(SELECT token FROM confirmation_item WHERE thing = ?)",
        thing,
    )


def pending_mail(core: Core, condition: str = "", *values: object) -> Effects:
    """Mails of the outbox; links point to where the server is now."""
    rows = core.store.all(
        f"SELECT number, recipient, subject, text, path FROM outbox {condition} ORDER BY number",  # noqa: S608
        *values,
    )
    return [
        Mail(number, recipient, subject, f"{text}{core.url}{path}\n")
        for number, recipient, subject, text, path in rows
    ]


def sent(core: Core, number: int) -> None:
    """A mail server has taken the mail."""
    core.store.change("DELETE FROM outbox WHERE number = ?", number)


def _make_room(core: Core, wish: Wish, now_us: int) -> None:
    """Forget what has expired; refuse more than one account may have waiting."""
    core.store.change("DELETE FROM confirmation WHERE expires_us <= ?", now_us)
    core.store.change(
        "DELETE FROM confirmation_item WHERE token NOT IN (SELECT token FROM confirmation)"
    )
    row = core.store.one(
        "SELECT count(*) FROM confirmation WHERE account = ?", wish.session.account
    )
    if row and row[0] >= core.policy.confirmations_cap:
        raise Refused(429, "too many confirmations are waiting")


def _new_token(core: Core) -> str:
    while True:
        token = random_token(core.secrets)
        if core.store.one("SELECT 1 FROM confirmation WHERE token = ?", token) is None:
            return token


def _email(core: Core, user: int) -> str:
    row = core.store.one("SELECT email FROM user WHERE number = ?", user)
    assert row is not None
    return str(row[0])


def _text(core: Core, wish: Wish, expires_us: int) -> str:
    """The mail up to the link, which comes last."""
    app = core.store.one("SELECT id FROM app WHERE number = ?", wish.session.app)
    assert app is not None
    asker = _email(core, wish.session.user) if wish.is_share else f"The app {app[0]}"
    what = "wants to share with " + _email(core, wish.user) if wish.is_share else "asks for"
    lines = [_line(core, *entry) for entry in wish.entries[:_SHOWN]]
    if len(wish.entries) > _SHOWN:
        lines.append(f"and {len(wish.entries) - _SHOWN} more")
    until = format_date(expires_us // 1000)
    return "\n".join(
        [f"{asker} {what}:", "", *lines, "", f"To allow it, open this link until {until}:", "", ""]
    )


def _line(core: Core, thing: int | None, resource: str, flags: int) -> str:
    row = core.store.one("SELECT thing_id FROM thing WHERE number = ?", thing)
    names = ", ".join(name for name, bit in FLAGS.items() if flags & bit) or "nothing"
    return f"  {resource} of thing {row[0] if row else ''}: {names}"
