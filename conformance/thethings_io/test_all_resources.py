"""GET /v2/things/{token}/all_resources: the last values of every resource."""

from typing import Any

import pytest

from conformance.clients.thethings_io import ThethingsClient
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.shapes import (
    ERROR,
    REFUSED_TOKEN,
    entry,
    entry_column,
    is_error,
    shown,
)

ROWS = {"b": "20240131120001", "c": "20240131120002", "a": "20240131120000"}


@pytest.fixture(scope="module")
def series(thing: Thing) -> str:
    """A key with three values, written in no order: c is the newest, a the oldest."""
    key = thing.key("series")
    for value, at in ROWS.items():
        thing.given([{"key": key, "value": value, "datetime": at}])
    return key


@pytest.fixture(scope="module")
def single(thing: Thing) -> str:
    """A key with one value."""
    key = thing.key("single")
    thing.given([{"key": key, "value": {"deep": [1, "2", True]}}])
    return key


@pytest.mark.requirement("TIO-ALL-001")
def test_answer_is_an_array_of_entries(
    thing: Thing, series: str, single: str, requirement: Judge
) -> None:
    answer = thing.all_resources()

    requirement.check_that(
        answer.status == 200 and bool(answer.json) and all(map(is_entry, listed(answer.json))),
        expected="status 200 and an array of objects with a key and an array values",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-ALL-002")
@pytest.mark.parametrize("limit", [{}, {"limit": 10}], ids=["default", "limit"])
def test_entries_have_values_with_datetime(
    thing: Thing, series: str, single: str, requirement: Judge, limit: dict[str, int]
) -> None:
    answer = thing.all_resources(**limit)

    requirement.check_that(
        all(is_filled(found) for found in listed(answer.json)),
        expected="in every entry at least one object with value and datetime",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-ALL-003")
def test_every_key_has_one_entry(
    thing: Thing, series: str, single: str, requirement: Judge
) -> None:
    keys = [found.get("key") for found in listed(thing.all_resources().json)]

    requirement.check([keys.count(series), keys.count(single)], expected=[1, 1])


@pytest.mark.requirement("TIO-ALL-003")
def test_many_keys_have_an_entry_each(thing: Thing, requirement: Judge) -> None:
    keys = [thing.key("many") for _ in range(30)]
    thing.given([{"key": key, "value": 1} for key in keys])

    found = [row.get("key") for row in listed(thing.all_resources().json)]

    requirement.check([key for key in keys if found.count(key) != 1], expected=[])


@pytest.mark.requirement("TIO-ALL-004")
def test_without_limit_the_newest_value_comes(
    thing: Thing, series: str, requirement: Judge
) -> None:
    requirement.check(entry_column(thing.all_resources(), series, "value"), expected=["c"])


@pytest.mark.requirement("TIO-ALL-005")
@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_limit_counts_for_each_entry(
    thing: Thing, series: str, single: str, requirement: Judge, limit: int
) -> None:
    answer = thing.all_resources(limit=limit)

    found = [entry_column(answer, series, "value"), entry_column(answer, single, "value")]
    requirement.check(found, expected=[["c", "b", "a"][:limit], [{"deep": [1, "2", True]}]])


@pytest.mark.requirement("TIO-ALL-006")
@pytest.mark.parametrize(
    "value", ["9000", 9000, -0.25, False, [], {"a": {"b": None}}, "°C 😀", ""], ids=repr
)
def test_values_keep_their_type(thing: Thing, requirement: Judge, value: Any) -> None:
    key = thing.key("typed")
    thing.given([{"key": key, "value": value}])

    requirement.check(entry_column(thing.all_resources(), key, "value"), expected=[value])


@pytest.mark.requirement("TIO-ALL-007")
def test_keys_of_another_thing_have_no_entry(
    thing: Thing, second_thing: Thing, requirement: Judge
) -> None:
    first, second = thing.key("first"), thing.key("second")
    thing.given([{"key": first, "value": 1}])
    second_thing.given([{"key": second, "value": 2}])

    of_first, of_second = thing.all_resources(), second_thing.all_resources()

    requirement.check(entry(of_first, second), expected={"entries": []})
    requirement.check(entry(of_second, first), expected={"entries": []})


@pytest.mark.requirement("TIO-ALL-008")
def test_unknown_token_is_refused(
    api: ThethingsClient, unknown_token: str, requirement: Judge
) -> None:
    answer = api.all_resources(unknown_token)

    requirement.check_in(answer.status, accepted=REFUSED_TOKEN)
    requirement.check_that(is_error(answer.json), expected=ERROR, actual=shown(answer))


@pytest.mark.requirement("TIO-ALL-009")
def test_dates_choose_among_the_values(thing: Thing, series: str, requirement: Judge) -> None:
    answer = thing.all_resources(limit=10, startDate="20240131120001", endDate="20240131120002")

    requirement.check(entry_column(answer, series, "value"), expected=["b"])


def listed(document: Any) -> list[dict[str, Any]]:
    """The entries of an answer; what is no object, or no array, stands in one."""
    entries = document if isinstance(document, list) else [document]
    return [each if isinstance(each, dict) else {"not an entry": each} for each in entries]


def is_entry(found: Any) -> bool:
    """Whether this is an object with a key and an array of values."""
    return (
        isinstance(found, dict)
        and isinstance(found.get("key"), str)
        and isinstance(found.get("values"), list)
    )


def is_filled(found: Any) -> bool:
    """Whether an entry has values, and each of them a value and a datetime."""
    rows = found.get("values") if isinstance(found, dict) else None
    return (
        isinstance(rows, list)
        and bool(rows)
        and all(isinstance(row, dict) and {"value", "datetime"} <= row.keys() for row in rows)
    )
