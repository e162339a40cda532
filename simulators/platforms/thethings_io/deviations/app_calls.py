"""Defects of permissions, and of calls in general."""

from __future__ import annotations

from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.deviations.app import (
    APP,
    INSIDE,
    segments,
    session_token,
    with_session,
)
from simulators.platforms.thethings_io.deviations.changes import (
    answered,
    as_text,
    is_bad,
    is_good,
    with_document,
    with_members,
)
from simulators.platforms.thethings_io.deviations.deviation import Deviation, Setup
from simulators.platforms.thethings_io.rights import GET, POST
from simulators.platforms.thethings_io.sessions import Session

ENTER = ("TIO-REG", "TIO-LOGIN")
CALLS = (*ENTER, *APP)


def _everybody(flags: int) -> Setup:
    """Everybody has a right to every thing that belongs to somebody."""

    def setup(core: Core) -> None:
        rights_of = core.rights.of

        def of(session: Session, thing: int, resource: str) -> int:
            is_somebodys = core.rights.owner(thing) is not None
            return rights_of(session, thing, resource) | (flags if is_somebodys else 0)

        core.rights.of = of  # type: ignore[method-assign]

    return setup


def _as_owner(request: Request) -> Request:
    """A description of somebody else's thing is put for its owner."""
    owner = INSIDE.owner_session(segments(request)[-1])
    is_known = INSIDE.is_session(session_token(request))
    return with_session(request, owner) if owner and is_known else request


def _strict_slashes(request: Request) -> Request:
    return replace(request, path="/v2/nowhere/at/all") if "//" in request.path else request


def _typed(request: Request) -> Request:
    return request if request.header(b"content-type") else replace(request, body=b"")


def _failing(answer: Answer) -> Answer:
    """What is no JSON makes the server fail."""
    is_broken = is_bad(answer) and "JSON" in str(answer.document.get("message"))
    return answered(500, {"status": "error", "message": "oops"}, lambda _: is_broken)(answer)


DEVIATIONS = {
    "foreign-read": Deviation("Everybody reads every thing.", setup=_everybody(GET)),
    "foreign-write": Deviation("Everybody writes to every thing.", setup=_everybody(POST)),
    "foreign-description": Deviation(
        "Everybody describes every thing.", ("TIO-MEDESC",), setup=INSIDE.take, before=_as_owner
    ),
    "app-error-text": Deviation(
        "The message of an error of login and register has another name.",
        ENTER,
        answer=with_document(
            lambda document: {"status": "error", "error": document["message"]}, is_bad
        ),
    ),
    "app-error-code": Deviation(
        "The code of an app's error is always 400.", CALLS, answer=with_members(is_bad, code=400)
    ),
    "app-fails": Deviation(
        "A body that is no object makes the server fail.", CALLS, answer=_failing
    ),
    "app-two-documents": Deviation(
        "The list of resources is followed by another document.",
        ("TIO-MERES",),
        answer=as_text("application/json", is_good, end=b"{}"),
    ),
    "app-one-slash": Deviation(
        "A doubled slash in the path of an app's call is not found.",
        CALLS,
        before=_strict_slashes,
    ),
    "app-typed": Deviation(
        "The body of an app's call without a Content-Type is not looked at.", CALLS, before=_typed
    ),
}
