"""Defects of the Join Server's devices."""

from __future__ import annotations

from msgspec.structs import replace

from simulators.platforms.effects import Answer
from simulators.platforms.things_stack.deviations.changes import (
    forgiven,
    renamed,
    with_error_status,
    with_member,
    with_query,
    without,
    without_attribute,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation, OnAnswer


def _once() -> OnAnswer:
    """Refuse what comes a second time in the same words."""
    known: set[bytes] = set()

    def changed(answer: Answer) -> Answer:
        body = answer.request.body
        if answer.status != 200 or body not in known:
            known.add(body)
            return answer
        return replace(answer, status=409)

    return changed


DEVIATIONS: dict[str, Deviation] = {
    "js-key-lower-case": Deviation(
        "Keys come back in lower case.",
        rpcs=("JsEndDeviceRegistry/Set", "JsEndDeviceRegistry/Get"),
        answer=with_member(lambda key: str(key).lower(), "root_keys", "app_key", "key"),
    ),
    "js-no-join-eui-other-error": Deviation(
        "A device without JoinEUI is refused with another error.",
        answer=renamed("pkg/joinserver:no_join_eui", "pkg/errors:validation"),
    ),
    "js-no-key-other-error": Deviation(
        "A key that is absent is refused with another error.",
        answer=renamed("pkg/joinserver:field_value", "pkg/errors:validation"),
    ),
    "js-second-put-409": Deviation(
        "The same device once more is refused.",
        rpcs=("JsEndDeviceRegistry/Set",),
        answer=_once(),
    ),
    "js-euis-changeable": Deviation(
        "EUIs can be changed.",
        answer=forgiven("pkg/joinserver/redis:read_only_field"),
    ),
    "js-euis-taken-400": Deviation(
        "A taken pair of EUIs is answered with status 400.",
        rpcs=("JsEndDeviceRegistry/Set",),
        answer=with_error_status("pkg/internal/registry:end_device_euis_taken", 400),
    ),
    "js-get-without-keys": Deviation(
        "Root keys cannot be read.",
        rpcs=("JsEndDeviceRegistry/Get",),
        answer=without("root_keys"),
    ),
    "js-unknown-other-error": Deviation(
        "An unknown device is told with another error by the Join Server.",
        answer=renamed("pkg/joinserver:device_not_found", "pkg/redis:not_found"),
    ),
    "js-missing-right-untold": Deviation(
        "The missing right is not told by the Join Server.",
        rpcs=("JsEndDeviceRegistry/Set",),
        answer=without_attribute("pkg/auth/rights:insufficient_application_rights", "missing"),
    ),
    "js-batch-first-only": Deviation(
        "Of several devices the first alone is deleted on the Join Server.",
        rpcs=("JsEndDeviceBatchRegistry/Delete",),
        before=with_query(lambda query: query.partition("&")[0]),
    ),
}
