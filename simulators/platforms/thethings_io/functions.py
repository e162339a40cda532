"""Cloud functions that devices may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.effects import NOT_GIVEN, Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io.arguments import json_object, json_text
from simulators.platforms.thethings_io.refusals import Refused

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core


def call(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """What the provisioned function returns for the ``params`` of the body."""
    core.thing(arguments)
    row = core.store.one("SELECT returns, result FROM function WHERE name = ?", arguments[1])
    if row is None:
        raise Refused(404, "function not found")
    params = _params(request)
    returns, result = row
    text = json_text(params) if returns == "params" else str(result)
    return [Answer(request, 200, core.store.show(text))]


def _params(request: Request) -> Any:
    if not request.body and request.document is NOT_GIVEN:
        return {}
    params = json_object(request).get("params", {})
    if not isinstance(params, dict):
        raise Refused(400, "params must be an object")
    return params
