"""Miniatures: every deliberately wrong server is judged once, several at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance.miniature import Miniature, miniatures
from tests.miniatures.judging import Judged, judge, quick_choice, whole_choice

PLATFORMS = ("thethings-io", "things-stack")
AT_ONCE = 5
"""Servers at a time: most of a run is waiting, for streams above all."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--full-square``."""
    parser.addoption(
        "--full-square",
        action="store_true",
        help="judge each miniature by the profiles it breaks, not only by the endpoints",
    )


class Square:
    """Runs that were started together; each test waits for its own."""

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        folder: Path,
        wanted: Iterable[Miniature],
        platforms: Iterable[str],
        *,
        is_full: bool,
    ) -> None:
        self.is_full = is_full
        self.references = {
            platform: pool.submit(judge, platform, None, (), folder) for platform in platforms
        }
        choice = whole_choice if is_full else quick_choice
        self._runs = {
            each.name: pool.submit(judge, each.platform, each.name, choice(each), folder)
            for each in wanted
        }

    def judged(self, miniature: Miniature) -> Judged:
        """The run of one miniature."""
        return self._runs[miniature.name].result()


@pytest.fixture(scope="session")
def square(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Square]:
    """The reference and every miniature that this session asks for, started at once."""
    pool = ThreadPoolExecutor(AT_ONCE)
    is_full = request.config.getoption("--full-square", default=False)
    folder = tmp_path_factory.mktemp("miniatures")
    try:
        yield Square(
            pool,
            folder,
            wanted_by(request.session),
            references_wanted_by(request.session),
            is_full=is_full,
        )
    finally:
        pool.shutdown(cancel_futures=True)


def wanted_by(session: pytest.Session) -> list[Miniature]:
    """The miniatures of the tests that were selected."""
    calls = [getattr(item, "callspec", None) for item in session.items]
    named = {call.params["miniature"].name for call in calls if call and "miniature" in call.params}
    return [each for each in miniatures() if each.name in named]


def references_wanted_by(session: pytest.Session) -> list[str]:
    """The platforms whose unmodified server the selected tests ask for."""
    calls = [getattr(item, "callspec", None) for item in session.items]
    return [call.params["platform"] for call in calls if call and "platform" in call.params]
