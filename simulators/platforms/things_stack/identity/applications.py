"""Applications, and the DevEUIs that are issued to them."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity.entities import Entity
from simulators.platforms.things_stack.identity.kind import Kind
from simulators.platforms.things_stack.identity.registry import found

Document = dict[str, Any]


def _check_create(_: Call, document: Document) -> None:
    document.pop("dev_eui_counter", None)


def _check_delete(call: Call, entity: Entity) -> None:
    count = call.stack.identity.devices.count(entity.number)
    if count:
        raise StackError("pkg/identityserver:application_has_devices", {"count": count})


KIND = Kind(
    "application",
    "applications",
    public=("ids", "created_at", "updated_at", "administrative_contact", "technical_contact"),
    orders={"application_id": "id", "name": "name", "created_at": "created_us"},
    check_create=_check_create,
    check_delete=_check_delete,
)


def issue_dev_eui(call: Call) -> Document:
    """The next DevEUI of the server's block, for one device of an application."""
    application_id = call.message["application_id"]
    call.require_application(application_id, "DEVICES_WRITE")
    policy = call.stack.policy
    if not policy.dev_eui_block:
        raise StackError("pkg/identityserver:dev_eui_issuing_not_enabled")
    entity = found(KIND, call, application_id)
    issued = entity.document.get("dev_eui_counter", 0)
    if issued >= policy.dev_eui_limit:
        attributes = {"dev_eui_limit": policy.dev_eui_limit}
        name = "pkg/identityserver/store:application_dev_eui_limit_reached"
        raise StackError(name, attributes)
    entities = call.stack.identity.entities
    number = entities.count_up("dev_eui") + 1
    entity.document["dev_eui_counter"] = issued + 1
    entities.write(entity.number, entity.document, KIND.columns(entity.document))
    call.publish("application.issue_dev_eui", KIND.ids(application_id))
    width = 16 - len(policy.dev_eui_block)
    return {"dev_eui": f"{policy.dev_eui_block}{number % 16**width:0{width}X}"}
