"""Uplinks that a caller makes up: the application gets them as if a device had sent them."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.application_server.sessions import is_crypto_skipped
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.device_calls import application_of
from simulators.platforms.things_stack.errors import StackError

Document = dict[str, Any]


def simulate_uplink(call: Call) -> Document:
    """Pass a message on to the application; nothing else hears of it."""
    message = call.message
    ids = message["end_device_ids"]
    call.require_application(application_of(ids), "TRAFFIC_UP_WRITE")
    if message.get("simulated"):
        raise StackError("pkg/applicationserver/io/grpc:simulated")
    application = call.stack.application
    device = application.devices.device(
        call.tenant, call.uid(application_of(ids)), ids["device_id"]
    )
    if device is not None and is_crypto_skipped(call.stack, device, device.document.get("session")):
        raise StackError("pkg/applicationserver/io/grpc:payload_crypto_skipped")
    message["simulated"] = True
    message["correlation_ids"] = [*message.get("correlation_ids", ()), *call.correlation_ids]
    application.upstream.simulate(call.tenant, message, call.now_us)
    return {}
