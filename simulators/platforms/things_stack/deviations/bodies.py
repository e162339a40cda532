"""Defects of how requests are read."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from simulators.platforms.effects import Request
from simulators.platforms.things_stack.deviations.changes import (
    document_of,
    in_base64,
    renamed,
    with_body,
    with_document,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation


def without_trailing_commas(request: Request) -> Request:
    """Read like a lenient parser."""
    return replace(request, body=re.sub(rb",\s*([}\]])", rb"\1", request.body))


def _filled(document: Any) -> Any:
    ids = document.get("end_device", {}).get("ids", {})
    ids["dev_eui"] = str(ids.get("dev_eui", "")).ljust(16, "0")[:16]
    return document


def _with_texts_alone(document: Any) -> Any:
    settings = document.get("end_device", {}).get("mac_settings", {})
    name = "factory_preset_frequencies"
    if name in settings:
        settings[name] = [each for each in settings[name] if isinstance(each, str)]
    return document


def _with_names_alone(document: Any) -> Any:
    formatters = document.get("end_device", {}).get("formatters", {})
    if isinstance(formatters.get("up_formatter"), int):
        del formatters["up_formatter"]
    return document


def _without_offset(document: Any) -> Any:
    if "expires_at" in document:
        document["expires_at"] = re.sub(r"[+-]\d\d:\d\d$", "Z", document["expires_at"])
    return document


DEVIATIONS: dict[str, Deviation] = {
    "broken-json-details": Deviation(
        "Broken JSON is refused with details.",
        answer=with_document(
            lambda found: (
                {**found, "details": [{"namespace": "json", "name": "syntax"}]}
                if "details" not in found
                else found
            ),
            status=400,
        ),
    ),
    "trailing-comma-accepted": Deviation(
        "A trailing comma is accepted.",
        rpcs=("AppAs/DownlinkQueuePush",),
        before=without_trailing_commas,
    ),
    "short-eui-accepted": Deviation(
        "A short DevEUI is filled up.",
        rpcs=("EndDeviceRegistry/Create",),
        before=with_body(_filled),
    ),
    "unknown-enum-500": Deviation(
        "An unknown name of an enumeration is an internal error.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=lambda answer: (
            replace(answer, status=500)
            if "details" not in document_of(answer) and answer.status == 400
            else answer
        ),
    ),
    "empty-body-other-error": Deviation(
        "An empty body is refused as another error.",
        rpcs=("ApplicationRegistry/Create",),
        answer=lambda answer: (
            renamed("pkg/errors:validation", "pkg/errors:empty_body")(answer)
            if not answer.request.body
            else answer
        ),
    ),
    "token-before-body": Deviation(
        "A request without a token is refused before its body is read.",
        rpcs=("EndDeviceRegistry/Create",),
        answer=lambda answer: (
            replace(answer, status=401)
            if answer.request.header(b"authorization") is None
            else answer
        ),
    ),
    "long-number-overlooked": Deviation(
        "Frequencies that are no texts are overlooked.",
        rpcs=("NsEndDeviceRegistry/Set",),
        before=with_body(_with_texts_alone),
    ),
    "enum-number-overlooked": Deviation(
        "A payload formatter that is told by its number is overlooked.",
        rpcs=("AsEndDeviceRegistry/Set",),
        before=with_body(_with_names_alone),
    ),
    "offset-overlooked": Deviation(
        "The offset of a time is overlooked.",
        rpcs=("ApplicationAccess/CreateAPIKey",),
        before=with_body(_without_offset),
    ),
    "reads-tell-base64": Deviation(
        "EUIs are read in base64.",
        rpcs=(
            "EndDeviceRegistry/Get",
            "JsEndDeviceRegistry/Get",
            "NsEndDeviceRegistry/Get",
            "AsEndDeviceRegistry/Get",
            "GatewayRegistry/Get",
        ),
        answer=in_base64("eui", "dev_eui", "join_eui"),
    ),
    "lists-tell-base64": Deviation(
        "EUIs are listed in base64.",
        rpcs=(
            "EndDeviceRegistry/List",
            "EndDeviceBatchRegistry/Get",
            "EndDeviceRegistrySearch/SearchEndDevices",
            "GatewayRegistry/List",
        ),
        answer=in_base64("eui", "dev_eui", "join_eui"),
    ),
}
