"""The very same devices over sockets, against the embedded server, on the wall clock."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

from simulators.apps.actor import Actor, ActorHabits
from simulators.clock import WallClock
from simulators.devices.fleet import FleetSpec, build_fleet
from simulators.devices.switch import Switch
from simulators.platforms.embedded import Embedded, embedded_server
from simulators.randomness import RandomStreams
from simulators.transports.event_loop import new_event_loop
from simulators.transports.sockets import SocketTransport

SPECS = [
    FleetSpec("sensor", 5, "thermometer", {"key": "temperature", "period_s": 0.2}),
    FleetSpec("switch", 3, "lamp", {"keep_alive_s": 2}),
]


async def live(server: Embedded) -> tuple[Any, Actor]:
    clock = WallClock()
    streams = RandomStreams(1)
    with closing(SocketTransport(clock, server.url)) as transport:
        fleet = build_fleet(
            SPECS,
            clock=clock,
            streams=streams,
            transport=transport,
            activation_codes=iter(server.target["credentials"]["activation_codes"]),
        )
        actor = Actor(
            "person",
            clock=clock,
            channel=transport.channel("person"),
            rng=streams.stream("person"),
            switches=fleet.of_type(Switch),
            habits=ActorHabits(period_s=0.1, first_after_s=0.5),
        )
        fleet.start()
        clock.process(actor.process())
        await clock.play(3)
    return fleet, actor


def test_a_fleet_lives_over_sockets() -> None:
    with (
        embedded_server() as server,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        fleet, actor = runner.run(live(server))

    assert [device.account.problems for device in fleet.devices] == [[]] * 8
    for device in fleet.devices[:5]:
        totals = device.account.totals()
        assert totals.acknowledged >= 10
        assert totals.sent - totals.acknowledged == totals.pending <= 1
    early = [c for c in actor.commands if c.entry.sent_us < 2_000_000]
    assert len(early) >= 5
    for lamp in fleet.of_type(Switch):
        told = [c.entry for c in early if c.switch is lamp]
        done = lamp.account.reactions[: len(told)]
        assert [reaction.value for reaction in done] == [entry.value for entry in told]
        for entry, reaction in zip(told, done, strict=True):
            assert 0 < reaction.done_us - entry.sent_us < 1_000_000
