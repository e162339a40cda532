"""Defects of applications."""

from __future__ import annotations

from simulators.platforms.things_stack.deviations.changes import without
from simulators.platforms.things_stack.deviations.deviation import Deviation

DEVIATIONS: dict[str, Deviation] = {
    "application-without-contact": Deviation(
        "A created application is answered without its technical contact.",
        rpcs=("ApplicationRegistry/Create",),
        answer=without("technical_contact"),
    ),
}
