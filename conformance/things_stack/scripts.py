"""
Scripts for devices: everything that waits for the radio runs at the same time.

A test names a script with ``@plays(script)`` and judges its record, the fixture ``record``. All
scripts of a module's tests run together in one event loop, once, when the first of them is judged.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from conformance.judge import Judge
from conformance.things_stack.lab import Lab, Stage

Script = Callable[..., Coroutine[Any, Any, Any]]
Key = tuple[Script, tuple[tuple[str, Any], ...]]
Result = TypeVar("Result")
LONGEST_S = 120.0


def plays(script: Script, **arguments: Any) -> pytest.MarkDecorator:
    """The test judges what this script records; test parameters of its names are added."""
    return pytest.mark.plays.with_args(script, **arguments)


@dataclass
class Played:
    """What became of a script: its record or why there is none, and what was on the air."""

    record: Any = None
    problem: BaseException | None = None
    frames: list[str] = field(default_factory=list)


class Loop:
    """An event loop in a thread of its own, so that gateways stay connected between modules."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="radio")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result], timeout_s: float = LONGEST_S) -> Result:
        """Wait for a coroutine."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        self._loop.close()


def key_of(item: Any) -> Key | None:
    """The script that a test judges, with its arguments."""
    mark = item.get_closest_marker("plays")
    if mark is None:
        return None
    given = getattr(item, "callspec", None)
    arguments = {**(given.params if given else {}), **mark.kwargs}
    return mark.args[0], tuple(sorted(arguments.items()))


async def play_all(lab: Lab, keys: list[Key]) -> dict[Key, Played]:
    """Every script at once; what goes wrong in one is its own tests' affair."""
    played = await asyncio.gather(*(_play(lab, key) for key in keys))
    return dict(zip(keys, played, strict=True))


async def _play(lab: Lab, key: Key) -> Played:
    script, arguments = key
    stage = Stage(lab)
    played = Played(frames=stage.frames)
    try:
        played.record = await script(stage, **dict(arguments))
    # A skip of pytest is no Exception; it is told to the tests, as everything else is.
    except BaseException as problem:
        if isinstance(problem, asyncio.CancelledError | KeyboardInterrupt):
            raise
        played.problem = problem
    finally:
        await stage.end()
    return played


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, lab: Lab, radio_loop: Loop) -> dict[Key, Played]:
    """What the scripts of this module's tests have recorded."""
    module = request.node
    found = [
        key_of(item) for item in request.session.items if item.getparent(pytest.Module) is module
    ]
    keys = list(dict.fromkeys(key for key in found if key is not None))
    lab.events.renew()
    return radio_loop.run(play_all(lab, keys))


@pytest.fixture
def record(
    request: pytest.FixtureRequest, played: dict[Key, Played], requirement: Judge
) -> Iterator[Any]:
    """The record of this test's script; why it has none ends the test."""
    key = key_of(request.node)
    assert key is not None, "a test that judges a record names its script with @plays"
    found = played[key]
    if found.problem is not None:
        raise found.problem
    yield found.record
    if requirement.checks:
        requirement.observe("frames", found.frames)


@pytest.fixture(scope="session")
def radio_loop() -> Iterator[Loop]:
    """The loop of this process."""
    loop = Loop()
    yield loop
    loop.close()
