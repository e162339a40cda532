"""
Which session a message belongs to, and where its key comes from.

A session begins with a join and is pending until the device uses it; the Join Server tells its key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.application_server.device import Device, has_key, key_id
from simulators.platforms.things_stack.errors import StackError

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]


def application_uid(tenant: str, ids: Document) -> str:
    """A device's application, unique over all tenants."""
    application_id: str = ids["application_ids"]["application_id"]
    return f"{application_id}@{tenant}" if tenant else application_id


def find_device(stack: Stack, tenant: str, ids: Document) -> Device:
    """
    The device that a message is about.

    Raises:
        StackError: it is not registered on this server.
    """
    application = application_uid(tenant, ids)
    device = stack.application.devices.device(tenant, application, ids["device_id"])
    if device is None:
        raise device_not_found(tenant, ids)
    return device


def device_not_found(tenant: str, ids: Document) -> StackError:
    """A device that is not registered on this server."""
    device_uid = f"{ids['application_ids']['application_id']}.{ids['device_id']}"
    if tenant:
        device_uid = f"{device_uid}@{tenant}"
    return StackError("pkg/applicationserver:device_not_found", {"device_uid": device_uid})


def is_crypto_skipped(stack: Stack, device: Device, session: Document | None) -> bool:
    """
    Whether payloads are passed on encrypted.

    Only where the key cannot be had here: what is set to be skipped is decrypted all the same when
    the key lies open.
    """
    if session is not None and has_key(session):
        return False
    override = device.document.get("skip_payload_crypto_override")
    if override is not None:
        return bool(override)
    return bool(stack.application.kept_link(device.application).get("skip_payload_crypto"))


def matched(stack: Stack, device: Device, ids: Document, session_key_id: str) -> Document:
    """
    The session with that key, made the device's current one.

    Raises:
        StackError: ``app_s_key``, caused by why the Join Server does not tell the key.
    """
    current = device.session_in_use
    if current is not None and key_id(current) == session_key_id:
        return current
    pending: Document | None = device.document.get("pending_session")
    if pending is not None and key_id(pending) == session_key_id:
        found = pending
    else:
        found = _restored(stack, device, ids, session_key_id)
    device.document["session"] = found
    device.document.pop("pending_session", None)
    device.ids["dev_addr"] = found["dev_addr"]
    stack.application.devices.save(device)
    return found


def _restored(stack: Stack, device: Device, ids: Document, session_key_id: str) -> Document:
    key = app_s_key(stack, device.tenant, ids, session_key_id)
    return new_session(ids, session_key_id, {"key": key})


def new_session(ids: Document, session_key_id: str, app_s_key: Document) -> Document:
    """A session whose application counter was not used yet."""
    keys: Document = {"app_s_key": app_s_key}
    if session_key_id:
        keys = {"session_key_id": session_key_id, **keys}
    return {"dev_addr": ids.get("dev_addr", "00000000"), "keys": keys}


def app_s_key(stack: Stack, tenant: str, ids: Document, session_key_id: str) -> str:
    """
    The application's key of a session that began with a join, in hex.

    Raises:
        StackError: ``app_s_key`` with its cause.
    """
    key: bytes | None = None
    cause: StackError | None = None
    for name in ("dev_eui", "join_eui"):
        if name not in ids:
            cause = StackError(f"pkg/applicationserver:no_{name}")
            break
    else:
        key = stack.join.app_s_key(tenant, ids["dev_eui"], session_key_id)
        if key is None:
            attributes = {"join_eui": ids["join_eui"]}
            cause = StackError("pkg/applicationserver:join_server_unavailable", attributes)
    if key is None:
        raise StackError("pkg/applicationserver:app_s_key", cause=cause)
    return key.hex().upper()
