"""Work too slow for the loop: a handler raises it, and the request comes back with its result."""

from __future__ import annotations

from simulators.platforms.scripting.worker import Job


class NeedsHash(Exception):  # noqa: N818 - it is no error
    """
    The slow hash of a password is needed before the request can be answered.

    ``cost`` None: the server's.
    """

    def __init__(self, password: str, salt: bytes, cost: int | None = None) -> None:
        super().__init__("a password must be hashed")
        self.password = password
        self.salt = salt
        self.cost = cost


class NeedsWork(Exception):  # noqa: N818 - it is no error
    """Scripts have to run before the request can be answered."""

    def __init__(self, jobs: list[Job]) -> None:
        super().__init__("scripts must run")
        self.jobs = jobs
