"""GET /v2/me/resources/{resource}/{thingId}: values of one resource of one thing."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from conformance.judge import Judge
from conformance.people import Home
from conformance.thethings_io.app_shapes import seen
from conformance.thethings_io.shapes import (
    ERROR,
    column,
    is_date,
    is_error,
    is_refused,
    shown,
    values,
)

# Value and datetime, in the order they are written in.
ROWS = {
    "row-c": "2024-01-31T12:00:02.000Z",
    "row-a": "2024-01-31T12:00:00.250Z",
    "row-e": "2024-01-31T12:00:04.001Z",
    "row-b": "2024-01-31T12:00:01.000Z",
    "row-d": "2024-01-31T12:00:04.000Z",
}
NEWEST_FIRST = ["row-e", "row-d", "row-c", "row-b", "row-a"]


class Timeline(NamedTuple):
    """A resource that holds the five ROWS."""

    home: Home
    key: str

    def read(self, **query: Any) -> Any:
        """The values of a read."""
        return values(self.home.read(self.key, **query))


@pytest.fixture(scope="module")
def timeline(home: Home) -> Timeline:
    """Five rows, each from a write of its own, in no order."""
    key = home.key("timeline")
    for value, at in ROWS.items():
        home.thing.given([{"key": key, "value": value, "datetime": at}])
    return Timeline(home, key)


@pytest.mark.requirement("TIO-MERD-001")
def test_read_is_200_with_an_array_of_values(timeline: Timeline, requirement: Judge) -> None:
    answer = timeline.home.read(timeline.key)

    requirement.check([answer.status, values(answer)], expected=[200, ["row-e"]])


@pytest.mark.requirement("TIO-MERD-002")
def test_row_has_key_and_datetime(timeline: Timeline, requirement: Judge) -> None:
    answer = timeline.home.read(timeline.key, limit=2)

    rows = answer.json if isinstance(column(answer, "value"), list) else [{}]
    requirement.check_that(
        all(row.get("key") == timeline.key and is_date(row.get("datetime")) for row in rows),
        expected=f"rows with key {timeline.key!r} and a datetime",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-MERD-003")
def test_rows_come_newest_first(timeline: Timeline, requirement: Judge) -> None:
    expected = ["row-e", "row-d", "row-c", "row-b", "row-a"]

    requirement.check(timeline.read(limit=10), expected=expected)


@pytest.mark.requirement("TIO-MERD-004")
def test_without_limit_the_newest_row_comes(timeline: Timeline, requirement: Judge) -> None:
    requirement.check(timeline.read(), expected=["row-e"])


@pytest.mark.requirement("TIO-MERD-004")
def test_newest_row_comes_after_an_earlier_read(home: Home, requirement: Judge) -> None:
    key = home.given("old")
    home.read(key)

    home.thing.given([{"key": key, "value": "new"}])

    requirement.check(values(home.read(key)), expected=["new"])


@pytest.mark.requirement("TIO-MERD-005")
@pytest.mark.parametrize("limit", [1, 2, 4, 5, 10])
def test_limit_brings_the_newest_rows(timeline: Timeline, requirement: Judge, limit: int) -> None:
    expected = ["row-e", "row-d", "row-c", "row-b", "row-a"][:limit]

    requirement.check(timeline.read(limit=limit), expected=expected)


@pytest.fixture(scope="module")
def long_timeline(home: Home) -> Timeline:
    """101 rows, one per second, values from 0 up."""
    key = home.key("long")
    rows = [
        {"key": key, "value": n, "datetime": f"20240131120{n // 60}{n % 60:02}"} for n in range(101)
    ]
    home.thing.given(rows)
    return Timeline(home, key)


@pytest.mark.requirement("TIO-MERD-006")
def test_limit_100_brings_100_rows(long_timeline: Timeline, requirement: Judge) -> None:
    requirement.check(long_timeline.read(limit=100), expected=list(range(100, 0, -1)))


@pytest.mark.requirement("TIO-MERD-007")
def test_no_more_than_100_rows_come(long_timeline: Timeline, requirement: Judge) -> None:
    found = long_timeline.read(limit=1000)

    requirement.check_that(
        not isinstance(found, list) or len(found) <= 100,
        expected="at most 100 rows, or a refusal",
        actual=found,
    )


@pytest.mark.requirement("TIO-MERD-008")
@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("20240131120002", ["row-e", "row-d", "row-c"], id="at-a-row"),
        pytest.param("20240131120003", ["row-e", "row-d"], id="between-rows"),
    ],
)
def test_start_date_is_the_first(
    timeline: Timeline, requirement: Judge, at: str, expected: list[str]
) -> None:
    requirement.check(timeline.read(limit=10, startDate=at), expected=expected)


@pytest.mark.requirement("TIO-MERD-009")
def test_end_date_is_the_last(timeline: Timeline, requirement: Judge) -> None:
    found = timeline.read(limit=10, endDate="20240131120003")

    requirement.check(found, expected=["row-c", "row-b", "row-a"])


@pytest.mark.requirement("TIO-MERD-010")
def test_end_date_itself_does_not_count(timeline: Timeline, requirement: Judge) -> None:
    found = timeline.read(limit=10, endDate="20240131120001")

    requirement.check(found, expected=["row-a"])


@pytest.mark.requirement("TIO-MERD-011")
def test_both_dates_bring_the_rows_in_between(timeline: Timeline, requirement: Judge) -> None:
    found = timeline.read(limit=10, startDate="20240131120001", endDate="20240131120003")

    requirement.check(found, expected=["row-c", "row-b"])


@pytest.mark.requirement("TIO-MERD-011")
def test_default_limit_counts_in_between(timeline: Timeline, requirement: Judge) -> None:
    found = timeline.read(startDate="20240131120001", endDate="20240131120003")

    requirement.check(found, expected=["row-c"])


@pytest.mark.requirement("TIO-MERD-012")
def test_iso_dates_are_taken(timeline: Timeline, requirement: Judge) -> None:
    found = timeline.read(
        limit=10, startDate="2024-01-31T12:00:00.500Z", endDate="2024-01-31T12:00:03.000Z"
    )

    requirement.check(found, expected=["row-c", "row-b"])


OUTSIDE = [
    pytest.param({"startDate": "20250101000000"}, id="after"),
    pytest.param({"endDate": "20230101000000"}, id="before"),
]


@pytest.mark.requirement("TIO-MERD-013")
@pytest.mark.parametrize("query", OUTSIDE)
def test_nothing_in_range_brings_no_row(
    timeline: Timeline, requirement: Judge, query: dict[str, str]
) -> None:
    answer = timeline.home.read(timeline.key, limit=10, **query)

    requirement.check_that(
        answer.json == [] or is_error(answer.json),
        expected="an empty array, or an error",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-MERD-014")
@pytest.mark.parametrize("query", OUTSIDE)
def test_nothing_in_range_is_an_empty_array(
    timeline: Timeline, requirement: Judge, query: dict[str, str]
) -> None:
    answer = timeline.home.read(timeline.key, **query)

    requirement.check([answer.status, answer.json], expected=[200, []])


@pytest.mark.requirement("TIO-MERD-015")
@pytest.mark.parametrize(
    "value",
    ["9000", 9000, -0.25, True, False, [], [1, "1"], {"a": {"b": "}"}}, "Küche 😀 \"°\"", ""],
    ids=repr,
)  # fmt: skip
def test_value_keeps_its_type(home: Home, requirement: Judge, value: Any) -> None:
    key = home.given(value)

    requirement.check(values(home.read(key)), expected=[value])


@pytest.mark.requirement("TIO-MERD-017")
def test_resource_never_written_is_404(home: Home, requirement: Judge) -> None:
    answer = home.read(home.key("never"))

    message = answer.json.get("message") if isinstance(answer.json, dict) else None
    requirement.check([answer.status, message], expected=[404, "resource not found"])


@pytest.mark.requirement("TIO-MERD-018")
@pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5", ""])
def test_bad_limit_is_400(timeline: Timeline, requirement: Judge, limit: str) -> None:
    requirement.check(timeline.home.read(timeline.key, limit=limit).status, expected=400)


@pytest.mark.requirement("TIO-MERD-019")
def test_unknown_thing_is_refused(
    timeline: Timeline, unknown_token: str, requirement: Judge
) -> None:
    answer = timeline.home.owner.read(timeline.key, unknown_token)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-MERD-020")
def test_reading_changes_nothing(timeline: Timeline, requirement: Judge) -> None:
    first, second = (timeline.read(limit=3) for _ in range(2))

    requirement.check([first, second], expected=[["row-e", "row-d", "row-c"]] * 2)


@pytest.mark.requirement("TIO-MERR-001")
def test_read_without_a_thing_shows_the_value(timeline: Timeline, requirement: Judge) -> None:
    answer = timeline.home.owner.read(timeline.key)

    requirement.check([answer.status, seen(["row-e"], answer)], expected=[200, ["row-e"]])


def seen_of(timeline: Timeline, **query: Any) -> list[str]:
    """Which of the five rows a read without a thing shows."""
    return seen(NEWEST_FIRST, timeline.home.owner.read(timeline.key, **query))


@pytest.mark.requirement("TIO-MERR-003")
def test_without_thing_and_limit_the_newest_comes(timeline: Timeline, requirement: Judge) -> None:
    requirement.check(seen_of(timeline), expected=["row-e"])


@pytest.mark.requirement("TIO-MERR-004")
@pytest.mark.parametrize("limit", [2, 4, 10])
def test_limit_counts_without_a_thing(timeline: Timeline, requirement: Judge, limit: int) -> None:
    expected = ["row-e", "row-d", "row-c", "row-b", "row-a"][:limit]

    requirement.check(seen_of(timeline, limit=limit), expected=expected)


@pytest.mark.requirement("TIO-MERR-005")
def test_dates_count_without_a_thing(timeline: Timeline, requirement: Judge) -> None:
    found = seen_of(timeline, limit=10, startDate="20240131120001", endDate="20240131120003")

    requirement.check(found, expected=["row-c", "row-b"])


@pytest.mark.requirement("TIO-MERR-007")
def test_shape_without_a_thing(timeline: Timeline, requirement: Judge) -> None:
    rows = timeline.home.owner.read(timeline.key).json

    names = [sorted(row) for row in rows] if isinstance(rows, list) else rows
    requirement.check(names, expected=[["key", "thingId", "values"]])


@pytest.mark.requirement("TIO-MERR-008")
def test_resource_of_no_thing_is_404(home: Home, requirement: Judge) -> None:
    requirement.check(home.owner.read(home.key("never")).status, expected=404)


@pytest.mark.requirement("TIO-MEALL-001")
def test_all_resources_of_a_thing(timeline: Timeline, requirement: Judge) -> None:
    answer = timeline.home.owner.all_resources(timeline.home.id)

    rows = answer.json if isinstance(column(answer, "key"), list) else []
    found = [values_of(row) for row in rows if row.get("key") == timeline.key]
    requirement.check([answer.status, found], expected=[200, [["row-e"]]])


def values_of(entry: dict[str, Any]) -> Any:
    """The values of one resource's entry."""
    rows = entry.get("values")
    return [row.get("value") for row in rows] if isinstance(rows, list) else rows


@pytest.mark.requirement("TIO-MEALL-002")
def test_limit_of_all_resources(timeline: Timeline, requirement: Judge) -> None:
    answer = timeline.home.owner.all_resources(timeline.home.id, limit=2)

    rows = answer.json if isinstance(column(answer, "key"), list) else []
    found = [values_of(row) for row in rows if row.get("key") == timeline.key]
    requirement.check(found, expected=[["row-e", "row-d"]])
