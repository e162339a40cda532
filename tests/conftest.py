"""For all tests of the project: on a build server nothing is skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """
    A skip becomes a failure where ``CI`` is set.

    On a desk a missing browser or curl skips a test; on a build server the tools are there, and a
    skip would hide that something went unproven.
    """
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped on a build server: {report.longrepr}"
    return report
