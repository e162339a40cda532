"""The Join Server's part of the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.join_server import devices
from simulators.platforms.things_stack.masks import assign, select
from simulators.platforms.things_stack.schema import message

Document = dict[str, Any]

_SETTINGS = message("ApplicationActivationSettings")


def get_default_join_eui(call: Call) -> Document:
    """The JoinEUI for devices without one of their maker."""
    return {"join_eui": call.stack.policy.default_join_eui}


def get_join_eui_prefixes(call: Call) -> Document:
    """JoinEUIs that this server answers for."""
    join_eui, _, length = call.stack.policy.join_eui_prefix.partition("/")
    prefix: Document = {"join_eui": join_eui}
    return {"prefixes": [prefix | ({"length": int(length)} if int(length) else {})]}


def get_settings(call: Call) -> Document:
    """Activation settings of an application."""
    settings = call.stack.join.settings(_application(call, "READ"))
    if settings is None:
        raise StackError("pkg/joinserver:application_activation_settings_not_found")
    return select(_SETTINGS, settings, call.paths)


def set_settings(call: Call) -> Document:
    """Change activation settings of an application."""
    application = _application(call, "READ", "WRITE")
    settings = call.stack.join.settings(application) or {}
    assign(_SETTINGS, settings, call.message["settings"], call.paths)
    call.stack.join.set_settings(application, settings)
    return select(_SETTINGS, settings, call.paths)


def delete_settings(call: Call) -> Document:
    """Forget activation settings of an application."""
    if not call.stack.join.delete_settings(_application(call, "READ", "WRITE")):
        raise StackError("pkg/joinserver:application_activation_settings_not_found")
    return {}


def _application(call: Call, *rights: str) -> str:
    application_id: str = call.message["application_ids"]["application_id"]
    call.require_application(application_id, *(f"DEVICES_{right}_KEYS" for right in rights))
    return call.uid(application_id)


HANDLERS: dict[str, Callable[[Call], Document]] = {
    "ApplicationActivationSettingRegistry/Delete": delete_settings,
    "ApplicationActivationSettingRegistry/Get": get_settings,
    "ApplicationActivationSettingRegistry/Set": set_settings,
    "Js/GetDefaultJoinEUI": get_default_join_eui,
    "Js/GetJoinEUIPrefixes": get_join_eui_prefixes,
    "JsEndDeviceBatchRegistry/Delete": devices.delete_batch,
    "JsEndDeviceRegistry/Delete": devices.delete_device,
    "JsEndDeviceRegistry/Get": devices.get_device,
    "JsEndDeviceRegistry/Set": devices.set_device,
}
