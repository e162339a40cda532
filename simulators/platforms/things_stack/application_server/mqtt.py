"""Where an MQTT client would connect to; nobody listens there."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.call import Call

Document = dict[str, Any]

_PORT, _TLS_PORT = 1883, 8883


def get_connection_info(call: Call) -> Document:
    """Addresses, and the name of the application as a user."""
    application_id = call.message["application_id"]
    call.require_application(application_id, "INFO")
    host = call.stack.policy.host
    return {
        "public_address": f"{host}:{_PORT}",
        "public_tls_address": f"{host}:{_TLS_PORT}",
        "username": call.uid(application_id),
    }
