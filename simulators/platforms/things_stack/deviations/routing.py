"""Defects of what the HTTP gateway answers by itself."""

from __future__ import annotations

from simulators.platforms.things_stack.deviations.changes import with_document
from simulators.platforms.things_stack.deviations.deviation import Deviation

DEVIATIONS: dict[str, Deviation] = {
    "unknown-path-other-words": Deviation(
        "An unknown path is answered with another message.",
        answer=with_document(
            lambda found: {**found, "message": "nothing here"} if found.get("code") == 5 else found,
            status=404,
        ),
    ),
}
