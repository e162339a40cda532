"""Defects of headers."""

from __future__ import annotations

from typing import Any

import orjson
from msgspec.structs import replace

from simulators.platforms.things_stack.deviations.changes import (
    document_of,
    with_header,
    without_header,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation
from simulators.platforms.things_stack.framing import HEADERS
from simulators.platforms.things_stack.policy import RateLimit


def _without(name: str) -> dict[str, Any]:
    """Framing without one of the headers that every answer has."""
    return {"headers": tuple(each for each in HEADERS if each[0] != name)}


DEVIATIONS: dict[str, Deviation] = {
    "request-id-not-echoed": Deviation(
        "The X-Request-Id of a request is not told again.",
        answer=with_header("X-Request-Id", "01JZZZZZZZZZZZZZZZZZZZZZZZ"),
    ),
    "no-request-id": Deviation(
        "Answers lack X-Request-Id.",
        answer=without_header("X-Request-Id"),
    ),
    "plain-text-answers": Deviation(
        "Answers are of type text/plain.",
        rpcs=("EntityAccess/AuthInfo",),
        answer=lambda answer: replace(
            answer, document=orjson.dumps(document_of(answer)), content_type="text/plain"
        ),
    ),
    "rate-limit-words": Deviation(
        "The rate limit headers hold words.",
        policy={"rate_limit": RateLimit(per_minute=600_000, burst=600_000)},
        answer=with_header("X-Rate-Limit-Available", "many"),
    ),
    "http-1-0-refused": Deviation(
        "HTTP 1.0 is answered with status 505.",
        answer=lambda answer: replace(answer, status=505) if answer.request.is_http_1_0 else answer,
    ),
    "preflight-without-headers": Deviation(
        "A browser that asks first is not told which headers it may send.",
        framing={"preflight": (("Access-Control-Allow-Methods", "GET, POST, PUT"),)},
    ),
    "answers-sniffed": Deviation(
        "Answers may be taken for anything.", framing=_without("X-Content-Type-Options")
    ),
    "answers-stored": Deviation("Answers may be stored.", framing=_without("Cache-Control")),
    "origins-shut-out": Deviation(
        "Other origins may not read answers.", framing=_without("Access-Control-Allow-Origin")
    ),
}
