"""A scenario on the virtual clock: the reference server in memory, no sockets, no waiting."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import BinaryIO

from scenarios.collector import calm_collector
from scenarios.engine import Access, Progress
from scenarios.model import Scenario
from scenarios.people import AppAccess
from scenarios.run import Run, Stage
from simulators.apps.user import Letters
from simulators.clock import MICROSECONDS, VirtualClock
from simulators.platforms.memory import MemoryTransport
from simulators.platforms.provisioning import (
    DEMO_APP,
    DEMO_PRODUCT,
    DEMO_UNOFFICIAL_APP,
    ActivationCode,
    Provisioning,
    default_provisioning,
    random_code,
)
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.policy import Policy
from simulators.platforms.thethings_io.store import open_database
from simulators.randomness import RandomStreams
from simulators.transports.http import HttpTransport

Wrap = Callable[[HttpTransport], HttpTransport]


def play_virtual(
    scenario: Scenario,
    *,
    trace: BinaryIO | None = None,
    progress: Progress | None = None,
    wrap: Wrap = lambda transport: transport,
) -> Run:
    """
    Play in virtual time with the reference server in memory.

    Args:
        trace: a binary file for the trace; None writes none.
        wrap: put something between devices and platform.
    """
    clock = VirtualClock(start=scenario.start)
    streams = RandomStreams(scenario.seed)
    stage = Stage(scenario, clock, "virtual", trace)
    provisioning = provisioning_for(scenario, streams)
    with closing(open_database(None)) as database:
        # Time is virtual, passwords are invented: hashing them slowly would prove nothing.
        policy = Policy(password_cost=1)
        core = Core(database, provisioning, streams.stream("platform"), policy=policy)
        transport = MemoryTransport(core, clock, latency_s=scenario.latency_us / MICROSECONDS)
        letters = MemoryLetters(transport)
        world = stage.world(wrap(transport), _access(provisioning, letters), progress)
        try:
            with calm_collector():
                clock.run(until=clock.process(world.conduct()))
        except KeyboardInterrupt:
            stage.is_interrupted = True
        return stage.finish(world)


def provisioning_for(scenario: Scenario, streams: RandomStreams) -> Provisioning:
    """The default provisioning, with a code for every device of the scenario."""
    provisioning = default_provisioning(streams.stream("provisioning"))
    rng = streams.stream("provisioning", "more codes")
    codes = list(provisioning.activation_codes)
    while len(codes) < scenario.device_count:
        codes.append(ActivationCode(random_code(rng), DEMO_PRODUCT))
    return replace(provisioning, activation_codes=codes)


class MemoryLetters:
    """Mail that the reference server sent, as long as it lives."""

    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport

    def texts(self, address: str) -> list[str]:
        """See Letters."""
        return [mail.text for mail in self._transport.mails.get(address, ())]


def _access(provisioning: Provisioning, letters: Letters) -> Access:
    codes = tuple(each.code for each in provisioning.activation_codes)
    app = AppAccess(DEMO_APP, DEMO_UNOFFICIAL_APP, letters=letters)
    return Access(codes, app=app)
