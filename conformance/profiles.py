"""
Profiles: a platform (``thethings-io``), or a part of it (``thethings-io/device``).

The catalogue decides which profiles exist; there is no second list to keep.
"""

from __future__ import annotations

from dataclasses import replace

from conformance.requirement import Catalogue, Requirement
from scenarios.mistakes import nearest


def profiles(known: Catalogue) -> list[str]:
    """Every name that ``certify`` takes: platforms first, then their parts."""
    parts = sorted({requirement.profile for requirement in known.values()})
    return sorted({part.partition("/")[0] for part in parts}) + parts


def select_profile(profile: str, known: Catalogue) -> dict[str, Requirement]:
    """
    The requirements of a profile, by id.

    A part that is asked for by name may hold stricter levels than within its platform.

    Raises:
        LookupError: no such profile; the message names the nearest one.
    """
    names = profiles(known)
    if profile not in names:
        choices = ", ".join(names)
        raise LookupError(
            f"expected a profile ({choices}); got {profile!r}{nearest(profile, names)}"
        )
    if "/" not in profile:
        return {key: found for key, found in known.items() if found.platform == profile}
    return {key: _as_named(found) for key, found in known.items() if found.profile == profile}


def _as_named(requirement: Requirement) -> Requirement:
    return replace(requirement, level=requirement.level_when_named or requirement.level)
