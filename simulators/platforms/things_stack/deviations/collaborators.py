"""Defects of collaborators."""

from __future__ import annotations

from msgspec.structs import replace

from simulators.platforms.things_stack.deviations.changes import (
    forgiven,
    renamed,
    with_document,
    with_status,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation

DEVIATIONS: dict[str, Deviation] = {
    "creator-not-listed": Deviation(
        "The list of collaborators is empty.",
        rpcs=("ApplicationAccess/ListCollaborators",),
        answer=with_document(lambda found: {}),
    ),
    "collaborator-not-found-other-error": Deviation(
        "An unknown collaborator is told with another error.",
        answer=renamed("pkg/identityserver/store:membership_not_found", "pkg/redis:not_found"),
    ),
    "collaborator-delete-plural": Deviation(
        "A collaborator of an application cannot be removed by DELETE.",
        rpcs=("ApplicationAccess/DeleteCollaborator",),
        answer=lambda answer: (
            replace(answer, status=404) if "organization/" in answer.request.path else answer
        ),
    ),
    "last-collaborator-removed": Deviation(
        "The last collaborator can be removed.",
        rpcs=("ApplicationAccess/DeleteCollaborator",),
        answer=lambda answer: (
            replace(answer, status=200, document={}) if answer.status == 400 else answer
        ),
    ),
    "gateway-collaborator-not-removed": Deviation(
        "A collaborator of a gateway cannot be removed by DELETE.",
        rpcs=("GatewayAccess/DeleteCollaborator",),
        answer=with_status(404),
    ),
    "collaborator-any-right": Deviation(
        "A collaborator can be given any right.",
        rpcs=("ApplicationAccess/SetCollaborator",),
        answer=forgiven("pkg/auth/rights:insufficient_application_rights"),
    ),
    "contact-anybody": Deviation(
        "Anybody can become a contact.",
        rpcs=("ApplicationRegistry/Update",),
        answer=forgiven("pkg/identityserver:contact_no_collaborator"),
    ),
    "organization-key-without-rights": Deviation(
        "An organization's key has no right on what the organization collaborates on.",
        rpcs=("ApplicationAccess/ListRights",),
        answer=with_document(
            lambda found: {} if found.get("rights") == ["RIGHT_APPLICATION_INFO"] else found
        ),
    ),
}
