"""
The pytest plugin: options, the marker ``requirement``, and a run from header to footer.

It acts when pytest is asked for the tests in this package (or for a catalogue with
``--catalogue``); for everything else it does nothing.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

import pytest

from conformance.requirement import PACKAGE

OPTIONS: tuple[tuple[str, str, str], ...] = (
    ("--target", "FILE", "target file; without it the embedded reference server is judged"),
    ("--url", "URL", "replaces the target file's url"),
    ("--profile", "PROFILE", "a platform or a part of it, such as thethings-io/device"),
    ("--waivers", "FILE", "accepted deviations"),
    ("--out", "DIR", "output folder (default: out/<time>-<profile>)"),
    ("--prefix", "TEXT", "begins every key the run creates (default: random)"),
    ("--catalogue", "DIR", "requirements to judge by instead of the built-in ones"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a conformance run."""
    group = parser.getgroup("conformance", "ThingRig conformance")
    for name, metavar, words in OPTIONS:
        group.addoption(name, metavar=metavar, help=words, dest=f"rig_{name[2:]}")
    group.addoption(
        "--only", metavar="ID", action="append", default=[], dest="rig_only",
        help="judge this requirement only; may be repeated",
    )  # fmt: skip
    group.addoption("--lifeline", type=int, dest="rig_lifeline", help=argparse.SUPPRESS)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; join the run if it concerns us."""
    config.addinivalue_line("markers", "requirement(id, …): the sentences this test judges")
    config.addinivalue_line("markers", "plays(script, …): the script whose record a test judges")
    if not is_concerned(config):
        return
    # Only now, so that the fixtures' names stay free for other tests.
    from conformance import fixtures
    from conformance.platforms import plugins
    from conformance.session import Controller, Worker

    config.pluginmanager.register(fixtures, "conformance-fixtures")
    for name in plugins():
        config.pluginmanager.register(importlib.import_module(name), name)
    is_worker = hasattr(config, "workerinput")
    config.pluginmanager.register(
        Worker(config) if is_worker else Controller(config), "conformance-session"
    )


def is_concerned(config: pytest.Config) -> bool:
    """Whether this pytest run was asked for conformance tests."""
    if config.option.rig_catalogue:
        return True
    return any(_is_ours(config, argument) for argument in config.args)


def _is_ours(config: pytest.Config, argument: str) -> bool:
    name = argument.partition("::")[0]
    if config.option.pyargs and name.split(".")[0] == PACKAGE.name:
        return True
    path = Path(config.invocation_params.dir, name).resolve()
    return path == PACKAGE or PACKAGE in path.parents or path in PACKAGE.parents
