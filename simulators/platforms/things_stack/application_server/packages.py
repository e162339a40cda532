"""Packages: what an application, or one device of it, has switched on, by port."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.application_server.package_store import Owner
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.device_calls import application_of
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.masks import assign, select
from simulators.platforms.things_stack.schema import Message, message

Document = dict[str, Any]

STORAGE = "storage-integration"
_STORAGE_PORT = 100
_ALWAYS = ["ids", "created_at", "updated_at"]
_OF_DEVICE = message("ApplicationPackageAssociation")
_OF_APPLICATION = message("ApplicationPackageDefaultAssociation")


def list_packages(call: Call) -> Document:
    """Packages that can be switched on."""
    call.require_application(application_of(call.message), "SETTINGS_PACKAGES")
    if not call.stack.policy.storage_integration:
        return {}
    return {"packages": [{"name": STORAGE, "default_f_port": _STORAGE_PORT}]}


def _owner(call: Call, ids: Document) -> Owner:
    """Whose associations: an application's, or with ``end_device_ids`` those of its device."""
    device = ids.get("end_device_ids", {})
    application_ids = device.get("application_ids") or ids["application_ids"]
    application_id = application_ids["application_id"]
    call.require_application(application_id, "SETTINGS_PACKAGES")
    return call.uid(application_id), device.get("device_id", "")


def _get(call: Call, of: Message, ids: Document) -> Document:
    found = call.stack.application.packages.find(_owner(call, ids), ids["f_port"])
    if found is None:
        raise StackError("pkg/redis:not_found")
    return select(of, found, [*_ALWAYS, *call.paths])


def _list(call: Call, of: Message, ids: Document, name: str) -> Document:
    found = call.stack.application.packages.all(_owner(call, ids))
    call.headers.append(("X-Total-Count", str(len(found))))
    limit = call.message.get("limit", 0) or call.stack.policy.default_page
    start = (max(call.message.get("page", 1), 1) - 1) * limit
    page = [select(of, one, [*_ALWAYS, *call.paths]) for one in found[start : start + limit]]
    return {name: page} if page else {}


def _set(call: Call, of: Message, given: Document) -> Document:
    ids = given["ids"]
    owner, packages = _owner(call, ids), call.stack.application.packages
    association = packages.find(owner, ids["f_port"]) or {"ids": ids, "created_at": call.now}
    paths = [path for path in call.paths if path.partition(".")[0] not in _ALWAYS]
    assign(of, association, given, paths)
    association["updated_at"] = call.now
    packages.write(owner, ids["f_port"], association)
    return select(of, association, [*_ALWAYS, *call.paths])


def _delete(call: Call, ids: Document) -> Document:
    call.stack.application.packages.delete(_owner(call, ids), ids["f_port"])
    return {}


def get_association(call: Call) -> Document:
    """What a device has switched on at a port."""
    return _get(call, _OF_DEVICE, call.message["ids"])


def list_associations(call: Call) -> Document:
    """Everything that a device has switched on by itself."""
    return _list(call, _OF_DEVICE, {"end_device_ids": call.message["ids"]}, "associations")


def set_association(call: Call) -> Document:
    """Switch a package on for a device."""
    return _set(call, _OF_DEVICE, call.message["association"])


def delete_association(call: Call) -> Document:
    """Switch a package off for a device; a missing one does not matter."""
    return _delete(call, call.message)


def get_default_association(call: Call) -> Document:
    """What an application has switched on at a port."""
    return _get(call, _OF_APPLICATION, call.message["ids"])


def list_default_associations(call: Call) -> Document:
    """Everything that an application has switched on."""
    return _list(call, _OF_APPLICATION, {"application_ids": call.message["ids"]}, "defaults")


def set_default_association(call: Call) -> Document:
    """Switch a package on for all devices of an application."""
    return _set(call, _OF_APPLICATION, call.message["default"])


def delete_default_association(call: Call) -> Document:
    """Switch a package off for an application; a missing one does not matter."""
    return _delete(call, call.message)
