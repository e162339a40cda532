"""
The queue of downlinks, which the Network Server keeps: items are encrypted for it and counted here.

A session that is pending has the same items as the current one, encrypted with its own key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.application_server import queue_items
from simulators.platforms.things_stack.application_server.device import Device, key_id
from simulators.platforms.things_stack.application_server.sessions import (
    app_s_key,
    is_crypto_skipped,
    matched,
    new_session,
)
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.times import time_text

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
Operation = Callable[[str, str, str, list[Document], int], None]  # of the Network Server

_MOST_TRIES = 5
# Sessions as the Network Server describes them when it refuses items.
_TOLD = (("session", ""), ("pending_session", "pending_"))


class Downlinks:
    """What applications, and the network in its turn, do to queues."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def queue(
        self, device: Device, items: list[Document], operation: Operation, now_us: int
    ) -> None:
        """
        Put an application's items into the queue, encoded already, and tell that they are there.

        Raises:
            StackError: why they are not; the application is told as well.
        """
        outputs = self._stack.application.outputs
        for item in items:
            about = _about(device, item)
            outputs.tell("as.down.data.receive", device.tenant, about, item, now_us)
        try:
            queued = self._attempt(device, items, operation, now_us)
        except StackError as error:
            self._drop(device, items, error, now_us)
            raise
        shown = queued[: len(items)]
        for item, secret in zip(items, shown, strict=True):
            label = {name: secret[name] for name in ("session_key_id", "f_cnt") if name in secret}
            self.publish(device, "downlink_queued", label | item, now_us)
        for secret in queued:
            about = _about(device, secret)
            outputs.tell("as.down.data.forward", device.tenant, about, secret, now_us)

    def publish(self, device: Device, kind: str, item: Document, now_us: int) -> None:
        """Tell the application about an item, in a message of its own."""
        message = _about(device, item) | {"received_at": time_text(now_us), kind: item}
        outputs = self._stack.application.outputs
        outputs.publish(device.tenant, device.application, kind, message, now_us)

    def fail(self, device: Device, item: Document, error: StackError, now_us: int) -> None:
        """Tell the application that an item will not be sent."""
        outputs = self._stack.application.outputs
        failed = {"downlink": item, "error": outputs.details(error)}
        message = _about(device, item)
        message |= {"received_at": time_text(now_us), "downlink_failed": failed}
        outputs.publish(device.tenant, device.application, "downlink_failed", message, now_us)

    def _drop(self, device: Device, items: list[Document], error: StackError, now_us: int) -> None:
        outputs = self._stack.application.outputs
        for item in items:
            self.fail(device, item, error, now_us)
            outputs.tell_drop("", device.tenant, _about(device, item), error, now_us)

    # --- putting items into the Network Server's queue

    def _attempt(
        self,
        device: Device,
        items: list[Document],
        operation: Operation,
        now_us: int,
        skipped: str | None = None,
    ) -> list[Document]:
        """
        Encrypt items for each session (but one, by its key's id) and hand them over.

        What the Network Server knows better of sessions and counters is taken from it.

        Raises:
            StackError: they are not taken.
        """
        if any("f_port" not in item for item in items):
            raise StackError("pkg/applicationserver:no_f_port")
        for attempt in range(1, _MOST_TRIES + 1):
            sessions = [one for one in device.sessions() if key_id(one) != skipped]
            if not sessions:
                raise StackError("pkg/applicationserver:no_device_session")
            queued = [
                queue_items.encrypted(self._stack, device, session, items) for session in sessions
            ]
            ready = [item for each in queued for item in each]
            try:
                operation(device.tenant, device.application, device.ids["device_id"], ready, now_us)
                break
            except StackError as error:
                self._learn_from(error, device, is_last=attempt == _MOST_TRIES)
        for session, own in zip(sessions, queued, strict=True):
            if own:
                queue_items.set_last_f_cnt(session, own[-1].get("f_cnt", 0))
        self._stack.application.devices.save(device)
        return ready

    def _learn_from(self, error: StackError, device: Device, *, is_last: bool) -> None:
        """
        Take from a refusal what the Network Server knows better, for another try.

        Raises:
            StackError: the refusal, when it tells nothing or there is no other try.
        """
        told: Document | None = getattr(error, "queue", None)
        if told is None or is_last or is_crypto_skipped(self._stack, device, None):
            raise error
        self._learn(device, told)

    def _learn(self, device: Device, told: Document) -> None:
        """Take sessions and counters over from the Network Server."""
        for name, prefix in _TOLD:
            dev_addr = told.get(f"{prefix}dev_addr")
            if dev_addr is None:
                device.document.pop(name, None)
                continue
            session_key_id = told.get(f"{prefix}session_key_id") or ""
            session: Document = device.document.get(name, {})
            if (key_id(session), session.get("dev_addr")) != (session_key_id, dev_addr):
                session = device.document[name] = self._rebuilt(device, dev_addr, session_key_id)
            last = told.get(f"{prefix}min_f_cnt_down", 0) - 1
            queue_items.set_last_f_cnt(session, max(0, last))
        if "session" in device.document:
            device.ids["dev_addr"] = device.document["session"]["dev_addr"]
        else:
            device.ids.pop("dev_addr", None)

    def _rebuilt(self, device: Device, dev_addr: str, session_key_id: str) -> Document:
        if not session_key_id:
            raise StackError("pkg/applicationserver:rebuild")
        key = app_s_key(self._stack, device.tenant, device.ids, session_key_id)
        return new_session({"dev_addr": dev_addr}, session_key_id, {"key": key})

    # --- what the network says about queues

    def migrate(self, device: Device, plain: list[Document], now_us: int) -> None:
        """
        A device has joined: what waits is encrypted for the new session as well.

        The queue of the session that the items come from is left as it is.
        """
        if not plain:
            return
        source = plain[0].get("session_key_id", "")
        network = self._stack.network
        try:
            self._attempt(device, plain, network.push, now_us, skipped=source)
        except StackError as error:
            self._drop(device, plain, error, now_us)

    def invalidated(self, device: Device, ids: Document, message: Document, now_us: int) -> bool:
        """
        The network has used counters that were given to items: encrypt these anew, silently.

        Returns:
            Whether the application has to do that itself, since it holds the key.
        Raises:
            StackError: the session is not known.
        """
        last = message.get("last_f_cnt_down", 0)
        current = device.document.get("session")
        if is_crypto_skipped(self._stack, device, current):
            if current is not None:
                queue_items.set_last_f_cnt(current, last)
                self._stack.application.devices.save(device)
            return True
        session = matched(self._stack, device, ids, message.get("session_key_id", ""))
        plain = self.decrypted(device, message.get("downlinks", []), now_us)
        queue_items.set_last_f_cnt(session, last)
        self._stack.application.devices.save(device)
        if plain:
            self._push_again(device, plain, now_us)
        return False

    def not_acknowledged(self, device: Device, item: Document, now_us: int) -> None:
        """Send a confirmed item once more, behind all others; or tell that it is enough."""
        again = queue_items.next_attempt(item)
        if again is None:
            most = queue_items.max_attempts(item)
            name = "pkg/applicationserver:max_retries_reached"
            self.fail(device, item, StackError(name, {"max_retries": most}), now_us)
        else:
            self._push_again(device, [again], now_us)

    def _push_again(self, device: Device, plain: list[Document], now_us: int) -> None:
        try:
            self._attempt(device, plain, self._stack.network.push, now_us)
        except StackError as error:
            self._drop(device, plain, error, now_us)

    def decrypted(self, device: Device, items: list[Document], now_us: int) -> list[Document]:
        """Items that came from the Network Server, plain; what cannot be read is dropped."""
        plain = []
        for item in items:
            try:
                plain.append(queue_items.decrypted(self._stack, device, item))
            except StackError as error:
                outputs = self._stack.application.outputs
                outputs.tell_drop("", device.tenant, _about(device, item), error, now_us)
        return plain


def _about(device: Device, item: Document) -> Document:
    """Whom a message or event about an item names."""
    return {"end_device_ids": device.ids, "correlation_ids": item.get("correlation_ids", [])}
