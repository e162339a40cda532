"""Spans of time as people write them: ``250ms``, ``90s``, ``5min``, ``1h30min``, ``2d``."""

from __future__ import annotations

import re

PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|min|h|d))+$"
PHRASE = "a time such as 250ms, 90s, 5min or 1h"

_UNIT_US = {"ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|min|h|d)")


def microseconds(text: str) -> int:
    """
    The span in microseconds.

    Raises:
        ValueError: not a span; the message is a phrase with what was expected.
    """
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"expected {PHRASE}; got '{text}'")
    return sum(round(float(number) * _UNIT_US[unit]) for number, unit in _PART.findall(text))


def written(span_us: int) -> str:
    """A span for people: ``1h``, ``5min``, ``1.5s``, ``250ms``."""
    for unit in ("d", "h", "min", "s"):
        if span_us and span_us % _UNIT_US[unit] == 0:
            return f"{span_us // _UNIT_US[unit]}{unit}"
    return f"{span_us / 1e6:g}s" if span_us >= 1_000_000 else f"{span_us / 1000:g}ms"
