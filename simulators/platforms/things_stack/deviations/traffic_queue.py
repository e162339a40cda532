"""Defects of the downlink queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Request
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.changes import (
    forgiven,
    renamed,
    with_body,
    with_document,
    with_error_status,
    with_status,
)
from simulators.platforms.things_stack.deviations.deviation import Before, Deviation
from simulators.platforms.things_stack.deviations.hooks import without_event
from simulators.platforms.things_stack.errors import StackError

Document = dict[str, Any]
_PUSH, _LIST = ("AppAs/DownlinkQueuePush",), ("AppAs/DownlinkQueueList",)
_REPLACE = ("AppAs/DownlinkQueueReplace",)
_LONGEST = 242


def _items(change: Callable[[Document], Document]) -> Before:
    """The items of a push are taken for others."""

    def changed(document: Any) -> Any:
        return {**document, "downlinks": [change(each) for each in document.get("downlinks", [])]}

    return with_body(changed)


def _without(*names: str) -> Before:
    return _items(lambda item: {name: item[name] for name in item if name not in names})


def _default(name: str, value: Any) -> Before:
    return _items(lambda item: {name: value, **item})


def _instead(name: str, value: Any, other: Any) -> Before:
    return _items(lambda item: {**item, name: other} if item.get(name) == value else item)


def _counted_from_0(document: Any) -> Any:
    for item in document.get("downlinks", ()):
        item["f_cnt"] = item.get("f_cnt", 0) - 1
    return document


def _with_list(document: Any) -> Any:
    return {"downlinks": [], **document}


def _appended(request: Request) -> Request:
    """A replacement that holds something is a push."""
    if not orjson.loads(request.body or b"{}").get("downlinks"):
        return request
    return replace(request, path=request.path.removesuffix("replace") + "push")


def _lenient(request: Request) -> Request:
    return replace(request, body=request.body.replace(b",}", b"}"))


def _with_payload(item: Document) -> Document:
    has_payload = "frm_payload" in item or "decoded_payload" in item
    return item if has_payload else {**item, "frm_payload": "AA=="}


def _shortened(item: Document) -> Document:
    payload = item.get("frm_payload", "")
    return {**item, "frm_payload": payload[: _LONGEST // 3 * 4]}


def _encoded_as_nothing(item: Document) -> Document:
    if "decoded_payload" not in item:
        return item
    rest = {name: item[name] for name in item if name != "decoded_payload"}
    return {"frm_payload": "AA==", **rest}


def _as_replacement(request: Request) -> Request:
    return replace(request, path=request.path.removesuffix("push") + "replace")


def _on_port_1(document: Any) -> Any:
    for item in document.get("downlinks", ()):
        if item.get("f_port") == 7:
            item["f_port"] = 1
    return document


def _without_long(document: Any) -> Any:
    items = document.get("downlinks", [])
    short = [each for each in items if len(each.get("frm_payload", "")) <= _LONGEST // 3 * 4]
    return {**document, "downlinks": short} if len(items) > 1 else document


def _of_another_session(document: Any) -> Any:
    for item in document.get("downlinks", ()):
        item["session_key_id"] = "AAAA"
    return document


def _emptied(core: Core) -> None:
    network = core.stack.network
    replaced = network.replace

    def changed(
        tenant: str, application: str, device_id: str, items: list[Document], now_us: int
    ) -> None:
        try:
            replaced(tenant, application, device_id, items, now_us)
        except StackError:
            replaced(tenant, application, device_id, [], now_us)
            raise

    network.replace = changed  # type: ignore[method-assign]


DEVIATIONS: dict[str, Deviation] = {
    "queue-push-202": Deviation(
        "A push is answered with status 202.", rpcs=_PUSH, answer=with_status(202)
    ),
    "queue-priority-lost": Deviation(
        "Priorities of downlinks are lost.",
        rpcs=_PUSH,
        before=_items(
            lambda item: {**item, "priority": "LOWEST"} if item.get("priority") == "HIGH" else item
        ),
    ),
    "queue-empty-list": Deviation(
        "An empty queue is listed as an empty list.", rpcs=_LIST, answer=with_document(_with_list)
    ),
    "queue-counted-from-0": Deviation(
        "Queued downlinks are listed with counters from 0 on.",
        rpcs=_LIST,
        answer=with_document(_counted_from_0),
    ),
    "queue-correlation-lost": Deviation(
        "Correlation ids of a push are lost.", rpcs=_PUSH, before=_without("correlation_ids")
    ),
    "queue-replacement-appended": Deviation(
        "A replacement is added to the queue.", rpcs=_REPLACE, before=_appended
    ),
    "queue-trailing-comma": Deviation(
        "A comma after the last member is overlooked.", rpcs=_PUSH, before=_lenient
    ),
    "queue-default-port": Deviation(
        "A downlink without port gets port 1.", rpcs=_PUSH, before=_default("f_port", 1)
    ),
    "queue-port-224": Deviation(
        "Applications may use port 224.", rpcs=_PUSH, before=_instead("f_port", 224, 223)
    ),
    "queue-port-256": Deviation(
        "Ports over 255 are cut.", rpcs=_PUSH, before=_instead("f_port", 256, 255)
    ),
    "queue-default-payload": Deviation(
        "A downlink without payload gets one byte.", rpcs=_PUSH, before=_items(_with_payload)
    ),
    "queue-unknown-device-403": Deviation(
        "A downlink for an unknown device is answered with status 403.",
        rpcs=_PUSH,
        answer=with_error_status("pkg/applicationserver:device_not_found", 403),
    ),
    "queue-no-session-renamed": Deviation(
        "A downlink for a device without session is refused as if the device were unknown.",
        rpcs=_PUSH,
        answer=renamed(
            "pkg/applicationserver:no_device_session", "pkg/applicationserver:device_not_found"
        ),
    ),
    "queue-payload-cut": Deviation(
        "Payloads that are too long are cut.", rpcs=_PUSH, before=_items(_shortened)
    ),
    "queue-attempts-overlooked": Deviation(
        "confirmed_retry is overlooked.", rpcs=_PUSH, before=_without("confirmed_retry")
    ),
    "queue-time-overlooked": Deviation(
        "absolute_time is overlooked.", rpcs=_PUSH, before=_without("class_b_c")
    ),
    "queue-never-encodes": Deviation(
        "decoded_payload is sent as one zero byte.",
        rpcs=_PUSH,
        before=_items(_encoded_as_nothing),
    ),
    "queue-push-not-told": Deviation(
        "Applications are not told of queued downlinks.",
        setup=without_event("as.down.data.receive"),
    ),
    "queue-any-priority": Deviation(
        "Unknown priorities count as the lowest.",
        rpcs=_PUSH,
        before=_instead("priority", "URGENT", "LOWEST"),
    ),
    "queue-push-replaces": Deviation(
        "A push replaces what is queued.", rpcs=_PUSH, before=_as_replacement
    ),
    "queue-unencoded-taken": Deviation(
        "A downlink that cannot get a payload is accepted.",
        rpcs=_PUSH,
        answer=forgiven("pkg/applicationserver:no_payload"),
    ),
    "queue-encoded-port-lost": Deviation(
        "The port that an encoder gives is lost.", rpcs=_LIST, answer=with_document(_on_port_1)
    ),
    "queue-takes-the-good": Deviation(
        "Of several downlinks those that are too long are passed over.",
        rpcs=_PUSH,
        before=with_body(_without_long),
    ),
    "queue-multicast-confirmed": Deviation(
        "Downlinks to a device of multicast may be confirmed.",
        rpcs=_PUSH,
        answer=forgiven("pkg/networkserver:confirmed_multicast_downlink"),
    ),
    "queue-no-path-400": Deviation(
        "A downlink to a device of multicast without a way is answered with status 400.",
        rpcs=_PUSH,
        answer=with_error_status("pkg/networkserver:no_downlink_path", 400),
    ),
    "queue-full-400": Deviation(
        "A full queue is answered with status 400.",
        rpcs=_PUSH,
        answer=with_error_status("pkg/networkserver:downlink_queue_capacity", 400),
    ),
    "queue-of-another-session": Deviation(
        "Queued downlinks name another session.",
        rpcs=_LIST,
        answer=with_document(_of_another_session),
    ),
    "refused-replacement-empties": Deviation(
        "A replacement that is refused empties the queue.", setup=_emptied
    ),
}
