"""Defects of activation, and of the API's root."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.thethings_io.deviations.changes import (
    answered,
    document_of,
    is_good,
    says,
    token_of,
    with_document,
    with_members,
    with_path,
    with_query,
    with_status,
)
from simulators.platforms.thethings_io.deviations.deviation import (
    Before,
    Deviation,
    OnAnswer,
)
from simulators.platforms.thethings_io.refusals import NO_CODE


def _longer_token(answer: Answer) -> Answer:
    if not isinstance(answer.document, dict) or "thingToken" not in answer.document:
        return answer
    token = answer.document["thingToken"] + "zz"
    return replace(answer, document={**answer.document, "thingToken": token})


def _shorter_again(request: Request) -> Request:
    path = with_path(lambda path: path.replace(token_of(request), token_of(request)[:43]))
    query = with_query(
        lambda query: {
            name: text[:43] if name == "thingToken" else text for name, text in query.items()
        }
    )
    is_long = len(token_of(request)) == 45 or "thingToken" in request.query
    return query(path(request)) if is_long else request


def _asleep() -> tuple[Before, OnAnswer]:
    """The first request with a token that an activation handed out is one of nobody."""
    fresh: set[str] = set()

    def before(request: Request) -> Request:
        token = token_of(request)
        if token not in fresh:
            return request
        fresh.discard(token)
        return replace(request, path=request.path.replace(token, "0" * 43))

    def answer(found: Answer) -> Answer:
        if isinstance(found.document, dict) and "thingToken" in found.document:
            fresh.add(found.document["thingToken"])
        return found

    return before, answer


_ASLEEP_BEFORE, _ASLEEP_ANSWER = _asleep()


def _same_thing() -> OnAnswer:
    """Every activation answers what the first one did."""
    first: list[object] = []

    def change(answer: Answer) -> Answer:
        if not is_good(answer):
            return answer
        first.append(answer.document)
        return replace(answer, document=first[0])

    return change


def _without_slash() -> Before:
    return with_path(lambda path: "/v2/nowhere" if path == "/v2/things/" else path)


def _no_code_is_fine(answer: Answer) -> Answer:
    document = document_of(answer.request)
    code = document.get("activationCode") if isinstance(document, dict) else None
    without = not isinstance(code, str)
    change: Callable[[Answer], Answer] = answered(200, {"status": "success"}, lambda _: without)
    return change(answer)


DEVIATIONS = {
    "root-200": Deviation(
        "The root answers with status 200.", ("TIO-PING",), answer=with_status(200, lambda _: True)
    ),
    "root-other-text": Deviation(
        "The root answers with another message.",
        ("TIO-PING",),
        answer=with_members(lambda _: True, message="Unauthorized"),
    ),
    "activate-200": Deviation(
        "An activation is answered with status 200.", ("TIO-ACT",), answer=with_status(200)
    ),
    "activate-success": Deviation(
        "An activation says success instead of created.",
        ("TIO-ACT",),
        answer=with_members(status="success"),
    ),
    "activate-long-token": Deviation(
        "Thing tokens have 45 characters.", before=_shorter_again, answer=_longer_token
    ),
    "activate-short-id": Deviation(
        "Thing ids have 20 characters.",
        ("TIO-ACT",),
        answer=with_document(lambda found: {**found, "thingId": found["thingId"][:20]}),
    ),
    "activate-other-text": Deviation(
        "An activation says welcome.", ("TIO-ACT",), answer=with_members(message="welcome")
    ),
    "activate-asleep": Deviation(
        "The first request with a new thing token is refused.",
        before=_ASLEEP_BEFORE,
        answer=_ASLEEP_ANSWER,
    ),
    "activate-unknown-404": Deviation(
        "An unknown code is answered with status 404.",
        ("TIO-ACT",),
        answer=with_status(404, says(NO_CODE)),
    ),
    "activate-unknown-text": Deviation(
        "An unknown code is answered with another message.",
        ("TIO-ACT",),
        answer=with_members(says(NO_CODE), message="no such code"),
    ),
    "activate-no-slash": Deviation(
        "The path of activation has no slash at its end.", before=_without_slash()
    ),
    "activate-without-code": Deviation(
        "An activation without a code is answered with status 200.",
        ("TIO-ACT",),
        answer=_no_code_is_fine,
    ),
    "activate-same-thing": Deviation(
        "Every activation hands out the same thing.", ("TIO-ACT",), answer=_same_thing()
    ),
}
