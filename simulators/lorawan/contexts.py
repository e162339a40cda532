"""
What sessions have set up for their keys, no more of it at one time than a limit.

A session keeps its own contexts, so that using them costs no search. Here stands only in which
order sessions set them up; when there are too many, the earliest gives them back, and sets them up
again when it needs them more than once.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

DEFAULT_LIMIT = 16_384  # sessions, with two kilobytes each, in 1.1 four


class Holder(Protocol):
    """Somebody who has contexts."""

    def forget_contexts(self) -> None:
        """Give them back."""


class Contexts:
    """The holders that have contexts at present, at most ``limit``."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        self._holders: deque[Holder] = deque()

    def __len__(self) -> int:
        return len(self._holders)

    def admit(self, holder: Holder) -> None:
        """One more has set its contexts up."""
        while len(self._holders) >= self.limit:
            self._holders.popleft().forget_contexts()
        self._holders.append(holder)


CONTEXTS = Contexts()
