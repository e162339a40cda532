"""Paging through a resource by the datetime of the last row."""

from typing import Any

import pytest

from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.shapes import column, is_date

MOMENTS = [
    "2024-01-31T11:59:59.999Z",
    "2024-01-31T12:00:00.000Z",
    "2024-01-31T12:00:00.001Z",
    "2024-01-31T12:00:00.500Z",
    "2024-01-31T12:00:00.999Z",
    "2024-01-31T12:00:01.000Z",
    "2024-02-01T00:00:00.000Z",
]
NEWEST_FIRST = [
    "2024-02-01T00:00:00.000Z",
    "2024-01-31T12:00:01.000Z",
    "2024-01-31T12:00:00.999Z",
    "2024-01-31T12:00:00.500Z",
    "2024-01-31T12:00:00.001Z",
    "2024-01-31T12:00:00.000Z",
    "2024-01-31T11:59:59.999Z",
]


@pytest.fixture(scope="module")
def paged_key(thing: Thing) -> str:
    """A key with seven rows, a millisecond and more apart; each value is its own datetime."""
    key = thing.key("paged")
    for at in MOMENTS:
        thing.given([{"key": key, "value": at, "datetime": at}])
    return key


@pytest.mark.requirement("TIO-PAGE-001")
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_bring_every_row_once(
    thing: Thing, paged_key: str, requirement: Judge, size: int
) -> None:
    requirement.check(pages(thing, paged_key, size), expected=NEWEST_FIRST)


@pytest.mark.requirement("TIO-PAGE-002")
def test_page_after_the_oldest_row_is_empty(
    thing: Thing, paged_key: str, requirement: Judge
) -> None:
    answer = thing.read(paged_key, limit=3, endDate="2024-01-31T11:59:59.999Z")

    requirement.check([answer.status, answer.json], expected=[200, []])


@pytest.mark.requirement("TIO-PAGE-003")
def test_reading_on_brings_newer_rows_only(
    thing: Thing, paged_key: str, requirement: Judge
) -> None:
    answer = thing.read(paged_key, limit=10, startDate="2024-01-31T12:00:00.501Z")

    requirement.check(
        column(answer, "value"),
        expected=[
            "2024-02-01T00:00:00.000Z",
            "2024-01-31T12:00:01.000Z",
            "2024-01-31T12:00:00.999Z",
        ],
    )


def pages(thing: Thing, key: str, size: int) -> list[Any]:
    """Values of all pages in the order they came; stops when a page is empty or goes round."""
    found: list[Any] = []
    query: dict[str, Any] = {"limit": size}
    for _ in range(2 * len(MOMENTS)):
        answer = thing.read(key, **query)
        rows, ends = column(answer, "value"), column(answer, "datetime")
        found += rows if isinstance(rows, list) else [rows]
        if not isinstance(ends, list) or not ends or not is_date(ends[-1]):
            break
        query["endDate"] = ends[-1]
    return found
