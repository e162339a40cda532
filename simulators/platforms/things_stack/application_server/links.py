"""Links: what holds for all devices of an application."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.application_server.devices import check_scripts
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.masks import assign, select
from simulators.platforms.things_stack.schema import message

Document = dict[str, Any]

_LINK = message("ApplicationLink")


def _application(call: Call, application_id: str) -> str:
    call.require_application(application_id, "SETTINGS_BASIC")
    return call.uid(application_id)


def get_link(call: Call) -> Document:
    """The masked fields of a link."""
    application = _application(call, call.message["application_ids"]["application_id"])
    link = call.stack.application.link(application)
    if link is None:
        raise StackError("pkg/redis:not_found")
    return select(_LINK, link, call.paths)


def set_link(call: Call) -> Document:
    """Add or change a link."""
    given: Document = call.message["link"]
    check_scripts(given.get("default_formatters", {}), call.paths, "default_formatters")
    application = _application(call, call.message["application_ids"]["application_id"])
    link = call.stack.application.link(application) or {}
    assign(_LINK, link, given, call.paths)
    call.stack.application.set_link(application, link)
    return select(_LINK, link, call.paths)


def delete_link(call: Call) -> Document:
    """Forget a link; a missing one does not matter."""
    call.stack.application.delete_link(_application(call, call.message["application_id"]))
    return {}


def get_link_stats(call: Call) -> Document:
    """Links have not been connections for a long time."""
    _application(call, call.message["application_id"])
    raise StackError("pkg/applicationserver:linking_not_implemented")
