"""Defects of what the HTTP gateway answers by itself."""

from __future__ import annotations

from msgspec.structs import replace

from simulators.platforms.effects import Request
from simulators.platforms.things_stack.deviations.changes import renamed, with_document, with_status
from simulators.platforms.things_stack.deviations.deviation import Deviation


def _overridden(request: Request) -> Request:
    method = request.header(b"x-http-method-override")
    return replace(request, method=method) if method else request


DEVIATIONS: dict[str, Deviation] = {
    "unknown-path-other-words": Deviation(
        "An unknown path is answered with another message.",
        answer=with_document(
            lambda found: {**found, "message": "nothing here"} if found.get("code") == 5 else found,
            status=404,
        ),
    ),
    "wrong-method-404": Deviation(
        "A wrong method is answered as an unknown path.",
        answer=with_status(404, of=501),
    ),
    "unknown-api-other-error": Deviation(
        "A path outside /api/v3 is answered with another error.",
        answer=renamed("pkg/webhandlers:route_not_found", "pkg/webhandlers:not_found"),
    ),
    "unknown-query-refused": Deviation(
        "An unknown parameter of the query is refused.",
        rpcs=("EntityAccess/AuthInfo",),
        answer=lambda answer: replace(answer, status=400) if answer.request.query else answer,
    ),
    "method-overridden": Deviation(
        "X-HTTP-Method-Override changes the method.", before=_overridden
    ),
}
