"""Scripts beside an event loop."""

from __future__ import annotations

import asyncio

from simulators.platforms.effects import Work
from simulators.platforms.scripting.threads import ScriptThreads
from simulators.platforms.scripting.worker import Job, Result

ECHO = "function main(value) { return value; }"
FOREVER = "function main() { for (;;) {} }"


async def results_of(works: list[Work], *, most: int) -> dict[int, list[Result]]:
    loop = asyncio.get_running_loop()
    found: dict[int, list[Result]] = {}
    is_done = asyncio.Event()

    def done(work: Work, results: list[Result]) -> None:
        found[work.number] = results
        if len(found) == len(works):
            is_done.set()

    threads = ScriptThreads(loop, done, most=most)
    try:
        for work in works:
            threads.start(work)
        await asyncio.wait_for(is_done.wait(), 20)
    finally:
        threads.close()
    return found


def test_each_work_gets_the_results_of_its_jobs() -> None:
    works = [
        Work(1, [Job(ECHO, "1"), Job(FOREVER, "1"), Job(ECHO, "2")]),
        Work(2, [Job(ECHO, '"two"')]),
    ]

    found = asyncio.run(results_of(works, most=10))

    assert found == {1: [Result(1), Result(error="timeout"), Result(2)], 2: [Result("two")]}


def test_too_many_are_given_up_at_once() -> None:
    works = [Work(number, [Job(ECHO, "1")]) for number in (1, 2)]

    assert asyncio.run(results_of(works, most=1)) == {1: [Result(1)], 2: [Result(error="busy")]}


def test_closing_ends_what_runs() -> None:
    async def closed() -> None:
        threads = ScriptThreads(asyncio.get_running_loop(), lambda work, results: None, most=10)
        threads.start(Work(1, [Job(FOREVER, "1")] * 100))
        await asyncio.sleep(0.2)
        threads.close()
        assert threads.is_full

    asyncio.run(closed())
