"""GET /v2/, browsers' preflight requests, and everything that has no endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io.refusals import Refused

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core


def ping(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Without a session, and a device never has one: the documented 401."""
    core.session(request, now_us)
    return [Answer(request, 200, {"status": "success"})]


def not_found(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """No endpoint has this path."""
    raise Refused(404, "path not found")


def switched_off(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """The first version of the API is gone, and says so."""
    raise Refused(410, "version 1 of the API is switched off")


def wrong_method(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """The path exists with other methods; the documents name 404 for that."""
    raise Refused(404, f"method {request.method} is not supported here")


def cross_origin(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """A browser asks what it may send; the shell adds the headers that say it."""
    return [Answer(request, 204)]
