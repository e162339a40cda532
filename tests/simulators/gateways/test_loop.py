"""Joins and confirmed traffic in every region, through both kinds of gateway, on both clocks."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from simulators.clock import WallClock
from simulators.devices.lorawan.uplinks import Outcome
from simulators.lorawan.regions import REGIONS
from simulators.transports.event_loop import new_event_loop
from tests.simulators.gateways.loop import DEV_EUI, KINDS, Loop, in_memory, over_sockets


def check(loop: Loop) -> None:
    """It joined, both uplinks arrived and were acknowledged, and the payload came down."""
    report, *uplinks = loop.results
    assert report.is_joined, report
    assert [result.outcome for result in uplinks] == [Outcome.ACKNOWLEDGED] * 2
    assert loop.received == [
        (DEV_EUI, 5, b"one", 0, True),
        (DEV_EUI, 5, b"two", 1, True),
    ]
    (down,) = [
        message
        for _, device, _, channel, message in loop.notebook.events
        if device == "node-1" and message.get("frm_payload") == b"down".hex()
    ]
    assert down["f_port"] == 9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", REGIONS)
def test_on_the_virtual_clock(name: str, kind: str) -> None:
    loop = in_memory(kind, name)
    loop.clock.play(120)
    check(loop)


@pytest.mark.timeout(180)
def test_on_the_wall_clock() -> None:
    """All of them at once, since each has to wait for real seconds."""

    async def play() -> list[Loop]:
        clock = WallClock()
        async with AsyncExitStack() as closing:
            loops = [
                await over_sockets(clock, closing, kind, name) for name in REGIONS for kind in KINDS
            ]
            clock.process(until_all_are_done(clock, loops))
            await clock.play(90)
            return loops

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        for loop in runner.run(play()):
            check(loop)


def until_all_are_done(clock: WallClock, loops: list[Loop]) -> Any:
    while not all(len(loop.results) == 3 for loop in loops):
        yield clock.sleep(0.1)
    clock.finish()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_trace(kind: str) -> None:
    def trace(seed: int) -> bytes:
        loop = in_memory(kind, "EU868", seed=seed, drift_ppm=12.5)
        loop.clock.play(120)
        check(loop)
        return orjson.dumps(loop.notebook.events)

    assert trace(1) == trace(1) != trace(2)


@pytest.mark.parametrize("kind", KINDS)
def test_radio_times_are_exact_to_the_microsecond(kind: str) -> None:
    """An answer starts as long after the uplink's end as the counter says, however it drifts."""
    loop = in_memory(kind, "EU868", drift_ppm=20.0)
    loop.clock.play(120)
    told = [
        message
        for _, device, _, channel, message in loop.notebook.events
        if device == "gateway-1" and channel == "radio"
    ]
    ups = [message["tmst"] for message in told if "rssi_dbm" in message]
    downs = [message["tmst"] for message in told if "power_dbm" in message]
    delays = [down - up for up, down in zip(ups, downs, strict=True)]
    assert delays == [5_000_000, 1_000_000, 1_000_000]
