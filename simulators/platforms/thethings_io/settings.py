"""Settings of a user in an app: a small object that is merged, and the way to a new password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from simulators.platforms.effects import Answer, Arguments, Effects, Hash, Request
from simulators.platforms.passwords import Password
from simulators.platforms.thethings_io.arguments import json_object, json_text, text
from simulators.platforms.thethings_io.refusals import Refused
from simulators.platforms.thethings_io.sessions import SALT_BYTES

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core
    from simulators.platforms.thethings_io.sessions import Session

_PASSWORD = "password"  # noqa: S105 - the name of the member
_LONGEST = 65_536  # "not meant to store large amounts of data"


def get(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """The object itself; empty when nothing was ever set."""
    session = core.session(request, now_us)
    return [Answer(request, 200, core.store.show(_stored(core, session)))]


def put(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Merge the body into the object; its password becomes the user's and is not stored there."""
    session = core.session(request, now_us)
    body = json_object(request)
    merged = _merged(core, session, body)
    if _PASSWORD in body:
        password, cost = text(body, _PASSWORD), core.policy.password_cost
        if request.hashed is None:
            return [Hash(request, password, core.secrets.randbytes(SALT_BYTES), cost)]
        stored = Password(cost, *request.hashed).text()
        core.store.change("UPDATE user SET password = ? WHERE number = ?", stored, session.user)
    core.store.change("UPDATE account SET settings = ? WHERE number = ?", merged, session.account)
    return [Answer(request, 200, {"status": "success"})]


def _stored(core: Core, session: Session) -> str:
    row = core.store.one("SELECT settings FROM account WHERE number = ?", session.account)
    return str(row[0]) if row else "{}"


def _merged(core: Core, session: Session, body: dict[str, Any]) -> str:
    settings: dict[str, Any] = orjson.loads(_stored(core, session))
    settings |= {name: value for name, value in body.items() if name != _PASSWORD}
    merged = json_text(settings)
    if len(merged) > _LONGEST:
        raise Refused(400, f"settings must stay within {_LONGEST} characters")
    return merged
