"""A late host delays nothing on air: the stamp stays, and how late it was stands apart."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

from simulators.clock import VirtualClock, WallClock
from simulators.gateways.channels import usual_plan
from simulators.gateways.concentrator import Concentrator, Frame
from simulators.transports.event_loop import new_event_loop
from tests.simulators.gateways.conftest import EU868, EUI
from tests.simulators.gateways.stage import SF7, PaperAir

FRAME = Frame(b"\x60" * 12, 868_100_000, SF7, 16.0)
ROOT = Path(__file__).parents[3]


def test_on_the_wall_clock() -> None:
    async def play() -> tuple[list[int], Concentrator]:
        clock = WallClock()
        air = PaperAir(clock)
        concentrator = Concentrator("g", clock, air, eui=EUI, plan=usual_plan(EU868))
        clock.timeout(50_000).callbacks.append(lambda _: time.sleep(0.06))  # the host is busy
        concentrator.at(80_000, lambda: concentrator.send(FRAME, 80_000))
        await clock.play(0.3)
        return [each.start_us for each in air.sent], concentrator

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        starts, concentrator = runner.run(play())
    assert starts == [80_000]
    assert concentrator.lateness.count == 1
    assert concentrator.lateness.highest >= 25_000


def test_on_the_virtual_clock_nothing_is_late() -> None:
    clock = VirtualClock()
    concentrator = Concentrator("g", clock, PaperAir(clock), eui=EUI, plan=usual_plan(EU868))
    concentrator.at(80_000, lambda: concentrator.send(FRAME, 80_000))
    clock.play(1)
    assert concentrator.transmitted == 1
    assert concentrator.lateness.count == 0


TRACE = """
import orjson, sys
from tests.simulators.gateways.loop import KINDS, in_memory
for kind in KINDS:
    loop = in_memory(kind, "US915", drift_ppm=7.5)
    loop.clock.play(120)
    sys.stdout.buffer.write(orjson.dumps(loop.notebook.events))
"""


def test_a_trace_does_not_depend_on_how_texts_are_hashed() -> None:
    first, second = (
        subprocess.run(
            [sys.executable, "-c", TRACE],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "4242")
    )
    assert first == second
    assert len(first) > 5_000
