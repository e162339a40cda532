"""A join was accepted: a session that is pending until the device uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.application_server.device import Device
from simulators.platforms.things_stack.application_server.sessions import (
    app_s_key,
    is_crypto_skipped,
    new_session,
)
from simulators.platforms.things_stack.messages import Up

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]


def accepted(stack: Stack, device: Device, up: Up, now_us: int) -> Document:
    """
    Keep the new session, and return what the application gets to know of it.

    Raises:
        StackError: the Join Server does not tell the key.
    """
    message = up.message
    session_key_id = message.get("session_key_id", "")
    key = message.get("app_s_key")
    if key is None:
        key = {"key": app_s_key(stack, up.tenant, up.ids, session_key_id)}
    session = new_session(up.ids, session_key_id, key)
    downlinks = stack.application.downlinks
    is_skipped = is_crypto_skipped(stack, device, session)
    waiting = message.get("invalidated_downlinks", [])
    # Decrypted with the sessions there were, of which one is about to go.
    plain = [] if is_skipped else downlinks.decrypted(device, waiting, now_us)
    device.document["pending_session"] = session
    stack.application.devices.save(device)
    if is_skipped:
        return message | {"app_s_key": key}
    downlinks.migrate(device, plain, now_us)
    return {name: value for name, value in message.items() if name not in _OWN}


_OWN = ("app_s_key", "invalidated_downlinks")
