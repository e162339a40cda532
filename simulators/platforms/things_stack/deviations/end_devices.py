"""Defects of end devices on the Identity Server."""

from __future__ import annotations

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.things_stack.deviations.changes import (
    document_of,
    forgiven,
    renamed,
    with_document,
    with_query,
    with_time_of_creation,
    without,
    without_attribute,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation, OnAnswer

JOINED = "8000000000000001"


def _with_join_eui(answer: Answer) -> Answer:
    if answer.status != 200:
        return answer
    document = document_of(answer)
    document["ids"].setdefault("join_eui", JOINED)
    return replace(answer, document=document)


def _without_zero_join_eui(answer: Answer) -> Answer:
    if answer.status != 200:
        return answer
    document = document_of(answer)
    if document["ids"].get("join_eui") == "0" * 16:
        del document["ids"]["join_eui"]
    return replace(answer, document=document)


def _second_refused() -> OnAnswer:
    """Refuse what brings a DevEUI that an earlier answer told, when neither has a JoinEUI."""
    known: set[str] = set()

    def changed(answer: Answer) -> Answer:
        ids = document_of(answer).get("ids", {}) if answer.status == 200 else {}
        if "dev_eui" not in ids or "join_eui" in ids:
            return answer
        if ids["dev_eui"] in known:
            return replace(answer, status=409)
        known.add(ids["dev_eui"])
        return answer

    return changed


def _with_all_given(answer: Answer) -> Answer:
    """What the request says of a device and the answer does not."""
    if answer.status != 200:
        return answer
    given = orjson.loads(answer.request.body).get("end_device", {})
    return replace(answer, document=given | document_of(answer))


def _as_read(request: Request) -> Request:
    return replace(request, method="GET")


DEVIATIONS: dict[str, Deviation] = {
    "create-minds-the-mask": Deviation(
        "The field mask of a creation is heeded.",
        rpcs=("EndDeviceRegistry/Create",),
        answer=without("join_server_address"),
    ),
    "abp-gets-join-eui": Deviation(
        "A device without JoinEUI gets one.",
        rpcs=("EndDeviceRegistry/Create",),
        answer=_with_join_eui,
    ),
    "get-without-locations": Deviation(
        "A read leaves the locations out.",
        rpcs=("EndDeviceRegistry/Get",),
        answer=without("locations"),
    ),
    "tenant-get-without-locations": Deviation(
        "A read in a tenant leaves the locations out.",
        policy={"tenants": ("tenant1",)},
        rpcs=("EndDeviceRegistry/Get",),
        answer=without("locations"),
    ),
    "device-id-taken-other-error": Deviation(
        "A taken device id is refused with another error.",
        rpcs=("EndDeviceRegistry/Create",),
        answer=renamed("pkg/util/store:id_taken", "pkg/identityserver:device_exists"),
    ),
    "euis-taken-unnamed": Deviation(
        "A taken pair of EUIs does not name the other device.",
        answer=without_attribute("pkg/identityserver:end_device_euis_taken", "device_id"),
    ),
    "dev-eui-unique": Deviation(
        "A DevEUI is unique without JoinEUI too.",
        rpcs=("EndDeviceRegistry/Create",),
        answer=_second_refused(),
    ),
    "device-update-answers-empty": Deviation(
        "The update of a device answers no field.",
        rpcs=("EndDeviceRegistry/Update",),
        answer=without("description"),
    ),
    "device-not-deleted": Deviation(
        "A deletion of a device is answered but not done.",
        rpcs=("EndDeviceRegistry/Delete",),
        before=_as_read,
        answer=with_document(lambda found: {}),
    ),
    "device-not-found-other-error": Deviation(
        "An unknown device is told with another error.",
        answer=renamed(
            "pkg/identityserver/store:end_device_not_found", "pkg/identityserver/store:not_found"
        ),
    ),
    "batch-get-empty": Deviation(
        "Several devices cannot be read at once.",
        rpcs=("EndDeviceBatchRegistry/Get",),
        answer=with_document(lambda found: {}),
    ),
    "batch-delete-first-only": Deviation(
        "Of several devices the first alone is deleted.",
        rpcs=("EndDeviceBatchRegistry/Delete",),
        before=with_query(lambda query: query.partition("&")[0]),
    ),
    "address-mismatch-other-error": Deviation(
        "Another server address is refused with another error.",
        answer=renamed(
            "pkg/identityserver:network_server_address_mismatch", "pkg/errors:validation"
        ),
    ),
    "zero-join-eui-dropped": Deviation(
        "A JoinEUI of zeros is left out of answers.",
        rpcs=("EndDeviceRegistry/Create",),
        answer=_without_zero_join_eui,
    ),
    "search-finds-all": Deviation(
        "A search finds every device.",
        rpcs=("EndDeviceRegistrySearch/SearchEndDevices",),
        before=with_query(lambda query: ""),
    ),
    "batch-of-any-size": Deviation(
        "Any number of devices can be deleted at once.",
        rpcs=("EndDeviceBatchRegistry/Delete",),
        answer=forgiven("pkg/errors:validation"),
    ),
    "device-update-keeps-time": Deviation(
        "An update of a device is told with the time of the creation.",
        rpcs=("EndDeviceRegistry/Update",),
        answer=with_document(with_time_of_creation),
    ),
    "identity-keeps-all-fields": Deviation(
        "The Identity Server keeps fields of the other servers.",
        rpcs=("EndDeviceRegistry/Create",),
        answer=_with_all_given,
    ),
    "search-by-id-alone": Deviation(
        "Searches look at ids alone.",
        rpcs=("EndDeviceRegistrySearch/SearchEndDevices",),
        before=with_query(
            lambda query: "&".join(each for each in query.split("&") if each.startswith("id_"))
        ),
    ),
}
