"""
What a run was asked to judge: profile, requirements, scope, waivers; from pytest's options.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from conformance.profiles import select_profile
from conformance.requirement import (
    PACKAGE,
    REQUIREMENTS,
    Catalogue,
    Requirement,
    catalogue,
    find_requirement,
)
from conformance.targets import Target, check_lacks, check_url, from_document, read_target
from conformance.waivers import Waiver, read_waivers
from scenarios.files import FileError

DEFAULT_PLATFORM = "thethings-io"
EMBEDDED = "http://127.0.0.1"  # until the embedded server tells its port


@dataclass(frozen=True)
class Choice:
    """
    What is judged.

    ``requirements`` are those of the run with the levels of its profile; ``selected`` tells why
    the scope is partial, or is None when it is full.
    """

    profile: str
    catalogue: Catalogue
    requirements: dict[str, Requirement]
    target: Target
    waivers: list[Waiver]
    selected: str | None
    only: tuple[str, ...] = ()

    @property
    def platform(self) -> str:
        """The platform of the profile."""
        return self.profile.partition("/")[0]

    @property
    def scope(self) -> str:
        """``full`` or ``partial``."""
        return "partial" if self.selected else "full"


def choose(config: pytest.Config) -> Choice:
    """
    Read everything the options name.

    Raises:
        FileError: a file or ``--url`` is wrong, or the target is of another platform.
        LookupError: unknown profile or requirement.
    """
    option = config.option
    known = catalogue(Path(option.rig_catalogue) if option.rig_catalogue else REQUIREMENTS)
    profile = option.rig_profile or _default_profile(known)
    of_profile = select_profile(profile, known)
    chosen = {each: _find(each, of_profile, known, profile) for each in option.rig_only}
    return Choice(
        profile=profile,
        catalogue=known,
        requirements=chosen or of_profile,
        target=_target(config, profile.partition("/")[0], known),
        waivers=read_waivers(option.rig_waivers, known) if option.rig_waivers else [],
        selected=_selected(config),
        only=tuple(option.rig_only),
    )


def _default_profile(known: Catalogue) -> str:
    platforms = {requirement.platform for requirement in known.values()}
    return DEFAULT_PLATFORM if DEFAULT_PLATFORM in platforms else min(platforms)


def _find(name: str, of_profile: Catalogue, known: Catalogue, profile: str) -> Requirement:
    requirement = find_requirement(name, known)
    if name not in of_profile:
        raise LookupError(
            f"expected a requirement of {profile}; got {name!r}, which is of {requirement.profile}"
        )
    return of_profile[name]


def _target(config: pytest.Config, platform: str, known: Catalogue) -> Target:
    path, url = config.option.rig_target, config.option.rig_url
    if path is None:
        if url is not None:
            check_url(url)
        document = {"platform": platform, "url": url or EMBEDDED}
        return from_document(document, kind="remote" if url else "embedded")
    target = read_target(path, url=url)
    if target.platform != platform:
        raise FileError(path, None, f"expected platform {platform!r}; got {target.platform!r}")
    check_lacks(target, {need for each in known.values() for need in each.needs}, path)
    return target


def _selected(config: pytest.Config) -> str | None:
    """Why not every test of the profile is run."""
    option = config.option
    if option.rig_only:
        return f"only {', '.join(option.rig_only)}"
    if option.keyword or option.markexpr or option.deselect:
        return "tests were selected by name or mark"
    if not option.rig_catalogue and not all(_is_whole(config, each) for each in config.args):
        return f"only {', '.join(config.args)}"
    return None


def _is_whole(config: pytest.Config, argument: str) -> bool:
    """Whether an argument names a platform's whole folder, or more."""
    name = argument.rstrip("/")
    if config.option.pyargs and name.split(".")[0] == PACKAGE.name:
        return name.count(".") <= 1
    path = Path(config.invocation_params.dir, name).resolve()
    return path == PACKAGE or path.parent == PACKAGE or path in PACKAGE.parents
