"""The server's date, for devices and apps without a clock of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io.refusals import Refused
from simulators.wire.thethings_io import format_date

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core


def server_date(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """The date twice, ``values`` last: the Arduino library reads what follows its last colon."""
    query = request.arguments()
    if query.get("thingToken"):
        core.thing((query["thingToken"],))
    else:
        core.session(request, now_us)
    date = _date(query.get("format", "UTC"), now_us)
    return [Answer(request, 200, {"date": date, "values": [{"value": date}]})]


def _date(form: str, now_us: int) -> Any:
    if form == "UTC":
        return format_date(now_us // 1000)
    if form == "unix_timestamp":
        return now_us // 1_000_000
    raise Refused(400, "format must be UTC or unix_timestamp")
