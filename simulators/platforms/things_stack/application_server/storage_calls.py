"""The calls that read stored messages."""

from __future__ import annotations

import re
from typing import Any

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
_ALWAYS = ["end_device_ids", "received_at"]
_DURATION = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+", re.ASCII)
_PART = re.compile(r"([\d.]+)([a-z]+)", re.ASCII)
_UNIT_US = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}


def get_stored(call: Call) -> Effects:
    """A message after the other, as a stream of events has them; nothing when there are none."""
    where, values = _condition(call)
    found = call.stack.application.storage.find(
        where,
        values,
        is_newest_first=call.message.get("order") == "-received_at",
        limit=call.message.get("limit", 0),
    )
    if call.paths:
        found = [select(_UP, one, [*_ALWAYS, *call.paths]) for one in found]
    kind, delimiter = framing_of(call.request)
    body = b"".join(rendered(one, delimiter) for one in found)
    return [Answer(call.request, 200, body, kind)]


def count_stored(call: Call) -> Document:
    """How many messages there are of each device."""
    where, values = _condition(call)
    counts = call.stack.application.storage.counts(where, values)
    return {"count": counts} if counts else {}


def _condition(call: Call) -> tuple[str, list[Any]]:
    """SQL that says which messages are asked for; none is older than they are kept."""
    asked = call.message
    device = asked.get("end_device_ids", {})
    application_ids = device.get("application_ids") or asked["application_ids"]
    application_id = application_ids["application_id"]
    call.require_application(application_id, "TRAFFIC_READ")
    after_us, before_us = _period(call)
    where = ["application = ?", "kind = ?", "received_us > ?"]
    values = [call.uid(application_id), asked["type"], after_us]
    for condition, value in (
        ("received_us < ?", before_us),
        ("device_id = ?", device.get("device_id")),
        ("f_port = ?", asked.get("f_port")),
    ):
        if value is not None:
            where.append(condition)
            values.append(value)
    return " AND ".join(where), values


def _period(call: Call) -> tuple[int, int | None]:
    asked, oldest_us = call.message, call.now_us - RETENTION_US
    last = asked.get("last")
    if last is None:
        after_us = unix_us(asked["after"]) if "after" in asked else oldest_us
        before_us = unix_us(asked["before"]) if "before" in asked else None
        return max(after_us, oldest_us), before_us
    if "after" in asked or "before" in asked:
        raise GatewayError(INVALID_ARGUMENT, "last excludes after and before")
    return max(call.now_us - _duration_us(last), oldest_us), None


def _duration_us(text: str) -> int:
    if not _DURATION.fullmatch(text):
        raise GatewayError(INVALID_ARGUMENT, f"expected a duration such as 30m; got {text!r:.40}")
    return sum(round(float(number) * _UNIT_US[unit]) for number, unit in _PART.findall(text))
