"""Waiting for what a target does in its own time, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from conformance.judge import is_same

MAGIC_S = 2.0
"""Magic resources are handled asynchronously: how long a test asks again."""


def eventually(look: Callable[[], Any], expected: Any, *, within_s: float = MAGIC_S) -> Any:
    """Look until ``expected`` is seen or time is up; what was seen last."""
    deadline = time.monotonic() + within_s
    while not is_same(seen := look(), expected) and time.monotonic() < deadline:
        time.sleep(0.1)
    return seen
