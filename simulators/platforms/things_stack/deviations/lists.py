"""Defects of lists."""

from __future__ import annotations

import re

from msgspec.structs import replace

from simulators.platforms.effects import Answer
from simulators.platforms.things_stack.deviations.changes import (
    body_without,
    with_document,
    with_header,
    with_query,
    without_header,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation


def _by_id(plural: str, rpc: str) -> Deviation:
    return Deviation(
        f"{plural} are listed by id whatever they are ordered by.",
        rpcs=(rpc,),
        before=with_query(lambda query: re.sub(r"order=-?(name|created_at)\b", "", query)),
    )


def _without_eui(answer: Answer) -> Answer:
    if answer.status != 200 or not re.search(r"order=-?\w+_eui", answer.request.query):
        return answer
    return replace(answer, status=400, document={"code": 3, "message": "order"})


DEVIATIONS: dict[str, Deviation] = {
    "list-no-total": Deviation(
        "A list does not tell its total.",
        rpcs=("EndDeviceRegistry/List",),
        answer=without_header("X-Total-Count"),
    ),
    "pages-from-zero": Deviation(
        "Pages begin with 0.",
        rpcs=("EndDeviceRegistry/List",),
        before=with_query(
            lambda query: re.sub(r"page=(\d+)", lambda found: f"page={int(found[1]) + 1}", query)
        ),
    ),
    "last-page-repeated": Deviation(
        "Past its last page a list has an empty list in it.",
        rpcs=("EndDeviceRegistry/List",),
        answer=with_document(lambda found: found or {"end_devices": []}),
    ),
    "order-always-ascending": Deviation(
        "A minus before the field of an order is overlooked.",
        rpcs=("EndDeviceRegistry/List",),
        before=with_query(lambda query: query.replace("order=-", "order=")),
    ),
    "filter-empty": Deviation(
        "A list by filter is empty.",
        rpcs=("EndDeviceRegistry/List",),
        answer=lambda answer: (
            replace(answer, document={}) if answer.request.method == "POST" else answer
        ),
    ),
    "own-list-empty": Deviation(
        "The list of the caller's applications is empty.",
        rpcs=("ApplicationRegistry/List",),
        answer=lambda answer: (
            replace(answer, document={})
            if answer.request.path.endswith("v3/applications")
            else answer
        ),
    ),
    "key-lists-its-application": Deviation(
        "The list of applications is refused to an application's API key.",
        rpcs=("ApplicationRegistry/List",),
        answer=lambda answer: (
            replace(answer, status=403)
            if answer.document == {} and answer.request.path.endswith("v3/applications")
            else answer
        ),
    ),
    "filter-without-mask": Deviation(
        "A list by POST overlooks its field mask.",
        rpcs=("EndDeviceRegistry/List",),
        before=body_without("field_mask"),
    ),
    "filter-overlooked": Deviation(
        "A list by POST overlooks its filters.",
        rpcs=("EndDeviceRegistry/List",),
        before=body_without("filters"),
    ),
    "key-list-without-total": Deviation(
        "The list of API keys does not tell how many there are.",
        rpcs=("ApplicationAccess/ListAPIKeys",),
        answer=without_header("X-Total-Count"),
    ),
    "applications-by-id-only": _by_id("Applications", "ApplicationRegistry/List"),
    "gateways-by-id-only": _by_id("Gateways", "GatewayRegistry/List"),
    "devices-by-id-only": _by_id("Devices", "EndDeviceRegistry/List"),
    "keys-by-id-only": _by_id("API keys", "ApplicationAccess/ListAPIKeys"),
    "order-by-eui-refused": Deviation("Lists cannot be ordered by EUIs.", answer=_without_eui),
    "applications-counted-by-page": Deviation(
        "The total of a list of applications is that of its page.",
        rpcs=("ApplicationRegistry/List",),
        answer=with_header("X-Total-Count", "1"),
    ),
}
