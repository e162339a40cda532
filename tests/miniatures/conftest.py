"""Miniatures: every deliberately wrong server is judged once, several at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance.miniature import Miniature, miniatures
from tests.miniatures.judging import Judged, judge, quick_choice

AT_ONCE = 5
"""Servers at a time: most of a run is waiting, for streams above all."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--full-square``."""
    parser.addoption(
        "--full-square",
        action="store_true",
        help="judge each miniature by the whole profile, not only by the endpoint it breaks",
    )


class Square:
    """Runs that were started together; each test waits for its own."""

    def __init__(self, pool: ThreadPoolExecutor, folder: Path, *, is_full: bool) -> None:
        self.is_full = is_full
        self.reference = pool.submit(judge, None, (), folder)
        self._runs = {
            each.name: pool.submit(judge, each.name, () if is_full else quick_choice(each), folder)
            for each in miniatures()
        }

    def judged(self, miniature: Miniature) -> Judged:
        """The run of one miniature."""
        return self._runs[miniature.name].result()


@pytest.fixture(scope="session")
def square(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Square]:
    """The reference and every miniature that this session asks for, started at once."""
    pool = ThreadPoolExecutor(AT_ONCE)
    is_full = pytestconfig.getoption("--full-square", default=False)
    try:
        yield Square(pool, tmp_path_factory.mktemp("miniatures"), is_full=is_full)
    finally:
        pool.shutdown(cancel_futures=True)
