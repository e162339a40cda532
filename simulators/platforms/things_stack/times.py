"""Times and durations of the API as text: RFC 3339 in UTC, seconds with ``s``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_DURATION = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NANOSECONDS = 1_000_000_000


def time_text(unix_us: int) -> str:
    """Microseconds since 1970 as RFC 3339; fractions in 0, 3 or 6 digits."""
    return time_text_ns(unix_us * 1000)


def time_text_ns(unix_ns: int) -> str:
    """Nanoseconds since 1970 as RFC 3339; fractions in 0, 3, 6 or 9 digits."""
    seconds, fraction = divmod(unix_ns, NANOSECONDS)
    return f"{_whole_seconds(seconds)}{_fraction(fraction)}Z"


@lru_cache(maxsize=256)  # much happens in the same second
def _whole_seconds(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()


def parse_time(text: str) -> int:
    """
    Nanoseconds since 1970.

    Raises:
        ValueError: not RFC 3339, or no such date.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a time as RFC 3339; got {text!r}")
    year, month, day, hour, minute, second = (int(match[index]) for index in range(1, 7))
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    if match[8]:
        offset = (int(match[9]) * 60 + int(match[10])) * 60
        seconds += -offset if match[8] == "+" else offset
    return seconds * NANOSECONDS + _nanoseconds(match[7])


def canonical_time(text: str) -> str:
    """
    The same moment in UTC.

    Raises:
        ValueError: not RFC 3339, or outside the years 1 to 9999.
    """
    try:
        return time_text_ns(parse_time(text))
    except OverflowError as error:
        raise ValueError(f"expected a year from 1 to 9999; got {text!r}") from error


def unix_us(text: str) -> int:
    """A canonical time as microseconds since 1970."""
    return parse_time(text) // 1000


def duration_text(duration_us: int) -> str:
    """Microseconds as decimal seconds."""
    return duration_text_ns(duration_us * 1000)


def duration_text_ns(duration_ns: int) -> str:
    """Nanoseconds as decimal seconds."""
    return _seconds(duration_ns)


def parse_duration(text: str) -> int:
    """
    Nanoseconds.

    Raises:
        ValueError: not seconds with ``s``.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"expected seconds such as 1.5s; got {text!r}")
    amount = int(match[2]) * NANOSECONDS + _nanoseconds(match[3])
    return -amount if match[1] else amount


def canonical_duration(text: str) -> str:
    """
    The same duration with 0, 3, 6 or 9 digits after the point.

    Raises:
        ValueError: not seconds with ``s``.
    """
    return _seconds(parse_duration(text))


def _seconds(duration_ns: int) -> str:
    seconds, fraction = divmod(abs(duration_ns), NANOSECONDS)
    return f"{'-' if duration_ns < 0 else ''}{seconds}{_fraction(fraction)}s"


def _nanoseconds(digits: str | None) -> int:
    return int(digits.ljust(9, "0")) if digits else 0


def _fraction(nanoseconds: int) -> str:
    if not nanoseconds:
        return ""
    for digits in (3, 6, 9):
        part, rest = divmod(nanoseconds, 10 ** (9 - digits))
        if not rest:
            break
    return f".{part:0{digits}d}"
