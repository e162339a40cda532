"""Defects of API keys and rights."""

from __future__ import annotations

from msgspec.structs import replace

from simulators.platforms.things_stack.deviations.changes import (
    body_without,
    forgiven,
    renamed,
    with_document,
    with_member,
    with_status,
    without,
    without_attribute,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation

DEVIATIONS: dict[str, Deviation] = {
    "key-without-id": Deviation(
        "A new API key is told without its id.",
        rpcs=("ApplicationAccess/CreateAPIKey",),
        answer=without("id"),
    ),
    "key-list-with-secrets": Deviation(
        "The list of API keys tells secrets.",
        rpcs=("ApplicationAccess/ListAPIKeys",),
        answer=with_document(
            lambda found: {
                "api_keys": [{**each, "key": "NNSXS.A.B"} for each in found.get("api_keys", ())]
            }
        ),
    ),
    "rights-too-many": Deviation(
        "The rights of a key are those of its user.",
        rpcs=("ApplicationAccess/ListRights",),
        answer=with_member(lambda rights: [*(rights or ()), "RIGHT_APPLICATION_DELETE"], "rights"),
    ),
    "missing-right-untold": Deviation(
        "The missing right of an update is not told.",
        rpcs=("ApplicationRegistry/Update",),
        answer=without_attribute("pkg/auth/rights:insufficient_application_rights", "missing"),
    ),
    "other-application-401": Deviation(
        "A key of another application is answered with status 401.",
        rpcs=("EndDeviceRegistry/List",),
        answer=with_status(401, of=403),
    ),
    "key-any-right": Deviation(
        "Any right can be given.",
        rpcs=("ApplicationAccess/CreateAPIKey",),
        answer=forgiven("pkg/auth/rights:insufficient_application_rights"),
    ),
    "key-past-end-accepted": Deviation(
        "A key may have an end in the past.",
        rpcs=("ApplicationAccess/CreateAPIKey",),
        before=body_without("expires_at"),
    ),
    "key-without-rights-refused": Deviation(
        "A key cannot be updated to no rights.",
        rpcs=("ApplicationAccess/UpdateAPIKey",),
        answer=lambda answer: replace(answer, status=400) if answer.document == {} else answer,
    ),
    "key-not-deleted": Deviation(
        "A deletion of a key is answered but not done.",
        rpcs=("ApplicationAccess/DeleteAPIKey",),
        before=lambda request: replace(request, method="GET"),
        answer=with_document(lambda found: {}),
    ),
    "expired-key-other-error": Deviation(
        "An expired key is refused with another error.",
        answer=renamed(
            "pkg/identityserver:api_key_expired", "pkg/identityserver:api_key_not_found"
        ),
    ),
    "unknown-key-id-other-error": Deviation(
        "An unknown key id is told with another error.",
        rpcs=("ApplicationAccess/GetAPIKey",),
        answer=renamed("pkg/identityserver/store:api_key_not_found", "pkg/redis:not_found"),
    ),
    "gateway-key-without-rights": Deviation(
        "A new key of a gateway is told without its rights.",
        rpcs=("GatewayAccess/CreateAPIKey",),
        answer=without("rights"),
    ),
    "organization-key-with-secret": Deviation(
        "A read of an organization's key tells a secret.",
        rpcs=("OrganizationAccess/GetAPIKey",),
        answer=with_member("NNSXS.A.B", "key"),
    ),
    "user-key-not-deleted": Deviation(
        "A user's key cannot be deleted.",
        rpcs=("UserAccess/DeleteAPIKey",),
        answer=with_status(404),
    ),
    "key-update-without-mask": Deviation(
        "The mask of a key's update is overlooked.",
        rpcs=("ApplicationAccess/UpdateAPIKey",),
        before=body_without("field_mask"),
    ),
    "given-right-untold": Deviation(
        "A right that cannot be given is not told.",
        rpcs=("ApplicationAccess/CreateAPIKey",),
        answer=without_attribute("pkg/auth/rights:insufficient_application_rights", "missing"),
    ),
    "key-right-taken": Deviation(
        "Any right can be taken from a key.",
        rpcs=("ApplicationAccess/UpdateAPIKey",),
        answer=forgiven("pkg/auth/rights:insufficient_application_rights"),
    ),
    "strangers-rights-refused": Deviation(
        "Who has no rights is not told so.",
        rpcs=("ApplicationAccess/ListRights",),
        answer=lambda answer: replace(answer, status=403) if answer.document == {} else answer,
    ),
    "all-rights-in-one": Deviation(
        "The right to everything is told by its name alone.",
        rpcs=("ApplicationAccess/ListRights",),
        answer=with_document(
            lambda found: (
                {"rights": ["RIGHT_APPLICATION_ALL"]} if len(found.get("rights", ())) > 2 else found
            )
        ),
    ),
    "key-end-cut": Deviation(
        "The end of a key is told in whole seconds.",
        rpcs=("ApplicationAccess/CreateAPIKey", "ApplicationAccess/GetAPIKey"),
        answer=with_document(
            lambda found: (
                {**found, "expires_at": f"{found['expires_at'][:19]}Z"}
                if "expires_at" in found
                else found
            )
        ),
    ),
    "key-never-ends": Deviation(
        "An end that an API key gets by an update is overlooked.",
        rpcs=("ApplicationAccess/UpdateAPIKey",),
        before=body_without("api_key", "expires_at"),
    ),
}
