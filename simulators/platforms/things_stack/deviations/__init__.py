"""
Servers that are wrong on purpose, each in one named way; a deviation knows no requirement.

Every module of this package may hold ``DEVIATIONS: dict[str, Deviation]``; ``list_deviations``
collects them.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from simulators.platforms.things_stack.deviations.deviation import DeviatingCore, Deviation

__all__ = ["DeviatingCore", "Deviation", "list_deviations"]


@cache
def list_deviations() -> dict[str, Deviation]:
    """
    Every deviation by its name.

    Raises:
        ValueError: two modules use the same name.
    """
    found: dict[str, Deviation] = {}
    for module in pkgutil.iter_modules(__path__):
        entries = getattr(importlib.import_module(f"{__name__}.{module.name}"), "DEVIATIONS", {})
        twice = sorted(found.keys() & entries.keys())
        if twice:
            raise ValueError(f"expected a name for one deviation; got {twice[0]!r} twice")
        found.update(entries)
    return found
