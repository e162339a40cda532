"""
Servers that are wrong on purpose, each in one named way; a deviation knows no requirement.

Every module of this package may hold ``DEVIATIONS: dict[str, Deviation]``; ``list_deviations``
collects them.
"""

from __future__ import annotations

import sys
from functools import cache

from simulators.platforms.collecting import collected
from simulators.platforms.thethings_io.deviations.deviation import DeviatingCore, Deviation

__all__ = ["DeviatingCore", "Deviation", "list_deviations"]


@cache
def list_deviations() -> dict[str, Deviation]:
    """Every deviation by its name; see ``collected``."""
    return collected(sys.modules[__name__])
