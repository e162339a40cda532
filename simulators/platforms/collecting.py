"""The deviations of a platform, gathered from the modules of a package: a new one is a new file."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any


def collected(package: ModuleType) -> dict[str, Any]:
    """
    Every entry of a ``DEVIATIONS`` in a module of ``package``, by its name.

    Raises:
        ValueError: two modules use the same name.
    """
    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(package.__path__):
        name = f"{package.__name__}.{module.name}"
        entries = getattr(importlib.import_module(name), "DEVIATIONS", {})
        twice = sorted(found.keys() & entries.keys())
        if twice:
            raise ValueError(f"expected a name for one deviation; got {twice[0]!r} twice")
        found.update(entries)
    return found
