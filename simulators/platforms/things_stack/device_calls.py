"""What the registries of devices on several servers have in common."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.device_table import DeviceRow, DeviceTable
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.masks import any_below, assign, select
from simulators.platforms.things_stack.schema import message

Document = dict[str, Any]

DEVICE = message("EndDevice")
ALWAYS = ["ids", "created_at", "updated_at"]


def application_of(ids: Document) -> str:
    """The application's id in ``EndDeviceIdentifiers``."""
    application_id: str = ids["application_ids"]["application_id"]
    return application_id


def require(call: Call, ids: Document, right: str, keys: tuple[str, ...]) -> None:
    """
    Let who may read or write devices pass; who masks keys needs the right to these as well.

    Args:
        right: ``READ`` or ``WRITE``.
        keys: paths of keys.
    Raises:
        StackError: the caller has not the rights.
    """
    needed = [f"DEVICES_{right}"]
    if any_below(call.paths, *keys):
        needed.append(f"DEVICES_{right}_KEYS")
    call.require_application(application_of(ids), *needed)


def find(call: Call, table: DeviceTable, ids: Document) -> DeviceRow | None:
    """The device that a request names."""
    return table.find(call.uid(application_of(ids)), ids["device_id"])


def new_row(call: Call, ids: Document) -> DeviceRow:
    """A device that is not stored yet, with all the ids that are given."""
    kept = {name: value for name, value in ids.items() if name != "dev_addr"}
    document: Document = {"ids": kept, "created_at": call.now}
    return DeviceRow(0, call.uid(application_of(ids)), ids["device_id"], document)


def change(call: Call, row: DeviceRow, given: Document) -> None:
    """Set the masked fields."""
    paths = [path for path in call.paths if path.partition(".")[0] not in ALWAYS]
    assign(DEVICE, row.document, given, paths)
    row.document["updated_at"] = call.now


def shown(document: Document, paths: list[str]) -> Document:
    """What an answer holds: ids, times, and what is masked."""
    return select(DEVICE, document, [*ALWAYS, *paths])


def publish(call: Call, server: str, row: DeviceRow, *, is_new: bool) -> None:
    """Tell that a server has a new device, or which fields changed."""
    ids = {"device_ids": row.document["ids"]}
    if is_new:
        call.publish(f"{server}.end_device.create", ids)
    else:
        call.publish(f"{server}.end_device.update", ids, call.paths)


def delete(call: Call, server: str, table: DeviceTable, missing: StackError) -> None:
    """
    Forget a device.

    Raises:
        StackError: ``missing``, or the caller has not the right.
    """
    ids = call.message
    call.require_application(application_of(ids), "DEVICES_WRITE")
    row = find(call, table, ids)
    if row is None:
        raise missing
    table.delete(row)
    call.publish(f"{server}.end_device.delete", {"device_ids": row.document["ids"]})


def delete_batch(call: Call, server: str, table: DeviceTable) -> list[DeviceRow]:
    """Forget several devices of one application; missing ones do not matter."""
    application_id = call.message["application_ids"]["application_id"]
    call.require_application(application_id, "DEVICES_WRITE")
    uid = call.uid(application_id)
    rows = [table.find(uid, device_id) for device_id in call.message["device_ids"]]
    gone = [row for row in rows if row is not None]
    for row in gone:
        table.delete(row)
    if gone:
        ids = {"end_device_ids": [row.document["ids"] for row in gone]}
        name = f"{server}.end_device.batch.delete"
        call.publish(name, {"application_ids": {"application_id": application_id}}, ids)
    return gone
