"""The platforms that can be judged; each module of this package holds one ``PLATFORM``."""

from __future__ import annotations

import importlib
import pkgutil

from conformance.platforms.platform import Platform

__all__ = ["Platform", "find_platform", "plugins"]


def find_platform(name: str) -> Platform:
    """What is known of a platform, by its name on the command line."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    found: Platform = module.PLATFORM
    return found


def plugins() -> list[str]:
    """The modules with the fixtures of all platforms."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name != "platform"]
    return [plugin for name in names for plugin in find_platform(name).plugins]
