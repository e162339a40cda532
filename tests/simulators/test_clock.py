"""Both clocks: order of events, whole microseconds, and what enters from outside."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest

from simulators.clock import VirtualClock, WallClock
from simulators.transports.event_loop import new_event_loop


def run(work: Any) -> Any:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(asyncio.wait_for(work, 10))


def ticking(clock: Any, gap_s: float, log: list[Any]) -> Any:
    while True:
        yield clock.sleep(gap_s)
        log.append(clock.now_us())


def test_virtual_time_jumps_from_event_to_event() -> None:
    clock = VirtualClock()
    log: list[int] = []
    clock.process(ticking(clock, 0.3, log))

    clock.play(1.0)

    assert log == [300_000, 600_000, 900_000]
    assert clock.now_us() == 1_000_000
    assert clock.unix_ms() == 1_704_067_201_000


def test_a_virtual_year_takes_no_time() -> None:
    clock = VirtualClock()
    log: list[int] = []
    clock.process(ticking(clock, 86_400, log))
    began = time.monotonic()

    clock.play(365 * 86_400)

    assert len(log) == 364
    assert time.monotonic() - began < 1


def test_wall_events_keep_their_own_due_time() -> None:
    async def work() -> list[int]:
        clock = WallClock()
        log: list[int] = []
        clock.process(ticking(clock, 0.02, log))
        await clock.play(0.11)
        return log

    assert run(work()) == [20_000, 40_000, 60_000, 80_000, 100_000]


def test_wall_time_is_not_early() -> None:
    async def work() -> list[float]:
        clock = WallClock()
        began = time.monotonic()
        late: list[float] = []

        def process() -> Any:
            for number in range(1, 21):
                yield clock.sleep(0.0103)
                late.append(time.monotonic() - began - number * 0.0103)

        clock.process(process())
        await clock.play(0.3)
        return late

    late = run(work())

    assert len(late) == 20
    assert min(late) > -0.0005
    assert sorted(late)[10] < 0.01


def test_the_wait_after_a_socket_wakes_a_process_is_a_whole_one() -> None:
    """Without ``enter`` the process would see the time of the last event and not wait at all."""

    async def work() -> tuple[float, int]:
        clock = WallClock()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        arrived = clock.event()
        waits: list[tuple[float, int]] = []

        def process() -> Any:
            yield arrived
            began, began_us = time.monotonic(), clock.now_us()
            yield clock.sleep(0.15)
            waits.append((time.monotonic() - began, began_us))
            clock.finish()

        def readable() -> None:
            loop.remove_reader(ours)
            clock.enter(arrived.succeed, ours.recv(1))

        loop = asyncio.get_running_loop()
        loop.add_reader(ours, readable)
        loop.call_later(0.3, theirs.send, b"x")  # long after the clock's last event
        clock.process(process())
        await clock.play(5)
        ours.close()
        theirs.close()
        return waits[0]

    waited_s, woken_us = run(work())

    assert 0.149 <= waited_s < 0.35
    assert 299_000 <= woken_us < 450_000


def test_a_failed_process_stops_the_run() -> None:
    def failing(clock: Any) -> Any:
        yield clock.sleep(0.01)
        raise ZeroDivisionError("on purpose")

    async def work() -> None:
        clock = WallClock()
        clock.process(failing(clock))
        await clock.play(5)

    with pytest.raises(ZeroDivisionError, match="on purpose"):
        run(work())
    virtual = VirtualClock()
    virtual.process(failing(virtual))
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        virtual.play(5)


def test_what_enters_after_the_end_is_ignored() -> None:
    async def work() -> list[str]:
        clock = WallClock()
        log: list[str] = []
        await clock.play(0.01)
        clock.enter(log.append, "too late")
        return log

    assert run(work()) == []


def test_what_happens_before_playing_takes_no_time() -> None:
    async def work() -> list[int]:
        clock = WallClock()
        log: list[int] = []
        clock.process(ticking(clock, 0.05, log))
        time.sleep(0.2)
        began = time.monotonic()
        await clock.play(0.06)
        log.append(int(time.monotonic() - began > 0.19))
        log.append(abs(clock.unix_ms() // 1000 - round(time.time())) // 2)
        return log

    assert run(work()) == [50_000, 0, 0]


def test_entering_from_within_keeps_the_time() -> None:
    async def work() -> list[int]:
        clock = WallClock()
        log: list[int] = []

        def process() -> Any:
            yield clock.sleep(0.01)
            clock.enter(lambda: log.append(clock.now_us()))

        clock.process(process())
        await clock.play(0.05)
        return log

    assert run(work()) == [10_000]
