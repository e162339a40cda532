"""Uplinks and joins on their way to the application: decrypted, decoded, completed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.application_server import joins, locations
from simulators.platforms.things_stack.application_server.device import Device
from simulators.platforms.things_stack.application_server.formatters import (
    Outcome,
    Then,
    formatter_of,
)
from simulators.platforms.things_stack.application_server.lanes import Lanes
from simulators.platforms.things_stack.application_server.sessions import (
    application_uid,
    find_device,
    is_crypto_skipped,
    matched,
)
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Up
from simulators.platforms.things_stack.ulid import ulid

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

_FIRST = ("session_key_id", "f_port", "f_cnt", "frm_payload")
_NOT_IN_NORMALIZED = (
    "decoded_payload", "decoded_payload_warnings", "normalized_payload", "packet_error_rate",
)  # fmt: skip


class Uplinks:
    """Takes them one by one."""

    def __init__(self, stack: Stack, lanes: Lanes) -> None:
        self._stack = stack
        self._lanes = lanes
        self.handlers = {"uplink_message": self._uplink, "join_accept": self._join_accept}

    def _uplink(self, up: Up, message: Document, now_us: int) -> None:
        stack, given = self._stack, up.message
        device = find_device(stack, up.tenant, up.ids)
        uplink: Document = {name: given[name] for name in _FIRST if name in given}
        cipher = device.plain_cipher(given.get("session_key_id", ""))
        is_skipped = False
        if cipher is None:
            session = self._session(device, up)
            cipher = device.cipher(session)
            is_skipped = cipher is None and is_crypto_skipped(stack, device, session)
            if is_skipped:
                uplink |= _encrypted(session, up.payload)
            elif cipher is None:
                raise StackError("pkg/applicationserver:no_app_s_key")
        message["uplink_message"] = uplink
        if cipher is not None and up.payload:
            plain = cipher.encrypt_payload(
                up.payload, given.get("f_cnt", 0), is_uplink=True, f_port=given["f_port"]
            )
            uplink["frm_payload"] = base64.b64encode(plain).decode()
        uplink.update(given)
        if is_skipped:
            self._forward(device, message, now_us)
        else:
            self._decode(
                device, message, lambda now_us: self._forward(device, message, now_us), now_us
            )

    def _session(self, device: Device, up: Up) -> Document:
        session = matched(self._stack, device, up.ids, up.message.get("session_key_id", ""))
        if "app_s_key" not in session.get("keys", ()):
            raise StackError("pkg/applicationserver:no_app_s_key")
        return session

    def simulated(self, tenant: str, message: Document, now_us: int) -> None:
        """Pass an uplink on that a caller made up: as it is, and decrypted already."""
        application = application_uid(tenant, message["end_device_ids"])
        device_id = message["end_device_ids"]["device_id"]
        device = self._stack.application.devices.device(tenant, application, device_id)
        if device is None:
            raise StackError("pkg/redis:not_found")
        found = device

        def forward(now_us: int) -> None:
            self._forward_simulated(found, message, now_us)

        self._decode(found, message, forward, now_us)

    def _decode(
        self, device: Device, up: Document, then: Callable[[int], None], now_us: int
    ) -> None:
        """Add what the device's formatter makes of an uplink, and go on."""
        uplink = up["uplink_message"]
        formatters = self._stack.application.formatters
        formatter = formatter_of(self._stack, device, uplink, "up_formatter")
        if formatter is None:
            then(now_us)
            return

        def start(go_on: Then) -> None:
            formatters.decode_uplink(formatter, uplink, go_on, now_us)

        def decoded(outcome: Outcome, now_us: int) -> None:
            self._add_decoded(device.tenant, up, outcome, now_us)
            then(now_us)

        self._lanes.hold(device.tenant, up["end_device_ids"], start, decoded)

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

    def _forward(self, device: Device, message: Document, now_us: int) -> None:
        """
        Publish an uplink and what it contains.

        What the registries know of the device is added to the uplink itself alone, as in the stack.
        """
        uplink = message["uplink_message"]
        self._publish_normalized(device.tenant, device.application, message, now_us)
        if "version_ids" in device.settings:
            uplink["version_ids"] = device.settings["version_ids"]
        known = self._locations(device)
        if known:
            uplink["locations"] = known
        if "decoded_payload" in uplink:
            self._publish_location(device, message, now_us)
        self._publish(device.tenant, device.application, "uplink_message", message, now_us)
        received_at = uplink.get("received_at", message["received_at"])
        self._stack.application.metadata.talked(device, message, received_at, now_us)

    def _locations(self, device: Device) -> Document:
        if device.locations is None:
            device.locations = self._stack.identity.locations(
                device.tenant, device.application_id, device.device_id
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
        metadata = self._stack.application.metadata
        metadata.located(device, more, {service: location}, now_us)

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
        received_at = str(up.message.get("received_at", message["received_at"]))
        self._stack.application.metadata.seen(device, received_at, now_us)

    def _forward_simulated(self, device: Device, message: Document, now_us: int) -> None:
        uplink = message["uplink_message"]
        known = self._locations(device)
        if known:
            uplink["locations"] = known
        self._publish_normalized(device.tenant, device.application, message, now_us)
        self._publish(device.tenant, device.application, "uplink_message", message, now_us)


def _encrypted(session: Document, payload: bytes) -> Document:
    """What is told instead of plain bytes."""
    told: Document = {"frm_payload": base64.b64encode(payload).decode()} if payload else {}
    told["app_s_key"] = session["keys"]["app_s_key"]
    last = session.get("last_a_f_cnt_down")
    return told | ({"last_a_f_cnt_down": last} if last else {})
