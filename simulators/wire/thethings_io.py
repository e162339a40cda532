"""
What thethings.iO's device side puts into JSON: dates, resource keys, positions.

Pure: text and values in, values out. Knows nothing of HTTP, storage or clocks.
Source: device development guide, chapters "Write", "Read", "Magic resources".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
TOKEN_LENGTH = 43  # 32 bytes in base64url without padding; device libraries cut exactly that many

KEY = re.compile(r"[A-Za-z0-9._-]+")
_EMAIL_PART = r"[^\s@<>()\[\],;:\\\"]"
EMAIL = re.compile(rf"{_EMAIL_PART}{{1,64}}@{_EMAIL_PART}{{1,189}}")
MAGIC_KEY = re.compile(r"\$[A-Za-z0-9._-]+")

_CLOCK = r"(\d{2}):(\d{2}):(\d{2})"
_FORMS = (
    # 20240131120000, and the same with a T between date and time
    re.compile(r"(\d{4})(\d{2})(\d{2})T?(\d{2})(\d{2})(\d{2})", re.ASCII),
    # 2024-01-31T12:00:00, up to six digits of a fraction, Z or a numeric offset or neither
    re.compile(
        rf"(\d{{4}})-(\d{{2}})-(\d{{2}})T{_CLOCK}(?:\.(\d{{1,6}}))?(Z|[+-]\d{{2}}:?\d{{2}})?",
        re.ASCII,
    ),
)


class WireError(ValueError):
    """A text or value does not have the form the platform's documents give it."""


def parse_date(text: str, *, now_ms: int | None = None) -> int:
    """
    Read a date in any form that clients of the platform send.

    Args:
        text: 14 digits, those with a T, ISO 8601 with or without zone, or ``NOW()``; UTC.
        now_ms: what ``NOW()`` stands for; without it that form is refused.
    Returns:
        Milliseconds since 1970-01-01T00:00:00Z; finer fractions are cut.
    Raises:
        WireError: any other form, or a day or time that does not exist.
    """
    if text == "NOW()" and now_ms is not None:
        return now_ms
    for form in _FORMS:
        match = form.fullmatch(text)
        if match:
            return _moment(text, *match.groups())
    raise WireError(f"expected a date such as 20240131120000; got {text[:40]!r}")


def _moment(text: str, *parts: str | None) -> int:
    numbers = [int(part or 0) for part in parts[:6]]
    fraction, zone = (*parts[6:], None, None)[:2]
    try:
        moment = datetime(*numbers, tzinfo=UTC) - _offset(zone)  # type: ignore[arg-type,misc]
    except (ValueError, OverflowError) as error:
        raise WireError(f"expected a date that exists; got {text!r}") from error
    return (moment - EPOCH) // MILLISECOND + int((fraction or "0").ljust(3, "0")[:3])


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError(zone)
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def format_date(unix_ms: int) -> str:
    """Milliseconds since 1970 as ``2024-01-31T12:00:00.000Z``."""
    return (EPOCH + unix_ms * MILLISECOND).isoformat(timespec="milliseconds")[:23] + "Z"


def is_key(text: object) -> bool:
    """Letters, digits, ``.``, ``-`` and ``_``: the name of an ordinary resource."""
    return isinstance(text, str) and KEY.fullmatch(text) is not None


def is_magic_key(text: object) -> bool:
    """``$`` followed by the same alphabet."""
    return isinstance(text, str) and MAGIC_KEY.fullmatch(text) is not None


def is_email(text: object) -> bool:
    """An e-mail address as far as one can tell without sending to it."""
    return isinstance(text, str) and text.isprintable() and EMAIL.fullmatch(text) is not None


def read_geo(geo: object) -> tuple[float, float]:
    """
    Read ``{"lat": …, "long": …}``; numbers may come as text (the Python client sends them so).

    Returns:
        Latitude and longitude in degrees.
    Raises:
        WireError: a member is missing, no number, or beyond ±90 / ±180.
    """
    if not isinstance(geo, dict) or "lat" not in geo or "long" not in geo:
        raise WireError("expected geo with lat and long")
    return _degrees(geo["lat"], 90, "latitude"), _degrees(geo["long"], 180, "longitude")


def read_point(value: object) -> tuple[float, float]:
    """
    Read a GeoJSON point, or the older bare ``[longitude, latitude]``.

    Returns:
        Longitude and latitude in degrees.
    Raises:
        WireError: another geometry, or a coordinate that is missing or out of range.
    """
    if isinstance(value, dict):
        if value.get("type") != "Point":
            raise WireError("expected a GeoJSON object of type Point")
        value = value.get("coordinates")
    # A third member is the altitude of GeoJSON, which the platform does not show again.
    if not isinstance(value, list | tuple) or len(value) not in (2, 3):
        raise WireError("expected coordinates [longitude, latitude]")
    return _degrees(value[0], 180, "longitude"), _degrees(value[1], 90, "latitude")


def _degrees(value: Any, bound: int, name: str) -> float:
    if isinstance(value, str):
        value = _number(value, name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WireError(f"expected a number as {name}")
    if not -bound <= value <= bound:
        raise WireError(f"expected a {name} between -{bound} and {bound}")
    return value


def _number(text: str, name: str) -> float:
    if not re.fullmatch(r"\s*[+-]?\d{1,20}(\.\d{0,30})?\s*", text, re.ASCII):
        raise WireError(f"expected a number as {name}")
    return float(text)
