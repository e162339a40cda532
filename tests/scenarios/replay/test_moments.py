"""Moments are known by how they are written."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.replay.moments import form, unix_us

NEW_YEAR = 1_704_067_200_000_000  # 2024-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2024-01-01T00:00:00.000Z", NEW_YEAR),
        ("2024-01-01T00:00:00.123456", NEW_YEAR + 123_456),
        ("2024-01-01 00:00Z", NEW_YEAR),
        ("2024-01-01T01:30:00+01:30", NEW_YEAR),
        ("20240101000000", NEW_YEAR),
        ("20240101000000500", NEW_YEAR + 500_000),
        (1_704_067_200, NEW_YEAR),
        (1_704_067_200_000, NEW_YEAR),
        (1_704_067_200_000_001, NEW_YEAR + 1),
    ],
)
def test_a_moment_is_recognised(written: Any, found: int) -> None:
    assert unix_us(written) == found


@pytest.mark.parametrize(
    "written",
    [
        "", "2024", "2024-01-01", "2024-13-01T00:00:00Z", "20241301000000", "2024010100000",
        "at 2024-01-01T00:00:00Z", "٢٠٢٤٠١٠١٠٠٠٠٠٠", 0, 42, 21.5, 1_704_067_200.0, True, None,
        [1_704_067_200], -1_704_067_200, 10**18,
    ],
)  # fmt: skip
def test_everything_else_is_none(written: Any) -> None:
    assert unix_us(written) is None


def test_the_form_is_what_stays_when_time_passes() -> None:
    assert form("2024-01-31T12:00:00.000Z") == form("2026-11-28T23:59:59.999Z")
    assert form("2024-01-31T12:00:00.000Z") != form("2024-01-31T12:00:00Z")
    assert form(1_704_067_200) == form(1_799_999_999) != form(1_704_067_200_000)
