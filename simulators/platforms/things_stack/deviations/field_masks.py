"""Defects of field masks."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from simulators.platforms.effects import Answer
from simulators.platforms.things_stack.deviations.changes import (
    forgiven,
    on_error,
    renamed,
    with_member,
    with_query,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation, OnAnswer


def _first_only(answer: Answer) -> Answer:
    """Keep one of the forbidden paths."""

    def change(found: Answer, document: Any) -> Answer:
        attributes = document["details"][0]["attributes"]
        attributes["forbidden_paths"] = attributes["forbidden_paths"][:1]
        return replace(found, document=document)

    return on_error("pkg/rpcmiddleware/validator:field_mask_paths", change)(answer)


def _allowing(path: str) -> OnAnswer:
    """A forbidden path is taken for an allowed one."""

    def change(answer: Answer, document: Any) -> Answer:
        attributes = document["details"][0]["attributes"]
        others = [each for each in attributes["forbidden_paths"] if each != path]
        attributes["forbidden_paths"] = others
        return replace(answer, document=document) if others else replace(answer, status=200)

    return on_error("pkg/rpcmiddleware/validator:field_mask_paths", change)


DEVIATIONS: dict[str, Deviation] = {
    "forbidden-paths-first-only": Deviation(
        "Only the first forbidden path is told.",
        answer=_first_only,
    ),
    "repeated-paths-ignored": Deviation(
        "Repeated field_mask.paths are overlooked.",
        rpcs=("EndDeviceRegistry/Get",),
        before=with_query(lambda query: re.sub(r"field_mask\.paths=[^&]*&?", "", query)),
    ),
    "second-mask-ignored": Deviation(
        "Of two field masks the first counts.",
        rpcs=("EndDeviceRegistry/Get",),
        before=with_query(lambda query: "&".join(query.split("&")[:1])),
    ),
    "update-ids-not-forbidden": Deviation(
        "Identifiers may be in the mask of an update.",
        rpcs=("EndDeviceRegistry/Update",),
        answer=forgiven("pkg/rpcmiddleware/validator:field_mask_paths"),
    ),
    "servers-accept-all-paths": Deviation(
        "Forbidden paths are passed over by the three servers.",
        rpcs=("JsEndDeviceRegistry/Set", "NsEndDeviceRegistry/Set", "AsEndDeviceRegistry/Set"),
        answer=forgiven("pkg/rpcmiddleware/validator:field_mask_paths"),
    ),
    "non-zero-path-other-error": Deviation(
        "A parent with a forbidden child is refused with another error.",
        answer=renamed(
            "pkg/rpcmiddleware/validator:non_zero_path",
            "pkg/rpcmiddleware/validator:field_mask_paths",
        ),
    ),
    "token-before-mask": Deviation(
        "A request without a token is refused before its field mask is read.",
        rpcs=("GatewayRegistry/Get",),
        answer=lambda answer: (
            replace(answer, status=401)
            if answer.request.header(b"authorization") is None
            else answer
        ),
    ),
    "mask-ignored": Deviation(
        "A read answers all fields whatever the mask says.",
        rpcs=("UserRegistry/Get",),
        answer=with_member("somebody@example.com", "primary_email_address"),
    ),
    "identity-takes-frequency-plans": Deviation(
        "The Identity Server takes a device's frequency plan for a field of its own.",
        rpcs=tuple(f"EndDeviceRegistry/{call}" for call in ("Get", "List", "Update")),
        answer=_allowing("frequency_plan_id"),
    ),
}
