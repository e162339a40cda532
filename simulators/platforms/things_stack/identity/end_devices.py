"""End devices in the Identity Server: their ids, names and where the other servers are."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity import applications
from simulators.platforms.things_stack.identity.device_store import ORDERS, UPDATED_US, DeviceRow
from simulators.platforms.things_stack.identity.entities import Entity
from simulators.platforms.things_stack.identity.paging import page_of, tell_total
from simulators.platforms.things_stack.identity.registry import ALWAYS, found
from simulators.platforms.things_stack.masks import assign, mask_of, select
from simulators.platforms.things_stack.schema import message
from simulators.platforms.things_stack.times import unix_us

Document = dict[str, Any]

_SERVERS = ("network", "application", "join")
_DEVICE = message("EndDevice")


def create(call: Call) -> Document:
    """A new device, with all that is given of what this server keeps; there is no mask."""
    given: Document = call.message["end_device"]
    ids: Document = given["ids"]
    application = _application(call, ids["application_ids"], "DEVICES_WRITE")
    _check_addresses(application, given)
    devices = call.stack.identity.devices
    if devices.find(application.number, ids["device_id"]) is not None:
        raise StackError("pkg/util/store:id_taken")
    _check_euis(call, ids)
    kept = select(_DEVICE, given, _kept())
    ids.pop("dev_addr", None)
    document = {"ids": ids, "created_at": call.now, "updated_at": call.now}
    document |= {name: value for name, value in kept.items() if name not in ALWAYS}
    devices.add(call.tenant, application.number, document, call.now_us)
    _tell_moved(call, ids)
    call.publish("end_device.create", {"device_ids": ids})
    return document


def _kept() -> list[str]:
    """Top-level fields that this server keeps: those it can be asked for."""
    mask = mask_of("EndDeviceRegistry/Get")
    return [] if mask is None else mask.top_level


def _application(call: Call, ids: Document, right: str) -> Entity:
    call.require_application(ids["application_id"], right)
    return found(applications.KIND, call, ids["application_id"])


def _tell_moved(call: Call, ids: Document) -> None:
    """The Application Server remembers what it was told of a device."""
    application = call.uid(ids["application_ids"]["application_id"])
    call.stack.application.devices.moved(application, ids["device_id"])


def _delete(call: Call, row: DeviceRow) -> None:
    call.stack.identity.devices.delete(row.number)
    call.stack.application.metadata.gone(row.number)
    _tell_moved(call, row.document["ids"])


def _check_addresses(application: Entity, device: Document) -> None:
    for server in _SERVERS:
        field = f"{server}_server_address"
        expected, address = application.document.get(field), device.get(field)
        if expected and address and address != expected:
            attributes = {"address": address, "expected": expected}
            raise StackError(f"pkg/identityserver:{field}_mismatch", attributes)


def _check_euis(call: Call, ids: Document) -> None:
    if "join_eui" not in ids or "dev_eui" not in ids:
        return
    other = call.stack.identity.devices.by_euis(call.tenant, ids["join_eui"], ids["dev_eui"])
    if other is not None:
        taken = other.document["ids"]
        attributes = {
            "join_eui": ids["join_eui"],
            "dev_eui": ids["dev_eui"],
            "device_id": taken["device_id"],
            "application_id": taken["application_ids"]["application_id"],
        }
        raise StackError("pkg/identityserver:end_device_euis_taken", attributes)


def _found(call: Call, application: Entity, device_id: str) -> DeviceRow:
    device = call.stack.identity.devices.find(application.number, device_id)
    if device is None:
        attributes = {"device_id": device_id, "application_id": application.id}
        raise StackError("pkg/identityserver/store:end_device_not_found", attributes)
    return device


def get(call: Call) -> Document:
    """One device."""
    ids = call.message["end_device_ids"]
    application = _application(call, ids["application_ids"], "DEVICES_READ")
    return _shown(_found(call, application, ids["device_id"]).document, call.paths)


def _shown(document: Document, paths: list[str]) -> Document:
    return select(_DEVICE, document, [*ALWAYS, *paths])


def list_devices(call: Call) -> Document:
    """An application's devices."""
    application_ids = call.message.get("application_ids", {})
    application_id = application_ids.get("application_id", "")
    application = _application(call, {"application_id": application_id}, "DEVICES_READ")
    times = [
        unix_us(one["updated_since"])
        for one in call.message.get("filters", ())
        if "updated_since" in one
    ]
    where = f" AND {UPDATED_US} >= ?" * len(times)
    return listed(call, application, where, tuple(times))


def listed(call: Call, application: Entity, where: str, values: tuple[Any, ...]) -> Document:
    """The page of devices that a request asks for, narrowed by SQL."""
    page = page_of(call, ORDERS)
    devices = call.stack.identity.devices
    documents, total = devices.page(application.number, page, where=where, values=values)
    tell_total(call, total)
    shown = [_shown(document, call.paths) for document in documents]
    return {"end_devices": shown} if shown else {}


def update(call: Call) -> Document:
    """Change the masked fields; without a mask only the time of the last change."""
    given: Document = call.message["end_device"]
    ids = given["ids"]
    application = _application(call, ids["application_ids"], "DEVICES_WRITE")
    device = _found(call, application, ids["device_id"])
    paths = call.paths
    if any(path.startswith(server) for server in _SERVERS for path in paths):
        _check_addresses(application, select(_DEVICE, given, paths))
    assign(_DEVICE, device.document, given, paths)
    device.document["updated_at"] = call.now
    call.stack.identity.devices.write(device.number, device.document, call.now_us)
    _tell_moved(call, ids)
    call.publish("end_device.update", {"device_ids": device.document["ids"]}, paths)
    return _shown(device.document, paths)


def delete(call: Call) -> Document:
    """Forget a device at once."""
    application = _application(call, call.message["application_ids"], "DEVICES_WRITE")
    device = _found(call, application, call.message["device_id"])
    _delete(call, device)
    call.publish("end_device.delete", {"device_ids": device.document["ids"]})
    return {}


def get_batch(call: Call) -> Document:
    """Several devices; missing ones are left out."""
    application = _application(call, call.message["application_ids"], "DEVICES_READ")
    devices = call.stack.identity.devices
    rows = [devices.find(application.number, name) for name in call.message["device_ids"]]
    shown = [_shown(row.document, call.paths) for row in rows if row is not None]
    return {"end_devices": shown} if shown else {}


def delete_batch(call: Call) -> Document:
    """Forget several devices; missing ones do not matter."""
    application = _application(call, call.message["application_ids"], "DEVICES_WRITE")
    devices = call.stack.identity.devices
    rows = [devices.find(application.number, name) for name in call.message["device_ids"]]
    gone = [row for row in rows if row is not None]
    for row in gone:
        _delete(call, row)
    if gone:
        ids = [row.document["ids"] for row in gone]
        call.publish(
            "end_device.batch.delete",
            applications.KIND.ids(application.id),
            {"end_device_ids": ids},
        )
    return {}
