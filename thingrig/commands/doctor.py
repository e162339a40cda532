"""``thingrig doctor``: what is missing or clashing in this installation."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import click

import thingrig

PACKAGES = ("thingrig", "simulators", "scenarios", "conformance", "reports")
TOOLS = {
    "curl": "repeats the exchanges of a certificate",
    "tshark": "reads the captures that trace pcap writes",
    "wrk": "used by the benchmarks",
    "nginx": "used by the benchmarks",
}


class Finding(NamedTuple):
    """One line; ``is_problem`` makes the exit code 1."""

    words: str
    is_problem: bool = False


@click.command("doctor")
def command() -> None:
    """Look at this installation; exit code 1 when something clashes or is missing."""
    findings = [*_versions(), *_dependencies(), *_clashes(), *_places(), *_speed(), *_tools()]
    for finding in findings:
        click.echo(f"{'problem' if finding.is_problem else 'ok     '}  {finding.words}")
    raise SystemExit(any(finding.is_problem for finding in findings))


def _versions() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(f"thingrig {thingrig.__version__} on Python {version}")
    yield Finding(f"interpreter {sys.executable}")


def _dependencies() -> Iterator[Finding]:
    """Every requirement of the distribution that holds here, with its version."""
    try:
        needed = metadata.requires("thingrig") or []
    except metadata.PackageNotFoundError:
        yield Finding("thingrig is not installed: install it with pip", is_problem=True)
        return
    for line in sorted(needed, key=str.lower):
        name, _, marker = line.partition(";")
        if "extra ==" in marker or ("win32" in marker and sys.platform == "win32"):
            continue
        yield _dependency(name.strip())


def _dependency(requirement: str) -> Finding:
    end = min((requirement.find(sign) for sign in "<>=!~[ " if sign in requirement), default=None)
    name = requirement[:end]
    try:
        return Finding(f"{name} {metadata.version(name)} (wanted: {requirement})")
    except metadata.PackageNotFoundError:
        return Finding(f"{name} is missing (wanted: {requirement})", is_problem=True)


def _clashes() -> Iterator[Finding]:
    """Our package names are plain words; another distribution may own one of them too."""
    owners = metadata.packages_distributions()
    for package in PACKAGES:
        others = sorted(set(owners.get(package, [])) - {"thingrig"})
        if others:
            words = f"the package {package} also belongs to {', '.join(others)}"
            yield Finding(f"{words}: use a virtual environment of its own", is_problem=True)
        else:
            yield Finding(f"the package {package} belongs to thingrig alone")


def _places() -> Iterator[Finding]:
    """All five packages must come from one place."""
    ours = Path(thingrig.__file__).resolve().parent.parent
    for package in PACKAGES:
        spec = find_spec(package)
        place = Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
        if place != ours:
            words = f"the package {package} is found in {place}, expected in {ours}"
            yield Finding(words, is_problem=True)


def _speed() -> Iterator[Finding]:
    if find_spec("uvloop"):
        yield Finding("uvloop is used by servers and fleets")
    else:
        yield Finding("uvloop is not installed: servers and fleets are slower")


def _tools() -> Iterator[Finding]:
    for tool, use in TOOLS.items():
        place = shutil.which(tool)
        yield Finding(f"{tool} at {place}" if place else f"{tool} is not installed ({use})")
