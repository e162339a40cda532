"""Defects of authentication."""

from __future__ import annotations

from msgspec.structs import replace

from simulators.platforms.things_stack.deviations.changes import (
    forgiven,
    renamed,
    with_error_status,
    without,
    without_header,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation

DEVIATIONS: dict[str, Deviation] = {
    "anonymous-404": Deviation(
        "A read without a token is answered with status 404.",
        rpcs=("ApplicationRegistry/Get",),
        answer=lambda answer: (
            replace(answer, status=404)
            if answer.request.header(b"authorization") is None
            else answer
        ),
    ),
    "scheme-other-error": Deviation(
        "Another scheme is refused with another error.",
        answer=renamed(
            "pkg/identityserver:unsupported_authorization", "pkg/identityserver:unauthenticated"
        ),
    ),
    "malformed-token-401": Deviation(
        "A malformed token is answered with status 401.",
        answer=with_error_status("pkg/auth:token", 401),
    ),
    "unknown-key-403": Deviation(
        "An unknown API key is answered with status 403.",
        answer=with_error_status("pkg/identityserver:api_key_not_found", 403),
    ),
    "wrong-secret-accepted": Deviation(
        "A wrong secret is accepted.",
        answer=forgiven("pkg/identityserver:invalid_authorization"),
    ),
    "no-www-authenticate": Deviation(
        "Answers with status 401 lack WWW-Authenticate.",
        answer=without_header("WWW-Authenticate"),
    ),
    "anonymous-auth-info-401": Deviation(
        "Without a token auth_info is refused.",
        rpcs=("EntityAccess/AuthInfo",),
        answer=lambda answer: (
            replace(answer, status=401)
            if answer.request.header(b"authorization") is None
            else answer
        ),
    ),
    "auth-info-without-entity": Deviation(
        "auth_info does not tell whose the key is.",
        rpcs=("EntityAccess/AuthInfo",),
        answer=without("api_key", "entity_ids"),
    ),
    "administrator-untold": Deviation(
        "An administrator is not told so.",
        rpcs=("EntityAccess/AuthInfo",),
        answer=without("is_admin"),
    ),
}
