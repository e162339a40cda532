"""Defects of looking up a resource, of servers that remember what was written."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.thethings_io.deviations.changes import (
    answered,
    items_of,
    key_of,
    says,
    token_of,
)
from simulators.platforms.thethings_io.deviations.deviation import Before, Deviation, OnAnswer
from simulators.platforms.thethings_io.refusals import NO_RESOURCE

BOTH = ("TIO-WR", "TIO-RD")


def _written(request: Request) -> list[tuple[str, str]]:
    """Token and key of every value of a write."""
    token, items = token_of(request), items_of(request)
    return [(token, str(item.get("key"))) for item in items if isinstance(item, dict)]


def _by_beginning() -> Before:
    """A key that was never written brings the rows of one that begins with it."""
    known: dict[tuple[str, str], None] = {}

    def before(request: Request) -> Request:
        known.update(dict.fromkeys(_written(request)))
        asked = token_of(request), key_of(request)
        if request.method != "GET" or asked in known:
            return request
        longer = (key for token, key in known if token == asked[0] and key.startswith(asked[1]))
        path = request.path.removesuffix(asked[1]) + next(longer, asked[1])
        return replace(request, path=path)

    return before


def _known_elsewhere() -> tuple[Before, OnAnswer]:
    """A key that only another thing wrote has no rows."""
    known: set[tuple[str, str]] = set()

    def before(request: Request) -> Request:
        known.update(_written(request))
        return request

    def is_elsewhere(answer: Answer) -> bool:
        here, key = token_of(answer.request), key_of(answer.request)
        return says(NO_RESOURCE)(answer) and any(
            token != here and name == key for token, name in known
        )

    return before, answered(200, [], is_elsewhere)


def _no_old_rows() -> Before:
    """Of a resource with more than 1000 rows those before an endDate are gone."""
    rows: Counter[tuple[str, str]] = Counter()

    def before(request: Request) -> Request:
        rows.update(_written(request))
        asked = token_of(request), key_of(request)
        if request.method != "GET" or rows[asked] <= 1000 or "endDate" not in request.query:
            return request
        return replace(request, query="endDate=19700101000000")

    return before


_ELSEWHERE_BEFORE, _ELSEWHERE_ANSWER = _known_elsewhere()

DEVIATIONS = {
    "read-by-beginning": Deviation(
        "A key that was never written brings the rows of one that begins with it.",
        BOTH,
        before=_by_beginning(),
    ),
    "read-known-elsewhere": Deviation(
        "A key that only another thing wrote is answered with no rows.",
        BOTH,
        before=_ELSEWHERE_BEFORE,
        answer=_ELSEWHERE_ANSWER,
    ),
    "read-forgets-old-rows": Deviation(
        "Of a resource with more than 1000 rows those before an endDate are gone.",
        BOTH,
        before=_no_old_rows(),
    ),
}
