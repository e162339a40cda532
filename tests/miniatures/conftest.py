"""Miniatures: every deliberately wrong server is judged once, several at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from conformance.miniature import Miniature, miniatures
from tests.miniatures.judging import Judged, Workshop, quick_choice, rough_seconds, whole_choice

PLATFORMS = ("thethings-io", "things-stack")
AT_ONCE = 8
"""Servers at a time: most of a long run is waiting, for streams and radio windows above all."""


Job = tuple[str, str | None, tuple[str, ...]]
"""Platform, deviation or none, the requirements (all of the platform when empty)."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--full-square``."""
    parser.addoption(
        "--full-square",
        action="store_true",
        help="judge each miniature by the profiles it breaks, not only by the endpoints",
    )


class Square:
    """
    Runs that were started together, the longest first; each test waits for its own.

    A platform's unmodified server is judged by all that its miniatures are judged by, or by
    everything when a test wants that.
    """

    def __init__(
        self, folder: Path, wanted: Iterable[Miniature], whole: Iterable[str], *, is_full: bool
    ) -> None:
        self.is_full = is_full
        self._folder = folder
        self._resources = ExitStack()
        choice = whole_choice if is_full else quick_choice
        jobs: list[Job] = [(each.platform, each.name, choice(each)) for each in wanted]
        platforms = dict.fromkeys([*whole, *(platform for platform, _, _ in jobs)])
        union = {
            platform: () if platform in whole else _union(jobs, platform) for platform in platforms
        }
        jobs.sort(key=lambda job: rough_seconds(job[0], job[2]), reverse=True)
        self._start([(platform, None, only) for platform, only in union.items()] + jobs)

    def _start(self, jobs: list[Job]) -> None:
        number = min(AT_ONCE, len(jobs))
        self._free: SimpleQueue[Workshop] = SimpleQueue()
        for _ in range(number):
            self._free.put(self._resources.enter_context(Workshop()))
        pool = ThreadPoolExecutor(number)
        self._resources.callback(pool.shutdown, cancel_futures=True)
        self._runs: dict[tuple[str, str | None], Future[Judged]] = {
            job[:2]: pool.submit(self._judge, *job) for job in jobs
        }

    def _judge(self, platform: str, deviation: str | None, only: tuple[str, ...]) -> Judged:
        workshop = self._free.get()
        try:
            return workshop.judge(platform, deviation, only, self._folder)
        finally:
            self._free.put(workshop)

    def reference(self, platform: str) -> Judged:
        """The run of a platform's unmodified server."""
        return self._runs[platform, None].result()

    def judged(self, miniature: Miniature) -> Judged:
        """The run of one miniature."""
        return self._runs[miniature.platform, miniature.name].result()

    def close(self) -> None:
        """Begin nothing more, and end when what has begun is over."""
        self._resources.close()


def _union(jobs: list[Job], wanted: str) -> tuple[str, ...]:
    chosen = (only for platform, _, only in jobs if platform == wanted)
    return tuple(dict.fromkeys(name for only in chosen for name in only))


@pytest.fixture(scope="session")
def square(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Square]:
    """The reference and every miniature that this session asks for, started at once."""
    is_full = request.config.getoption("--full-square", default=False)
    folder = tmp_path_factory.mktemp("miniatures")
    found = Square(
        folder, wanted_by(request.session), whole_wanted_by(request.session), is_full=is_full
    )
    yield found
    found.close()


def wanted_by(session: pytest.Session) -> list[Miniature]:
    """The miniatures of the tests that were selected."""
    named = {each.name for each in _parameters(session, "miniature")}
    return [each for each in miniatures() if each.name in named]


def whole_wanted_by(session: pytest.Session) -> list[str]:
    """The platforms whose unmodified server a selected test wants judged by everything."""
    return _parameters(session, "platform")


def _parameters(session: pytest.Session, name: str) -> list[Any]:
    calls = [getattr(item, "callspec", None) for item in session.items]
    return [call.params[name] for call in calls if call and name in call.params]
