"""What the network tells of downlinks: they were sent, heard, not heard, or came to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.application_server import queue_items
from simulators.platforms.things_stack.application_server.device import Device
from simulators.platforms.things_stack.application_server.formatters import (
    Outcome,
    Then,
    formatter_of,
)
from simulators.platforms.things_stack.application_server.lanes import Lanes
from simulators.platforms.things_stack.application_server.sessions import (
    find_device,
    is_crypto_skipped,
    matched,
)
from simulators.platforms.things_stack.messages import Up

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]


class QueueMessages:
    """Passes them on to the application, decrypted, and does what follows from them."""

    def __init__(self, stack: Stack, lanes: Lanes) -> None:
        self._stack = stack
        self._lanes = lanes
        self.handlers = {
            "downlink_sent": self._queue_item,
            "downlink_ack": self._queue_item,
            "downlink_nack": self._nack,
            "downlink_failed": self._failed,
            "downlink_queue_invalidated": self._invalidated,
        }
        # Of those that were begun before: the item was queued again by then.
        self.again = {"downlink_nack": self._queue_item}

    def _queue_item(self, up: Up, message: Document, now_us: int) -> None:
        device = find_device(self._stack, up.tenant, up.ids)
        item = queue_items.decrypted(self._stack, device, up.message)
        self._publish_item(device, up.kind, message, item, now_us)

    def _failed(self, up: Up, message: Document, now_us: int) -> None:
        device = find_device(self._stack, up.tenant, up.ids)
        item = queue_items.decrypted(self._stack, device, up.message["downlink"])
        self._publish_item(device, up.kind, message, item, now_us)

    def _nack(self, up: Up, message: Document, now_us: int) -> None:
        device = find_device(self._stack, up.tenant, up.ids)
        if is_crypto_skipped(self._stack, device, device.document.get("session")):
            self._publish_item(device, up.kind, message, up.message, now_us)
            return
        matched(self._stack, device, up.ids, up.message.get("session_key_id", ""))
        item = queue_items.decrypted(self._stack, device, up.message)
        self._publish_item(device, up.kind, message, item, now_us)
        self._stack.application.downlinks.not_acknowledged(device, item, now_us)

    def _invalidated(self, up: Up, message: Document, now_us: int) -> None:
        device = find_device(self._stack, up.tenant, up.ids)
        if self._stack.application.downlinks.invalidated(device, up.ids, up.message, now_us):
            outputs = self._stack.application.outputs
            outputs.publish(up.tenant, device.application, up.kind, message, now_us)

    def _publish_item(
        self, device: Device, kind: str, message: Document, item: Document, now_us: int
    ) -> None:
        """Add values to an item, if there is a formatter, and publish the message about it."""
        outputs = self._stack.application.outputs
        formatters = self._stack.application.formatters
        formatter = formatter_of(self._stack, device, item, "down_formatter")

        def decoded(outcome: Outcome, now_us: int) -> None:
            shown = item | (outcome if isinstance(outcome, dict) else {})
            body = message[kind] | {"downlink": shown} if kind == "downlink_failed" else shown
            told = message | {kind: body}
            outputs.publish(device.tenant, device.application, kind, told, now_us)

        if formatter is None:
            decoded({}, now_us)
            return
        chosen_formatter = formatter

        def start(go_on: Then) -> None:
            formatters.decode_queued(chosen_formatter, item, go_on, now_us)

        self._lanes.hold(device.tenant, message["end_device_ids"], start, decoded)
