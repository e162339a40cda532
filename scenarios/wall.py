"""A scenario on the wall clock, against a platform behind sockets."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

from scenarios.engine import Access, Progress
from scenarios.model import Scenario
from scenarios.run import Run, Stage
from simulators.clock import MICROSECONDS, WallClock
from simulators.devices.device import Steps
from simulators.transports.http import TransportError
from simulators.transports.sockets import SocketTransport

READING_S = 600.0  # the longest that reading back may take
HELLO_S = 30.0


class UnreachableError(Exception):
    """The platform gave no answer before the scenario began: no judgement is possible."""


@dataclass(frozen=True)
class Target:
    """A platform behind sockets."""

    url: str
    access: Access
    ssl_context: ssl.SSLContext | None = None
    max_requests_per_s: float | None = None

    def transport(self, clock: WallClock) -> SocketTransport:
        """Sockets to it."""
        return SocketTransport(
            clock,
            self.url,
            ssl_context=self.ssl_context,
            max_requests_per_s=self.max_requests_per_s,
        )


async def play_wall(
    scenario: Scenario,
    target: Target,
    *,
    trace: BinaryIO | None = None,
    progress: Progress | None = None,
) -> Run:
    """
    Play in real time against a platform; cancelling it is interrupting it.

    Raises:
        UnreachableError: no answer to a first request.
        FleetError: the target has fewer codes and tokens than the scenario has devices.
    """
    await reach(target)
    clock = WallClock()
    stage = Stage(scenario, clock, "wall", trace, url=target.url)
    with closing(target.transport(clock)) as transport:
        world = stage.world(transport, target.access, progress)
        conducted = clock.process(world.conduct())
        conducted.callbacks.append(lambda _: clock.finish())
        try:
            await clock.play(scenario.duration_us / MICROSECONDS + READING_S)
        except asyncio.CancelledError:
            stage.is_interrupted = True
        return stage.finish(world)


async def reach(target: Target) -> None:
    """
    Ask the platform for anything.

    Raises:
        UnreachableError: it gave no answer that is HTTP.
    """
    clock = WallClock()
    problems: list[str] = []

    def ask() -> Steps:
        try:
            yield transport.channel("hello").request("GET", "/v2/")
        except TransportError as problem:
            problems.append(str(problem))
        clock.finish()

    with closing(target.transport(clock)) as transport:
        clock.process(ask())
        await clock.play(HELLO_S)
    if problems:
        raise UnreachableError(f"{target.url} gave no answer: {problems[0]}")
