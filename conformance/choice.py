"""
What a run was asked to judge: profile, requirements, scope, waivers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conformance.profiles import select_profile
from conformance.requirement import (
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
# The address of the embedded server, until it tells its port.
EMBEDDED = "http://127.0.0.1"  # until the embedded server tells its port


@dataclass(frozen=True)
class Options:
    """
    What the user wrote.

    ``selected`` tells why the scope is partial although ``only`` is empty.
    """

    profile: str | None = None
    target: str | None = None
    url: str | None = None
    only: tuple[str, ...] = ()
    waivers: str | None = None
    catalogue: str | None = None
    selected: str | None = None


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
    has_file: bool = False

    @property
    def platform(self) -> str:
        """The platform of the profile."""
        return self.profile.partition("/")[0]

    @property
    def scope(self) -> str:
        """``full`` or ``partial``."""
        return "partial" if self.selected else "full"


def choose(options: Options) -> Choice:
    """
    Read everything the options name.

    Raises:
        FileError: a file or ``--url`` is wrong, or the target is of another platform.
        LookupError: unknown profile or requirement.
    """
    known = catalogue(Path(options.catalogue) if options.catalogue else REQUIREMENTS)
    profile = options.profile or _default_profile(known)
    of_profile = select_profile(profile, known)
    chosen = {each: _find(each, of_profile, known, profile) for each in options.only}
    return Choice(
        profile=profile,
        catalogue=known,
        requirements=chosen or of_profile,
        target=_target(options, profile.partition("/")[0], known),
        waivers=read_waivers(options.waivers, known) if options.waivers else [],
        selected=f"only {', '.join(options.only)}" if options.only else options.selected,
        only=options.only,
        has_file=options.target is not None,
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


def _target(options: Options, platform: str, known: Catalogue) -> Target:
    path, url = options.target, options.url
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
