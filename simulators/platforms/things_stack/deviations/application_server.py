"""Defects of the Application Server's registry."""

from __future__ import annotations

from msgspec.structs import replace

from simulators.platforms.effects import Answer
from simulators.platforms.things_stack.deviations.changes import (
    body_without,
    renamed,
    with_error_status,
    with_query,
    without,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation


def _renamed_absent(answer: Answer) -> Answer:
    """Another name for what is refused, unless a script is."""
    if len(answer.request.body) > 40_000:
        return answer
    return renamed("pkg/applicationserver:field_value", "pkg/errors:validation")(answer)


DEVIATIONS: dict[str, Deviation] = {
    "as-set-without-ids": Deviation(
        "A device is answered without its EUIs by the Application Server.",
        rpcs=("AsEndDeviceRegistry/Set",),
        answer=without("ids", "dev_eui"),
    ),
    "as-address-not-in-ids": Deviation(
        "The address of a session does not become that of the ids.",
        rpcs=("AsEndDeviceRegistry/Set", "AsEndDeviceRegistry/Get"),
        answer=without("ids", "dev_addr"),
    ),
    "as-absent-key-other-error": Deviation(
        "An absent session key is refused with another error.",
        rpcs=("AsEndDeviceRegistry/Set",),
        answer=_renamed_absent,
    ),
    "as-any-script": Deviation(
        "Scripts of any length are accepted.",
        rpcs=("AsEndDeviceRegistry/Set",),
        answer=lambda answer: (
            replace(answer, status=200) if len(answer.request.body) > 40_000 else answer
        ),
    ),
    "as-unknown-other-error": Deviation(
        "Reading an unknown device is told with another error by the Application Server.",
        rpcs=("AsEndDeviceRegistry/Get",),
        answer=renamed("pkg/redis:not_found", "pkg/applicationserver:device_not_found"),
    ),
    "as-link-not-read": Deviation(
        "The formatters of an application cannot be read.",
        rpcs=("As/GetLink",),
        answer=without("default_formatters"),
    ),
    "as-link-stats-empty": Deviation(
        "The statistics of a link are empty.",
        rpcs=("As/GetLinkStats",),
        answer=lambda answer: replace(answer, status=200, document={}),
    ),
    "as-batch-first-only": Deviation(
        "Of several devices the first alone is deleted on the Application Server.",
        rpcs=("AsEndDeviceBatchRegistry/Delete",),
        before=with_query(lambda query: query.partition("&")[0]),
    ),
    "as-any-address": Deviation(
        "The address of the ids need not be the session's.",
        rpcs=("AsEndDeviceRegistry/Set",),
        before=body_without("end_device", "ids", "dev_addr"),
    ),
    "as-other-eui-other-error": Deviation(
        "Another EUI of a device is refused with another error by the Application Server.",
        rpcs=("AsEndDeviceRegistry/Set",),
        answer=renamed("pkg/applicationserver/redis:read_only_field", "pkg/errors:validation"),
    ),
    "as-euis-taken-400": Deviation(
        "A taken pair of EUIs is answered with status 400 by the Application Server.",
        rpcs=("AsEndDeviceRegistry/Set",),
        answer=with_error_status("pkg/internal/registry:end_device_euis_taken", 400),
    ),
}
