"""Defects of organizations."""

from __future__ import annotations

from simulators.platforms.things_stack.deviations.deviation import Deviation
from simulators.platforms.things_stack.deviations.entities import defects_of

DEVIATIONS: dict[str, Deviation] = defects_of("organization", "an")
