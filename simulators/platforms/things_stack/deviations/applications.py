"""Defects of applications."""

from __future__ import annotations

from typing import Any

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.things_stack.deviations.changes import (
    body_without,
    document_of,
    forgiven,
    renamed,
    with_body,
    with_document,
    with_error_status,
    with_member,
    with_status,
    with_time_of_creation,
    without,
    without_header,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation, OnAnswer
from simulators.platforms.things_stack.deviations.entities import restores_of


def _as_user(contact: Any) -> Any:
    """An organization taken for a user."""
    organization = (contact or {}).get("organization_ids", {}).get("organization_id")
    return {"user_ids": {"user_id": organization}} if organization else contact


def _unforgetting() -> OnAnswer:
    """List all applications that were deleted as well."""
    gone: list[Any] = []

    def listed(found: Any) -> Any:
        return {**found, "applications": [*found.get("applications", ()), *gone]}

    def changed(answer: Answer) -> Answer:
        if answer.request.method == "DELETE":
            gone.append({"ids": {"application_id": answer.request.path.rpartition("/")[2]}})
            return answer
        return with_document(listed)(answer)

    return changed


def _with_living() -> OnAnswer:
    """List all applications among the deleted ones."""
    made: list[Any] = []

    def changed(answer: Answer) -> Answer:
        if answer.request.method == "POST":
            made.append({"ids": document_of(answer).get("ids", {})})
            return answer
        if "deleted=" not in answer.request.query:
            return answer
        return with_document(
            lambda found: {"applications": [*found.get("applications", ()), *made]}
        )(answer)

    return changed


def _to_id_of_the_body(request: Request) -> Request:
    try:
        document = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return request
    named = document.get("application", {}).get("ids", {}).get("application_id")
    path = f"{request.path.rpartition('/')[0]}/{named}"
    return replace(request, path=path) if named else request


def _without_absent_paths(document: Any) -> Any:
    mask = document.get("field_mask")
    if isinstance(mask, dict) and "paths" in mask:
        given = document.get("application", {})
        mask["paths"] = [path for path in mask["paths"] if path.partition(".")[0] in given]
    return document


DEVIATIONS: dict[str, Deviation] = {
    **restores_of("application"),
    "application-without-contact": Deviation(
        "A created application is answered without its technical contact.",
        rpcs=("ApplicationRegistry/Create",),
        answer=without("technical_contact"),
    ),
    "id-taken-400": Deviation(
        "A taken id is answered with status 400.",
        rpcs=("ApplicationRegistry/Create",),
        answer=with_error_status("pkg/util/store:id_taken", 400),
    ),
    "camel-case-not-read": Deviation(
        "Names in lowerCamelCase are not read.",
        rpcs=("ApplicationRegistry/Create",),
        before=body_without("application", "networkServerAddress"),
    ),
    "update-answers-empty": Deviation(
        "An update answers no field.",
        rpcs=("ApplicationRegistry/Update",),
        answer=without("name"),
    ),
    "no-mask-is-all": Deviation(
        "An update without field mask changes the name.",
        rpcs=("ApplicationRegistry/Update",),
        before=with_body(lambda found: {"field_mask": {"paths": ["name"]}, **found}),
    ),
    "text-mask-ignored": Deviation(
        "A field mask as text is overlooked.",
        rpcs=("ApplicationRegistry/Update",),
        before=with_body(
            lambda found: {
                name: value
                for name, value in found.items()
                if name != "field_mask" or not isinstance(value, str)
            }
        ),
    ),
    "delete-answers-message": Deviation(
        "A deletion is answered with a message.",
        rpcs=("ApplicationRegistry/Delete",),
        answer=with_member("gone", "message"),
    ),
    "deleted-id-other-error": Deviation(
        "The id of a deleted application is refused with another error.",
        rpcs=("ApplicationRegistry/Create",),
        answer=renamed("pkg/util/store:id_taken", "pkg/util/store:id_deleted"),
    ),
    "restore-refused": Deviation(
        "A deleted application cannot be restored.",
        rpcs=("ApplicationRegistry/Restore",),
        answer=with_status(400),
    ),
    "has-devices-412": Deviation(
        "An application with devices is refused with status 412.",
        answer=with_error_status("pkg/identityserver:application_has_devices", 412),
    ),
    "purge-keeps-id": Deviation(
        "A purge is answered but frees nothing.",
        rpcs=("ApplicationRegistry/Purge",),
        before=lambda request: replace(request, path=request.path.removesuffix("/purge")),
    ),
    "anybody-is-asked-to-purge": Deviation(
        "A purge by somebody else is refused with another error.",
        answer=renamed(
            "pkg/identityserver:admins_purge_applications",
            "pkg/auth/rights:insufficient_application_rights",
        ),
    ),
    "unknown-application-other-error": Deviation(
        "An unknown application is told with another error.",
        answer=renamed(
            "pkg/identityserver/store:application_not_found", "pkg/identityserver/store:not_found"
        ),
    ),
    "reserved-id-other-error": Deviation(
        "A reserved word is refused with another error.",
        answer=renamed("pkg/identityserver/blocklist:forbidden_id", "pkg/errors:validation"),
    ),
    "organization-contact-is-user": Deviation(
        "The contact of an organization's application is a user.",
        rpcs=("ApplicationRegistry/Create",),
        answer=with_member(_as_user, "administrative_contact"),
    ),
    "long-values-accepted": Deviation(
        "Values that are too long are refused with another error.",
        rpcs=("ApplicationRegistry/Create",),
        answer=renamed("pkg/errors:validation", "pkg/errors:too_long"),
    ),
    "short-dev-eui-issued": Deviation(
        "An issued DevEUI is short.",
        rpcs=("ApplicationRegistry/IssueDevEUI",),
        answer=with_member(lambda eui: str(eui)[:8], "dev_eui"),
    ),
    "application-update-keeps-time": Deviation(
        "An update is told with the time of the creation.",
        rpcs=("ApplicationRegistry/Update", "ApplicationRegistry/Get"),
        answer=with_document(with_time_of_creation),
    ),
    "deleted-applications-listed": Deviation(
        "Deleted applications stay in lists.",
        rpcs=("ApplicationRegistry/Delete", "ApplicationRegistry/List"),
        answer=_unforgetting(),
    ),
    "update-id-of-the-body": Deviation(
        "The id of the body counts.",
        rpcs=("ApplicationRegistry/Update",),
        before=_to_id_of_the_body,
    ),
    "contact-info-unwarned": Deviation(
        "An update of contact_info is not warned about.",
        rpcs=("ApplicationRegistry/Update",),
        answer=without_header("X-Warning"),
    ),
    "application-with-devices-purged": Deviation(
        "An application with devices can be purged.",
        rpcs=("ApplicationRegistry/Purge",),
        answer=forgiven("pkg/identityserver:application_has_devices"),
    ),
    "live-applications-listed-as-deleted": Deviation(
        "A list of deleted applications holds the others as well.",
        rpcs=("ApplicationRegistry/Create", "ApplicationRegistry/List"),
        answer=_with_living(),
    ),
    "restore-of-the-living": Deviation(
        "An application that is not deleted is restored all the same.",
        rpcs=("ApplicationRegistry/Restore",),
        answer=with_status(200, of=404),
    ),
    "absent-field-stays": Deviation(
        "A masked field that is absent stays as it was.",
        rpcs=("ApplicationRegistry/Update",),
        before=with_body(_without_absent_paths),
    ),
}
