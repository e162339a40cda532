"""The calls that try a formatter on a message: nothing is sent or kept."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.application_server.formatters import Formatter
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.device_calls import application_of

Document = dict[str, Any]

_MADE_BY_DECODING = (
    "decoded_payload",
    "decoded_payload_warnings",
    "normalized_payload",
    "normalized_payload_warnings",
)
_NO_FORMATTER = "FORMATTER_NONE"


def decode_uplink(call: Call) -> Document:
    """An uplink with its values."""
    formatter, uplink = _asked(call), call.message["uplink"]
    plain = _without(uplink, _MADE_BY_DECODING)
    members = call.stack.application.formatters.uplink_members(call.request, formatter, plain)
    return {"uplink": plain | members}


def encode_downlink(call: Call) -> Document:
    """A downlink with its bytes."""
    formatter, downlink = _asked(call), call.message["downlink"]
    formatters = call.stack.application.formatters
    return {"downlink": downlink | formatters.encode_downlink(call.request, formatter, downlink)}


def decode_downlink(call: Call) -> Document:
    """A downlink with its values."""
    formatter, downlink = _asked(call), call.message["downlink"]
    plain = _without(downlink, _MADE_BY_DECODING)
    formatters = call.stack.application.formatters
    return {"downlink": plain | formatters.decode_downlink(call.request, formatter, plain)}


def _asked(call: Call) -> Formatter:
    message = call.message
    call.require_application(application_of(message["end_device_ids"]), "TRAFFIC_READ")
    kind = message.get("formatter", _NO_FORMATTER)
    return Formatter(kind, message.get("parameter", ""), message.get("version_ids", {}))


def _without(message: Document, names: tuple[str, ...]) -> Document:
    return {name: value for name, value in message.items() if name not in names}
