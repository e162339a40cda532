"""The calls that read stored messages."""

from __future__ import annotations

import base64
import re
from typing import Annotated, Any, TypeAlias

import msgspec

from simulators.platforms.effects import Answer, Effects
from simulators.platforms.things_stack.application_server.storage import RETENTION_US
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import INVALID_ARGUMENT, GatewayError
from simulators.platforms.things_stack.events.handlers import framing_of
from simulators.platforms.things_stack.events.subscriptions import rendered
from simulators.platforms.things_stack.masks import select
from simulators.platforms.things_stack.schema import message
from simulators.platforms.things_stack.times import unix_us

Document = dict[str, Any]

_UP = message("ApplicationUp")
_MOST_ROWS = 10_000  # of one answer
_Number: TypeAlias = Annotated[
    int, msgspec.Meta(ge=-(1 << 62), le=1 << 62)
]  # SQLite's go no further
_ALWAYS = ["end_device_ids", "received_at"]
_DURATION = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+", re.ASCII)
_PART = re.compile(r"([\d.]+)([a-z]+)", re.ASCII)
_UNIT_US = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}


class _Query(msgspec.Struct, array_like=True):
    """
    What is asked for, but for the application, the device and the kind of message.

    Attributes:
        after_us, before_us: neither end belongs to it.
        last: where the page before ended: a time, and a number among the messages of that time.
    """

    after_us: _Number
    before_us: _Number | None
    f_port: _Number | None
    is_newest_first: bool
    limit: Annotated[int, msgspec.Meta(ge=1, le=_MOST_ROWS)]
    paths: list[str]
    last: tuple[_Number, _Number] | None = None


_decoder = msgspec.msgpack.Decoder(_Query)


def get_stored(call: Call) -> Effects:
    """
    A message after the other, as a stream of events has them; nothing when there are none.

    When there are more, a header has the token that asks for them.
    """
    query = _query(call)
    where, values = _condition(call, query)
    storage = call.stack.application.storage
    found = storage.find(
        where, values, is_newest_first=query.is_newest_first, limit=query.limit + 1
    )
    page = found[: query.limit]
    if len(found) > len(page):
        query.last = page[-1].received_us, page[-1].number
        call.headers.append(("X-Continuation-Token", _token(query)))
    kind, delimiter = framing_of(call.request)
    ups = [select(_UP, one.up, query.paths) if query.paths else one.up for one in page]
    return [Answer(call.request, 200, b"".join(rendered(up, delimiter) for up in ups), kind)]


def count_stored(call: Call) -> Document:
    """How many messages there are of each device."""
    where, values = _condition(call, _asked(call))
    counts = call.stack.application.storage.counts(where, values)
    return {"count": counts} if counts else {}


def _query(call: Call) -> _Query:
    """What a token asks for, which nothing else changes, or what the call itself does."""
    token = call.message.get("continuation_token")
    return _asked(call) if token is None else _from_token(token)


def _asked(call: Call) -> _Query:
    asked = call.message
    after_us, before_us = _period(call)
    limit = min(asked.get("limit") or _MOST_ROWS, _MOST_ROWS)
    paths = [*_ALWAYS, *call.paths] if call.paths else []
    is_newest_first = asked.get("order") == "-received_at"
    return _Query(after_us, before_us, asked.get("f_port"), is_newest_first, limit, paths)


def _token(query: _Query) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(query)).decode()


def _from_token(token: str) -> _Query:
    try:
        return _decoder.decode(base64.b64decode(token, altchars=b"-_", validate=True))
    except (ValueError, msgspec.MsgspecError) as error:
        raise GatewayError(INVALID_ARGUMENT, "invalid continuation token") from error


def _condition(call: Call, query: _Query) -> tuple[str, list[Any]]:
    """SQL that says which messages are asked for; none is older than they are kept."""
    asked = call.message
    device = asked.get("end_device_ids", {})
    application_ids = device.get("application_ids") or asked["application_ids"]
    application_id = application_ids["application_id"]
    call.require_application(application_id, "TRAFFIC_READ")
    after_us = max(query.after_us, call.now_us - RETENTION_US)
    where = ["application = ?", "kind = ?", "received_us > ?"]
    values = [call.uid(application_id), asked["type"], after_us]
    for condition, value in (
        ("received_us < ?", query.before_us),
        ("device_id = ?", device.get("device_id")),
        ("f_port = ?", query.f_port),
    ):
        if value is not None:
            where.append(condition)
            values.append(value)
    if query.last is not None:
        sign = "<" if query.is_newest_first else ">"
        where.append(f"(received_us, number) {sign} (?, ?)")
        values += query.last
    return " AND ".join(where), values


def _period(call: Call) -> tuple[int, int | None]:
    asked = call.message
    last = asked.get("last")
    if last is None:
        after_us = unix_us(asked["after"]) if "after" in asked else 0
        before_us = unix_us(asked["before"]) if "before" in asked else None
        return max(after_us, 0), before_us
    if "after" in asked or "before" in asked:
        raise GatewayError(INVALID_ARGUMENT, "last excludes after and before")
    return max(call.now_us - _duration_us(last), 0), None


def _duration_us(text: str) -> int:
    if not _DURATION.fullmatch(text):
        raise GatewayError(INVALID_ARGUMENT, f"expected a duration such as 30m; got {text!r:.40}")
    return sum(round(float(number) * _UNIT_US[unit]) for number, unit in _PART.findall(text))
