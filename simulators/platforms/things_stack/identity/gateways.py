"""Gateways: their EUI, their plans, and what only some may see or change."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity.contacts import account_of
from simulators.platforms.things_stack.identity.entities import Entity
from simulators.platforms.things_stack.identity.kind import Kind
from simulators.platforms.things_stack.masks import any_below

Document = dict[str, Any]

_SECRETS = ("lbs_lns_secret", "claim_authentication_code", "target_cups_key")
_BY_LINK = ("antennas", "attributes")  # what a gateway may change about itself


def _check_create(call: Call, document: Document) -> None:
    _check_eui(call, document["ids"].get("eui"), but=0)
    _match_plans(document, ["frequency_plan_id"] if "frequency_plan_id" in document else [])


def _check_update(call: Call, entity: Entity, document: Document, paths: list[str]) -> None:
    if "ids.eui" in paths:
        _check_eui(call, document["ids"].get("eui"), but=entity.number)
    if any_below(paths, *_SECRETS):
        call.require("gateway", entity.id, "RIGHT_GATEWAY_WRITE_SECRETS")
    for one, other in (
        ("frequency_plan_id", "frequency_plan_ids"),
        ("frequency_plan_ids", "frequency_plan_id"),
    ):
        if one in paths and other not in paths:
            _match_plans(document, [one])
            paths.append(other)
            return


def _check_eui(call: Call, eui: str | None, *, but: int) -> None:
    other = call.stack.identity.entities.by_eui(call.tenant, eui) if eui else None
    if other is None or other.number == but:
        return
    contact = other.document.get("administrative_contact")
    attributes = {
        "gateway_eui": eui,
        "gateway_id": other.id,
        "administrative_contact": account_of(contact)[1] if contact else "",
    }
    raise StackError("pkg/identityserver:gateway_eui_taken", attributes)


def _match_plans(document: Document, given: list[str]) -> None:
    """The first of the plans is also told by itself."""
    plans = document.get("frequency_plan_ids")
    if given == ["frequency_plan_id"] and not (plans and document["frequency_plan_id"] in plans):
        plan = document.get("frequency_plan_id")
        plans = [plan] if plan else None
    document.pop("frequency_plan_id", None)
    document.pop("frequency_plan_ids", None)
    if plans:
        document["frequency_plan_id"] = plans[0]
        document["frequency_plan_ids"] = plans


def _update_rights(call: Call, document: Document, paths: list[str]) -> None:
    gateway_id = document["ids"]["gateway_id"]
    if paths and all(path in _BY_LINK for path in paths):
        try:
            call.require("gateway", gateway_id, "RIGHT_GATEWAY_LINK")
            return
        except StackError:
            pass  # the other right will do as well
    call.require("gateway", gateway_id, "RIGHT_GATEWAY_SETTINGS_BASIC")


def _check_read(call: Call, document: Document, paths: list[str]) -> None:
    if any_below(paths, *_SECRETS):
        call.require("gateway", document["ids"]["gateway_id"], "RIGHT_GATEWAY_READ_SECRETS")


def _public_safe(document: Document) -> None:
    if not document.get("status_public"):
        document.pop("gateway_server_address", None)
    if not document.get("location_public"):
        for antenna in document.get("antennas", ()):
            antenna.pop("location", None)


def _on_delete(document: Document) -> None:
    document["ids"].pop("eui", None)  # others may use it from now on


KIND = Kind(
    "gateway",
    "gateways",
    public=(
        "ids", "created_at", "updated_at", "deleted_at", "name", "description",
        "frequency_plan_id", "frequency_plan_ids", "status_public", "gateway_server_address",
        "location_public", "antennas", "lrfhss.supported", "administrative_contact",
        "technical_contact",
    ),
    orders={
        "gateway_id": "id", "gateway_eui": "eui", "name": "name", "created_at": "created_us",
    },
    check_create=_check_create,
    check_update=_check_update,
    update_rights=_update_rights,
    check_read=_check_read,
    public_safe=_public_safe,
    on_delete=_on_delete,
    columns=lambda document: {"eui": document["ids"].get("eui")},
)  # fmt: skip


def delete_batch(call: Call) -> Document:
    """Delete several gateways, all or none."""
    ids = [each["gateway_id"] for each in call.message["gateway_ids"]]
    entities = call.stack.identity.entities
    for gateway_id in ids:
        call.require("gateway", gateway_id, "RIGHT_GATEWAY_DELETE")
    found = [entities.find(call.tenant, "gateway", gateway_id) for gateway_id in ids]
    for entity in found:
        if entity is not None:
            _on_delete(entity.document)
            entity.document["deleted_at"] = call.now
            entities.write(entity.number, entity.document, KIND.columns(entity.document))
            entities.mark_deleted(entity.number, call.now_us)
            call.publish("gateway.batch.delete", KIND.ids(entity.id))
    return {}
