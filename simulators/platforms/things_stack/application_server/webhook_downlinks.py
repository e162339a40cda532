"""What webhooks give back: downlinks in their own form, to addresses that they were told."""

from __future__ import annotations

from typing import Any

import orjson

from simulators.platforms.effects import NOT_GIVEN, Answer, Effects
from simulators.platforms.things_stack.application_server import formats
from simulators.platforms.things_stack.application_server.downlinks import Operation
from simulators.platforms.things_stack.application_server.queue_calls import change_queue
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.schema import message
from simulators.platforms.things_stack.validation import validate

Document = dict[str, Any]

_DOWNLINKS = message("ApplicationDownlinks")
_NOT_ACCEPTABLE = 406


def push(call: Call) -> Effects:
    """Put items behind those that wait."""
    return _asked(call, call.stack.network.push)


def replace(call: Call) -> Effects:
    """Let nothing but these items wait."""
    return _asked(call, call.stack.network.replace)


def _asked(call: Call, operation: Operation) -> Effects:
    ids = call.message["end_device_ids"]
    application_id = ids["application_ids"]["application_id"]
    call.require_application(application_id, "TRAFFIC_DOWN_WRITE")
    webhooks = call.stack.application.webhooks
    webhook = webhooks.find(call.uid(application_id), call.message["webhook_id"])
    if webhook is None:
        raise StackError("pkg/applicationserver/io/web:webhook_not_found")
    if webhook.get("paused"):
        return [Answer(call.request, _NOT_ACCEPTABLE)]
    change_queue(call, ids, _items(call, webhook), operation)
    return [Answer(call.request, 200)]


def _items(call: Call, webhook: Document) -> list[Document]:
    """
    The items of a body.

    Raises:
        StackError: ``decode_body`` or ``validate_body``.
    """
    items = formats.of(webhook.get("format", "")).to_downlinks(_body(call))
    invalid = validate(_DOWNLINKS, {"downlinks": items}, {}, unix_us=call.now_us)
    if invalid is not None:
        cause = invalid.error()
        raise StackError("pkg/applicationserver/io/web:validate_body", cause=cause)
    return items


def _body(call: Call) -> bytes:
    request = call.request
    return request.body if request.document is NOT_GIVEN else orjson.dumps(request.document)
