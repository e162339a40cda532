"""Defects of collaborators."""

from __future__ import annotations

from msgspec.structs import replace

from simulators.platforms.things_stack.deviations.changes import renamed, with_document
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
}
