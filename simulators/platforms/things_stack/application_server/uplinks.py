"""
Messages from the network on their way to the application.

A message whose formatter is a script waits for it, and with it all later ones of the same device.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.application_server import (
    joins,
    locations,
    queue_items,
)
from simulators.platforms.things_stack.application_server.device import Device
from simulators.platforms.things_stack.application_server.formatters import (
    Formatter,
    Outcome,
    Then,
    chosen,
)
from simulators.platforms.things_stack.application_server.outputs import RECEIVED
from simulators.platforms.things_stack.application_server.sessions import (
    find_device,
    is_crypto_skipped,
    matched,
)
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Up
from simulators.platforms.things_stack.times import time_text
from simulators.platforms.things_stack.ulid import ulid

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
_Key = tuple[str, str, str]  # tenant, application, device

_FIRST = ("session_key_id", "f_port", "f_cnt", "frm_payload")
_NOT_IN_NORMALIZED = (
    "decoded_payload", "decoded_payload_warnings", "normalized_payload", "packet_error_rate",
)  # fmt: skip
_MOST_WAITING = 1000  # of one device, while a script runs


class Uplinks:
    """What comes from the Network Server, and what only pretends to."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._waiting: dict[_Key, deque[Callable[[int], None]]] = {}
        self._handlers: dict[str, Callable[[Up, Document, int], None]] = {
            "uplink_message": self._uplink,
            "join_accept": self._join_accept,
            "downlink_sent": self._queue_item,
            "downlink_ack": self._queue_item,
            "downlink_nack": self._nack,
            "downlink_failed": self._failed,
            "downlink_queue_invalidated": self._invalidated,
        }

    def handle(self, up: Up, now_us: int) -> None:
        """Take a message, or keep it until those before it are through."""
        self._in_order(up.tenant, up.ids, lambda now_us: self._take(up, now_us), now_us)

    def simulate(self, tenant: str, message: Document, now_us: int) -> None:
        """Take a message that a caller made up: as it is, and decrypted already."""
        ids = message["end_device_ids"]
        self._in_order(tenant, ids, lambda now_us: self._simulated(tenant, message, now_us), now_us)

    # --- order

    def _in_order(
        self, tenant: str, ids: Document, job: Callable[[int], None], now_us: int
    ) -> None:
        if not self._waiting:  # nearly always
            job(now_us)
            return
        waiting = self._waiting.get(_key(tenant, ids))
        if waiting is None:
            job(now_us)
        elif len(waiting) < _MOST_WAITING:
            waiting.append(job)

    def _decode(
        self, device: Device, up: Document, then: Callable[[int], None], now_us: int
    ) -> None:
        """Add what the device's formatter makes of an uplink, and go on."""
        uplink = up["uplink_message"]
        formatters = self._stack.application.formatters
        formatter = self._formatter(device, uplink, "up_formatter")
        if formatter is None:
            then(now_us)
            return

        def start(go_on: Then) -> None:
            formatters.decode_uplink(formatter, uplink, go_on, now_us)

        def decoded(outcome: Outcome, now_us: int) -> None:
            self._add_decoded(device.tenant, up, outcome, now_us)
            then(now_us)

        self._hold(device, start, decoded)

    def _formatter(self, device: Device, message: Document, name: str) -> Formatter | None:
        if "frm_payload" not in message or "f_port" not in message:
            return None
        link = self._stack.application.kept_link(device.application)
        return chosen(device.document, link, name)

    def _hold(self, device: Device, start: Callable[[Then], None], then: Then) -> None:
        """Let later messages of a device wait until something has ended; ``then`` goes first."""
        key = _key(device.tenant, device.ids)
        lane: deque[Callable[[int], None]] = deque()
        self._waiting[key] = lane

        def ended(outcome: Outcome, now_us: int) -> None:
            del self._waiting[key]
            then(outcome, now_us)
            while lane:
                lane.popleft()(now_us)
                later = self._waiting.get(key)
                if later is not None:  # the next one has something to wait for, too
                    later.extend(lane)
                    return

        start(ended)

    def _add_decoded(self, tenant: str, up: Document, outcome: Outcome, now_us: int) -> None:
        outputs = self._stack.application.outputs
        if isinstance(outcome, StackError):
            outputs.tell_error("as.up.data.decode.fail", tenant, up, outcome, now_us)
            return
        uplink = up["uplink_message"]
        uplink |= outcome
        if "decoded_payload_warnings" in outcome:
            outputs.tell("as.up.data.decode.warning", tenant, up, uplink, now_us)
        if "normalized_payload_warnings" in outcome:
            outputs.tell("as.up.data.normalize.warning", tenant, up, uplink, now_us)

    # --- real messages

    def _take(self, up: Up, now_us: int) -> None:
        correlation_ids = [*up.correlation_ids, f"as:up:{ulid(now_us, self._stack.rng)}"]
        message: Document = {
            "end_device_ids": up.ids,
            "correlation_ids": correlation_ids,
            "received_at": time_text(now_us),
            up.kind: up.message,
        }
        outputs = self._stack.application.outputs
        received = RECEIVED.get(up.kind)
        if received is not None:
            outputs.tell(received, up.tenant, message, None, now_us)
        try:
            self._handlers[up.kind](up, message, now_us)
        except StackError as error:
            outputs.tell_drop(up.kind, up.tenant, message, error, now_us)

    def _uplink(self, up: Up, message: Document, now_us: int) -> None:
        stack, given = self._stack, up.message
        device = find_device(stack, up.tenant, up.ids)
        session = matched(stack, device, up.ids, given.get("session_key_id", ""))
        if "app_s_key" not in session.get("keys", ()):
            raise StackError("pkg/applicationserver:no_app_s_key")
        uplink: Document = {name: given[name] for name in _FIRST if name in given}
        message["uplink_message"] = uplink
        cipher = device.cipher(session)
        is_skipped = cipher is None and is_crypto_skipped(stack, device, session)
        if is_skipped:
            uplink |= _encrypted(session, up.payload)
        elif cipher is None:
            raise StackError("pkg/applicationserver:no_app_s_key")
        elif up.payload:
            plain = cipher.encrypt_payload(
                up.payload, given.get("f_cnt", 0), is_uplink=True, f_port=given["f_port"]
            )
            uplink["frm_payload"] = base64.b64encode(plain).decode()
        uplink.update(given)
        if "version_ids" in device.document:
            uplink["version_ids"] = device.document["version_ids"]
        if is_skipped:
            self._forward(device, message, now_us)
        else:
            self._decode(
                device, message, lambda now_us: self._forward(device, message, now_us), now_us
            )

    def _forward(self, device: Device, message: Document, now_us: int) -> None:
        """Add where the device is, and publish an uplink and what it contains."""
        uplink = message["uplink_message"]
        known = self._locations(device)
        if known:
            uplink["locations"] = known
        if "decoded_payload" in uplink:
            self._publish_normalized(device.tenant, device.application, message, now_us)
            self._publish_location(device, message, now_us)
        self._publish(device.tenant, device.application, "uplink_message", message, now_us)

    def _locations(self, device: Device) -> Document:
        if device.locations is None:
            ids = device.ids
            application_id = ids["application_ids"]["application_id"]
            device.locations = self._stack.identity.locations(
                device.tenant, application_id, ids["device_id"]
            )
        return device.locations

    def _publish_normalized(
        self, tenant: str, application: str, message: Document, now_us: int
    ) -> None:
        """A message for each measurement."""
        uplink = message["uplink_message"]
        common = {name: value for name, value in uplink.items() if name not in _NOT_IN_NORMALIZED}
        for measurement in uplink.get("normalized_payload", ()):
            normalized = common | {"normalized_payload": measurement}
            more = self._derived(message, "uplink_normalized", normalized, now_us)
            self._publish(tenant, application, "uplink_normalized", more, now_us)

    def _publish_location(self, device: Device, message: Document, now_us: int) -> None:
        """A payload may tell where the device is."""
        uplink = message["uplink_message"]
        location = locations.of_payload(uplink["decoded_payload"])
        if location is None:
            return
        service = locations.FROM_PAYLOAD
        uplink["locations"] = uplink.get("locations", {}) | {service: location}
        solved = {"service": service, "location": location}
        more = self._derived(message, "location_solved", solved, now_us)
        self._publish(device.tenant, device.application, "location_solved", more, now_us)

    def _derived(self, message: Document, kind: str, body: Document, now_us: int) -> Document:
        """A message that follows from another one."""
        own = f"as:up:{ulid(now_us, self._stack.rng)}"
        more = {name: message[name] for name in ("end_device_ids", "received_at", "simulated")
                if name in message}  # fmt: skip
        return more | {"correlation_ids": [*message["correlation_ids"], own], kind: body}

    def _publish(
        self, tenant: str, application: str, kind: str, message: Document, now_us: int
    ) -> None:
        self._stack.application.outputs.publish(tenant, application, kind, message, now_us)

    def _join_accept(self, up: Up, message: Document, now_us: int) -> None:
        device = find_device(self._stack, up.tenant, up.ids)
        message["join_accept"] = joins.accepted(self._stack, device, up, now_us)
        self._publish(up.tenant, device.application, "join_accept", message, now_us)

    # --- what becomes of downlinks

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
            self._publish(up.tenant, device.application, up.kind, message, now_us)

    def _publish_item(
        self, device: Device, kind: str, message: Document, item: Document, now_us: int
    ) -> None:
        """Add values to an item, if there is a formatter, and publish the message about it."""
        formatters = self._stack.application.formatters
        formatter = self._formatter(device, item, "down_formatter")

        def decoded(outcome: Outcome, now_us: int) -> None:
            shown = item | (outcome if isinstance(outcome, dict) else {})
            body = message[kind] | {"downlink": shown} if kind == "downlink_failed" else shown
            self._publish(device.tenant, device.application, kind, message | {kind: body}, now_us)

        if formatter is None:
            decoded({}, now_us)
            return
        chosen_formatter = formatter

        def start(go_on: Then) -> None:
            formatters.decode_queued(chosen_formatter, item, go_on, now_us)

        self._hold(device, start, decoded)

    # --- made-up messages

    def _simulated(self, tenant: str, message: Document, now_us: int) -> None:
        own = f"as:up:{ulid(now_us, self._stack.rng)}"
        message["correlation_ids"] = [*message.get("correlation_ids", ()), own]
        message["received_at"] = time_text(now_us)
        kind = kind_of(message)
        outputs = self._stack.application.outputs
        received = RECEIVED.get(kind)
        if received is not None:
            outputs.tell(received, tenant, message, None, now_us)
        ids = message["end_device_ids"]
        application = _application(tenant, ids)
        if kind != "uplink_message":
            self._publish(tenant, application, kind, message, now_us)
            return
        device = self._stack.application.devices.device(tenant, application, ids["device_id"])
        if device is None:
            error = StackError("pkg/redis:not_found")
            outputs.tell_drop(kind, tenant, message, error, now_us)
            return
        self._decode(
            device, message, lambda now_us: self._forward_simulated(device, message, now_us), now_us
        )

    def _forward_simulated(self, device: Device, message: Document, now_us: int) -> None:
        uplink = message["uplink_message"]
        known = self._locations(device)
        if known:
            uplink["locations"] = known
        self._publish_normalized(device.tenant, device.application, message, now_us)
        self._publish(device.tenant, device.application, "uplink_message", message, now_us)


def kind_of(message: Document) -> str:
    """Which of its fields an ApplicationUp is about."""
    return next(name for name in message if name in KINDS)


KINDS = frozenset(
    (
        "uplink_message", "uplink_normalized", "join_accept", "downlink_ack", "downlink_nack",
        "downlink_sent", "downlink_failed", "downlink_queued", "downlink_queue_invalidated",
        "location_solved", "service_data",
    )
)  # fmt: skip


def _encrypted(session: Document, payload: bytes) -> Document:
    """What is told instead of plain bytes."""
    told: Document = {"frm_payload": base64.b64encode(payload).decode()} if payload else {}
    told["app_s_key"] = session["keys"]["app_s_key"]
    last = session.get("last_a_f_cnt_down")
    return told | ({"last_a_f_cnt_down": last} if last else {})


def _application(tenant: str, ids: Document) -> str:
    application_id: str = ids["application_ids"]["application_id"]
    return f"{application_id}@{tenant}" if tenant else application_id


def _key(tenant: str, ids: Document) -> _Key:
    return tenant, ids["application_ids"]["application_id"], ids["device_id"]
