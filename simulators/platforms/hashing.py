"""Passwords are hashed here, outside the loop's thread, while other requests are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from simulators.platforms.effects import Hash, Hashed
from simulators.platforms.slow_hash import hashed

_THREADS = 2


class HashingThreads:
    """
    A few threads and a bounded queue.

    ``done`` is called in the loop's thread with the work and its result, or with why there is none.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        done: Callable[[Hash, Hashed | BaseException], None],
        *,
        most: int,
    ) -> None:
        self._loop = loop
        self._done = done
        self._most = most
        self._count = 0
        self._is_closed = False
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="hash")

    @property
    def is_full(self) -> bool:
        """Nothing more can be taken on."""
        return self._is_closed or self._count >= self._most

    def start(self, work: Hash) -> None:
        """Hash as soon as a thread is free."""
        self._count += 1
        future = self._loop.run_in_executor(self._pool, hashed, work)
        future.add_done_callback(lambda future: self._finish(work, future))

    def _finish(self, work: Hash, future: asyncio.Future[Hashed]) -> None:
        self._count -= 1
        if not future.cancelled():
            self._done(work, future.exception() or future.result())

    def close(self) -> None:
        """Start nothing more; what waits is dropped, unanswered."""
        self._is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
