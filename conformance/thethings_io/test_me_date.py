"""GET /v2/utils/date with a session in place of a thing token."""

from __future__ import annotations

import secrets as random_source
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.clients.thethings_io import ThethingsClient
from conformance.judge import Judge
from conformance.people import User
from conformance.thethings_io.app_shapes import member
from conformance.thethings_io.shapes import ERROR, is_date, is_error, seconds_apart, shown


@pytest.mark.requirement("TIO-MEDATE-001")
@pytest.mark.parametrize("query", [{}, {"format": "UTC"}], ids=["default", "UTC"])
def test_date_is_told(owner: User, requirement: Judge, query: dict[str, str]) -> None:
    answer = owner.server_date(**query)

    requirement.check_that(
        answer.status == 200 and is_date(member(answer, "date")),
        expected="status 200 and a date YYYY-MM-DDTHH:mm:ss.SSSZ",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-MEDATE-002")
def test_timestamp_is_a_number(owner: User, requirement: Judge) -> None:
    answer = owner.server_date(format="unix_timestamp")

    date = member(answer, "date")
    requirement.check_that(
        answer.status == 200 and not isinstance(date, bool) and isinstance(date, int),
        expected="status 200 and a whole number",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-MEDATE-003")
@pytest.mark.parametrize("format", ["UTC", "unix_timestamp"])
def test_values_repeat_the_date(owner: User, requirement: Judge, format: str) -> None:
    answer = owner.server_date(format=format)

    requirement.check(member(answer, "values"), expected=[{"value": member(answer, "date")}])


@pytest.mark.requirement("TIO-MEDATE-004")
def test_time_is_right(owner: User, requirement: Judge) -> None:
    told: dict[str, Any] = {
        each: member(owner.server_date(format=each), "date") for each in ("UTC", "unix_timestamp")
    }

    utc = seconds_apart(told["UTC"], datetime.now(UTC))
    stamp = told["unix_timestamp"]
    unix = abs(stamp - time.time()) if isinstance(stamp, int | float) else float("inf")
    requirement.check_that(utc <= 5 and unix <= 6, expected="the time, to 5 s", actual=told)


@pytest.mark.requirement("TIO-MEDATE-005")
def test_unknown_token_is_401(api: ThethingsClient, requirement: Judge) -> None:
    headers = {"Authorization": random_source.token_urlsafe(32)}

    answer = api.send("GET", "/v2/utils/date", headers=headers)

    requirement.check_that(
        answer.status == 401 and is_error(answer.json),
        expected=f"status 401 with {ERROR}",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-MEDATE-006")
@pytest.mark.parametrize("path", ["/v2/utils/date", "/v2/utils/date/"])
def test_slash_at_the_end_is_free(owner: User, requirement: Judge, path: str) -> None:
    answer = owner.send("GET", f"{path}?format=unix_timestamp")

    requirement.check([answer.status, type(member(answer, "date")) is int], expected=[200, True])
