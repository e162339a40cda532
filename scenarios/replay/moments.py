"""Moments in documents: recognised by how they are written, whatever member they stand in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_DIGITS = (14, 17)  # to the second, to the millisecond
_UNITS_US = (1_000_000, 1_000, 1)
_FROM_US, _UNTIL_US = 978_307_200_000_000, 4_102_444_800_000_000  # 2001 to 2100


def unix_us(value: Any) -> int | None:
    """Microseconds since 1970 of a date and time as text or number; None when it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return _of_number(value)
    return _of_text(value) if isinstance(value, str) else None


def form(value: Any) -> str:
    """How a moment is written: each digit as 0."""
    return re.sub(r"[0-9]", "0", str(value))


def _of_number(value: int) -> int | None:
    for unit_us in _UNITS_US:
        if _FROM_US <= value * unit_us < _UNTIL_US:
            return value * unit_us
    return None


def _of_text(text: str) -> int | None:
    try:
        if text.isascii() and text.isdecimal():
            if len(text) not in _DIGITS:
                return None
            date = [text[:4], text[4:6], text[6:8]]
            time = [text[8:10], text[10:12], f"{text[12:14]}.{text[14:]:0<6}"]
            moment = datetime.fromisoformat(f"{'-'.join(date)}T{':'.join(time)}")
        elif _ISO.fullmatch(text):
            moment = datetime.fromisoformat(text)
        else:
            return None
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(microseconds=1)
