"""Scripts while other requests are answered: a few threads, each with a process of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from simulators.platforms.effects import Work
from simulators.platforms.scripting.worker import Result, ScriptWorker

_THREADS = 2


class ScriptThreads:
    """
    A bounded queue before the processes.

    ``done`` is called in the loop's thread with the work and the results of its jobs.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        done: Callable[[Work, list[Result]], None],
        *,
        most: int,
    ) -> None:
        self._loop = loop
        self._done = done
        self._most = most
        self._count = 0
        self._is_closed = False
        self._workers = [ScriptWorker() for _ in range(_THREADS)]
        self._idle = deque(self._workers)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="script")

    @property
    def is_full(self) -> bool:
        """Nothing more can be taken on."""
        return self._is_closed or self._count >= self._most

    def start(self, work: Work) -> None:
        """Run the jobs as soon as a process is free; too many are given up at once."""
        if self.is_full:
            results = [Result(error="busy")] * len(work.jobs)
            self._loop.call_soon(self._done, work, results)
            return
        self._count += 1
        future = self._loop.run_in_executor(self._pool, self._run, work)
        future.add_done_callback(lambda future: self._finish(work, future))

    def _run(self, work: Work) -> list[Result]:
        worker = self._idle.pop()
        results = []
        for job in work.jobs:
            if self._is_closed:
                break
            results.append(worker.run(job))
        if self._is_closed:  # it may have started a process after the others were ended
            worker.close()
        self._idle.append(worker)
        return results

    def _finish(self, work: Work, future: asyncio.Future[list[Result]]) -> None:
        self._count -= 1
        if not self._is_closed and not future.cancelled():
            self._done(work, future.result())

    def close(self) -> None:
        """Start nothing more; what runs or waits is dropped, unanswered."""
        self._is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.close()
