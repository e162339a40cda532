"""The same story told on both clocks: a SimPy process over memory, or over sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from simulators.clock import Clock, VirtualClock, WallClock
from simulators.transports.event_loop import new_event_loop

World = TypeVar("World")
Story = Callable[[World], Generator[Any, Any, None]]

LONGEST_S = 20.0


def on_virtual_clock(build: Callable[[VirtualClock], World], story: Story[World]) -> None:
    """Play a story to its end over memory."""
    clock = VirtualClock()
    told = clock.process(story(build(clock)))
    clock.play(LONGEST_S)
    assert told.triggered, "the story did not end"


def on_wall_clock(
    build: Callable[[WallClock, AsyncExitStack], Awaitable[World]], story: Story[World]
) -> None:
    """Play a story to its end over sockets; ``build`` tells the stack what is to be closed."""

    async def play() -> None:
        clock = WallClock()
        async with AsyncExitStack() as closing:
            world = await build(clock, closing)
            told = clock.process(_then_finish(clock, story(world)))
            await clock.play(LONGEST_S)
            assert told.triggered, "the story did not end"

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(play())


def until(clock: Clock, claim: Callable[[], bool]) -> Generator[Any, Any, None]:
    """Wait until something holds, for as long as a loaded machine may need."""
    for _ in range(1000):
        if claim():
            return
        yield clock.sleep(0.01)
    raise AssertionError("it never came about")


def _then_finish(clock: WallClock, story: Generator[Any, Any, None]) -> Generator[Any, Any, None]:
    yield from story
    clock.finish()
