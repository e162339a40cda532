"""Defects of stored uplinks, in deployments that store some."""

from __future__ import annotations

from msgspec.structs import replace

from simulators.platforms.effects import Answer
from simulators.platforms.things_stack.deviations.changes import with_query, without
from simulators.platforms.things_stack.deviations.deviation import Deviation

_HOSTED = {"storage_integration": True}
_GET = ("ApplicationUpStorage/GetStoredApplicationUp",)


def _emptied(answer: Answer) -> Answer:
    return replace(answer, document=b"") if answer.status == 200 else answer


def _missing(answer: Answer) -> Answer:
    """Nothing stored is not found."""
    is_asked_with_an_end = "before=" in answer.request.query
    return replace(answer, status=404) if is_asked_with_an_end else answer


DEVIATIONS: dict[str, Deviation] = {
    "storage-keeps-nothing": Deviation(
        "Uplinks are not stored.", rpcs=_GET, policy=_HOSTED, answer=_emptied
    ),
    "storage-mask-overlooked": Deviation(
        "The field mask of stored uplinks is overlooked.",
        rpcs=_GET,
        policy=_HOSTED,
        before=with_query(
            lambda query: "&".join(
                each for each in query.split("&") if not each.startswith("field_mask")
            )
        ),
    ),
    "storage-counts-nothing": Deviation(
        "Stored uplinks are not counted.",
        rpcs=("ApplicationUpStorage/GetStoredApplicationUpCount",),
        policy=_HOSTED,
        answer=without("count"),
    ),
    "storage-nothing-404": Deviation(
        "Nothing stored is answered with status 404.", rpcs=_GET, policy=_HOSTED, answer=_missing
    ),
}
