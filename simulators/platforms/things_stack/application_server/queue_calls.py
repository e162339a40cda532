"""The calls with which applications push downlinks, replace their queue, and list it."""

from __future__ import annotations

from typing import Any

from simulators.platforms.scripting.worker import Job
from simulators.platforms.things_stack.application_server import queue_items
from simulators.platforms.things_stack.application_server.device import Device, has_key, key_id
from simulators.platforms.things_stack.application_server.downlinks import Operation
from simulators.platforms.things_stack.application_server.formatters import (
    Formatter,
    chosen,
    decode_job,
    encode_job,
)
from simulators.platforms.things_stack.application_server.sessions import (
    find_device,
    is_crypto_skipped,
)
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.device_calls import application_of
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.ulid import ulid

Document = dict[str, Any]


def push(call: Call) -> Document:
    """Put items behind those that wait."""
    return _asked(call, call.stack.network.push)


def replace(call: Call) -> Document:
    """Let nothing but these items wait; none at all empties the queue."""
    return _asked(call, call.stack.network.replace)


def _asked(call: Call, operation: Operation) -> Document:
    ids = call.message["end_device_ids"]
    call.require_application(application_of(ids), "TRAFFIC_DOWN_WRITE")
    change_queue(call, ids, call.message.get("downlinks", []), operation)
    return {}


def change_queue(call: Call, ids: Document, items: list[Document], operation: Operation) -> None:
    """
    Encode items, which may take a second try of the same call, and put them into the queue.

    Raises:
        StackError: why they are not there.
    """
    stack = call.stack
    device = find_device(stack, call.tenant, ids)
    own = f"as:downlink:{ulid(call.now_us, stack.rng)}"
    cleaned = queue_items.cleaned(items, [own, *call.correlation_ids])
    _run_scripts(call, device, cleaned)
    encoded = [_encoded(call, device, item) for item in cleaned]
    stack.application.downlinks.queue(device, encoded, operation, call.now_us)


def _run_scripts(call: Call, device: Device, items: list[Document]) -> None:
    """Have all scripts run that items need, before anything is told or changed."""
    link = call.stack.application.kept_link(device.application)
    formatter = chosen(device.document, link, "down_formatter")
    if formatter is not None:
        jobs = (_job(formatter, item) for item in items)
        formatters = call.stack.application.formatters
        formatters.ask(call.request, (job for job in jobs if job is not None))


def _job(formatter: Formatter, item: Document) -> Job | None:
    if "frm_payload" not in item:
        return encode_job(formatter, item)
    is_plain = "decoded_payload" not in item and "f_port" in item
    return decode_job(formatter, item) if is_plain else None


def _encoded(call: Call, device: Device, item: Document) -> Document:
    """An item with bytes and, as far as a formatter knows them, values."""
    if "frm_payload" in item:
        return item if "decoded_payload" in item else _decoded(call, device, item)
    if "decoded_payload" not in item:
        raise StackError("pkg/applicationserver:no_payload")
    link = call.stack.application.kept_link(device.application)
    formatter = chosen(device.document, link, "down_formatter")
    if formatter is None:
        return item
    formatters = call.stack.application.formatters
    try:
        more = formatters.encode_downlink(call.request, formatter, item)
    except StackError as error:
        _tell_failure(call, device, "encode", error)
        raise
    return _with_warnings(call, device, "encode", item, more)


def _decoded(call: Call, device: Device, item: Document) -> Document:
    """An item with its values, if there is a formatter; it does without when that fails."""
    link = call.stack.application.kept_link(device.application)
    formatter = chosen(device.document, link, "down_formatter")
    if formatter is None or "f_port" not in item:
        return item
    formatters = call.stack.application.formatters
    try:
        more = formatters.decode_downlink(call.request, formatter, item)
    except StackError as error:
        _tell_failure(call, device, "decode", error)
        return item
    return _with_warnings(call, device, "decode", item, more)


def _with_warnings(
    call: Call, device: Device, what: str, item: Document, more: Document
) -> Document:
    found = item | more
    if "decoded_payload_warnings" in more:
        call.publish(f"as.down.data.{what}.warning", {"device_ids": device.ids}, found)
    return found


def _tell_failure(call: Call, device: Device, what: str, error: StackError) -> None:
    details = call.stack.application.outputs.details(error)
    call.publish(f"as.down.data.{what}.fail", {"device_ids": device.ids}, details)


def list_queue(call: Call) -> Document:
    """What waits for the session that the device has, plain."""
    ids = call.message
    call.require_application(application_of(ids), "TRAFFIC_READ")
    stack = call.stack
    device = _stored(call, ids)
    application = call.uid(application_of(ids))
    items = stack.network.queue(call.tenant, application, ids["device_id"])
    if not items:
        return {}
    session = next(iter(device.sessions()), None)
    if session is None:
        raise StackError("pkg/applicationserver:no_device_session")
    own = [one for one in items if one.get("session_key_id", "") == key_id(session)]
    if not is_crypto_skipped(stack, device, session):
        if not has_key(session):
            raise StackError("pkg/applicationserver:no_app_s_key")
        plain = [queue_items.decrypted(stack, device, one) for one in own]
        _run_scripts(call, device, plain)
        own = [_decoded(call, device, one) for one in plain]
    return {"downlinks": own} if own else {}


def _stored(call: Call, ids: Document) -> Device:
    application = call.uid(application_of(ids))
    device = call.stack.application.devices.device(call.tenant, application, ids["device_id"])
    if device is None:
        raise StackError("pkg/redis:not_found")
    return device
