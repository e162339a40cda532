"""GPS time, which knows no leap seconds, and UTC, which does."""

from __future__ import annotations

EPOCH_UNIX_US = 315_964_800_000_000  # 1980-01-06T00:00:00Z
# Inserted since then; the last one at the end of 2016.
LEAP_SECONDS_US = 18_000_000


def to_gps_us(unix_us: int) -> int:
    """Microseconds since the GPS epoch; ``unix_us`` since 1970 in UTC, not before 2017."""
    return unix_us - EPOCH_UNIX_US + LEAP_SECONDS_US


def to_unix_us(gps_us: int) -> int:
    """What ``to_gps_us`` was given."""
    return gps_us + EPOCH_UNIX_US - LEAP_SECONDS_US
