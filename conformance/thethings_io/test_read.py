"""GET /v2/things/{token}/resources/{key}: rows, limits, bounds."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from conformance.clients.thethings_io import ThethingsClient
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.shapes import (
    ERROR,
    REFUSED_TOKEN,
    column,
    datetimes,
    is_error,
    shown,
    values,
)

# Value and datetime, in the order they are written in.
ROWS = {
    "c": "2024-01-31T12:00:02.000Z",
    "a": "2024-01-31T12:00:00.250Z",
    "e": "2024-01-31T12:00:04.001Z",
    "b": "2024-01-31T12:00:01.000Z",
    "d": "2024-01-31T12:00:04.000Z",
}
NEWEST_FIRST = ["e", "d", "c", "b", "a"]


class Timeline(NamedTuple):
    """A key that holds the five ROWS, and the thing it belongs to."""

    thing: Thing
    key: str

    def read(self, **query: Any) -> Any:
        """The values of a read."""
        return values(self.thing.read(self.key, **query))


@pytest.fixture(scope="module")
def timeline(thing: Thing) -> Timeline:
    """Five rows, each from a write of its own, in no order."""
    key = thing.key("timeline")
    for value, at in ROWS.items():
        thing.given([{"key": key, "value": value, "datetime": at}])
    return Timeline(thing, key)


@pytest.mark.requirement("TIO-RD-001")
def test_read_is_200_with_an_array(timeline: Timeline, requirement: Judge) -> None:
    answer = timeline.thing.read(timeline.key)

    requirement.check([answer.status, isinstance(answer.json, list)], expected=[200, True])


@pytest.mark.requirement("TIO-RD-002")
def test_row_has_key_value_and_datetime(timeline: Timeline, requirement: Judge) -> None:
    answer = timeline.thing.read(timeline.key, limit=2)

    rows = answer.json if column(answer, "key") == [timeline.key] * 2 else []
    kinds = [{name: type(row.get(name)).__name__ for name in ("value", "datetime")} for row in rows]
    requirement.check_that(
        kinds == [{"value": "str", "datetime": "str"}] * 2,
        expected=f"two objects with key {timeline.key!r}, a value and a datetime",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-RD-003")
def test_rows_come_newest_first(timeline: Timeline, requirement: Judge) -> None:
    requirement.check(timeline.read(limit=10), expected=["e", "d", "c", "b", "a"])


@pytest.mark.requirement("TIO-RD-004")
def test_without_limit_the_newest_row_comes(timeline: Timeline, requirement: Judge) -> None:
    requirement.check(timeline.read(), expected=["e"])


@pytest.mark.requirement("TIO-RD-004")
@pytest.mark.parametrize("query", [{}, {"broadcast": "false"}], ids=["plain", "broadcast"])
def test_newest_row_comes_after_an_earlier_read(
    thing: Thing, requirement: Judge, query: dict[str, str]
) -> None:
    key = thing.key("again")
    thing.given([{"key": key, "value": "old", "datetime": "20240131120000"}])
    thing.read(key)

    thing.given([{"key": key, "value": "new", "datetime": "20240131120001"}], **query)

    requirement.check(values(thing.read(key)), expected=["new"])


@pytest.mark.requirement("TIO-RD-005")
@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_limit_brings_the_newest_rows(timeline: Timeline, requirement: Judge, limit: int) -> None:
    requirement.check(timeline.read(limit=limit), expected=["e", "d", "c", "b"][:limit])


@pytest.mark.requirement("TIO-RD-006")
@pytest.mark.parametrize("limit", [5, 6, 100])
def test_limit_above_the_number_of_rows(timeline: Timeline, requirement: Judge, limit: int) -> None:
    requirement.check(timeline.read(limit=limit), expected=["e", "d", "c", "b", "a"])


@pytest.fixture(scope="module")
def long_timeline(thing: Thing) -> Timeline:
    """1001 rows, one per second from 2024-01-31T12:00:00Z, values from 0 up."""
    key = thing.key("long")
    rows = [
        {
            "key": key,
            "value": n,
            "datetime": f"20240131{12 + n // 3600}{n // 60 % 60:02}{n % 60:02}",
        }
        for n in range(1001)
    ]
    for start in range(0, 1001, 100):
        thing.given(rows[start : start + 100])
    return Timeline(thing, key)


@pytest.mark.requirement("TIO-RD-007")
def test_limit_100_brings_100_rows(long_timeline: Timeline, requirement: Judge) -> None:
    requirement.check(long_timeline.read(limit=100), expected=list(range(1000, 900, -1)))


@pytest.mark.requirement("TIO-RD-008")
@pytest.mark.parametrize("limit", [1000, 1001, 5000])
def test_no_more_than_1000_rows_come(
    long_timeline: Timeline, requirement: Judge, limit: int
) -> None:
    found = long_timeline.read(limit=limit)

    requirement.check_that(
        not isinstance(found, list) or found == list(range(1000, 1000 - min(len(found), 1000), -1)),
        expected="at most 1000 rows, from the newest down",
        actual=found,
    )


@pytest.mark.requirement("TIO-RD-009")
def test_cap_on_rows(long_timeline: Timeline, requirement: Judge) -> None:
    found = long_timeline.read(limit=5000)

    requirement.check(len(found) if isinstance(found, list) else found, expected=1000)


@pytest.mark.requirement("TIO-RD-010")
@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("2024-01-31T12:00:02.000Z", ["e", "d", "c"], id="whole-second"),
        pytest.param("2024-01-31T12:00:04.001Z", ["e"], id="millisecond"),
        pytest.param("20240131120001", ["e", "d", "c", "b"], id="14-digits"),
    ],
)
def test_start_date_is_inclusive(
    timeline: Timeline, requirement: Judge, at: str, expected: list[str]
) -> None:
    found = timeline.read(limit=10, startDate=at)

    border = expected[-1]
    requirement.check_that(
        isinstance(found, list) and border in found,
        expected=f"the row at startDate, {border!r}, among {expected}",
        actual=found,
    )


@pytest.mark.requirement("TIO-RD-010")
def test_start_date_may_lie_ahead(thing: Thing, requirement: Judge) -> None:
    key = thing.key("ahead")
    thing.given([{"key": key, "value": "far", "datetime": "20371231235959"}])

    requirement.check(
        values(thing.read(key, limit=10, startDate="20371231235959")), expected=["far"]
    )


@pytest.mark.requirement("TIO-RD-011")
@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("2024-01-31T12:00:02.001Z", ["e", "d"], id="one-ms-later"),
        pytest.param("2024-01-31T12:00:00.251Z", ["e", "d", "c", "b"], id="all-but-one"),
        pytest.param("20240131120003", ["e", "d"], id="14-digits"),
    ],
)
def test_start_date_leaves_earlier_rows_out(
    timeline: Timeline, requirement: Judge, at: str, expected: list[str]
) -> None:
    requirement.check(timeline.read(limit=10, startDate=at), expected=expected)


@pytest.mark.requirement("TIO-RD-012")
@pytest.mark.parametrize(
    ("at", "border"),
    [
        pytest.param("2024-01-31T12:00:02.000Z", "c", id="whole-second"),
        pytest.param("2024-01-31T12:00:04.001Z", "e", id="millisecond"),
        pytest.param("20240131120001", "b", id="14-digits"),
    ],
)
def test_end_date_is_exclusive(
    timeline: Timeline, requirement: Judge, at: str, border: str
) -> None:
    found = timeline.read(limit=10, endDate=at)

    requirement.check_that(
        isinstance(found, list) and "a" in found and border not in found,
        expected=f"older rows down to 'a', without the row at endDate, {border!r}",
        actual=found,
    )


@pytest.mark.requirement("TIO-RD-013")
@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("2024-01-31T12:00:02.001Z", ["c", "b", "a"], id="one-ms-later"),
        pytest.param("2024-01-31T12:00:00.251Z", ["a"], id="oldest-only"),
        pytest.param("20240131120003", ["c", "b", "a"], id="14-digits"),
    ],
)
def test_end_date_lets_earlier_rows_in(
    timeline: Timeline, requirement: Judge, at: str, expected: list[str]
) -> None:
    requirement.check(timeline.read(limit=10, endDate=at), expected=expected)


@pytest.mark.requirement("TIO-RD-013")
def test_oldest_of_many_rows_is_still_there(long_timeline: Timeline, requirement: Judge) -> None:
    requirement.check(
        long_timeline.read(limit=10, endDate="2024-01-31T12:00:01.500Z"), expected=[1, 0]
    )


@pytest.mark.requirement("TIO-RD-014")
def test_both_dates_bring_the_rows_in_between(timeline: Timeline, requirement: Judge) -> None:
    found = timeline.read(
        limit=10, startDate="2024-01-31T12:00:00.500Z", endDate="2024-01-31T12:00:03.000Z"
    )

    requirement.check(found, expected=["c", "b"])


@pytest.mark.requirement("TIO-RD-015")
def test_limit_counts_within_the_dates(timeline: Timeline, requirement: Judge) -> None:
    found = timeline.read(
        limit=2, startDate="2024-01-31T12:00:00.000Z", endDate="2024-01-31T12:00:03.000Z"
    )

    requirement.check(found, expected=["c", "b"])


@pytest.mark.requirement("TIO-RD-015")
def test_default_limit_counts_within_the_dates(timeline: Timeline, requirement: Judge) -> None:
    requirement.check(timeline.read(endDate="2024-01-31T12:00:03.000Z"), expected=["c"])


@pytest.mark.requirement("TIO-RD-015")
def test_limit_counts_from_the_newest_after_a_start(timeline: Timeline, requirement: Judge) -> None:
    found = timeline.read(limit=2, startDate="2024-01-31T12:00:00.500Z")

    requirement.check(found, expected=["e", "d"])


@pytest.mark.requirement("TIO-RD-016")
def test_without_dates_all_times_count(thing: Thing, requirement: Judge) -> None:
    key = thing.key("ages")
    for value, at in {"old": "19710101000000", "far": "20371231235959"}.items():
        thing.given([{"key": key, "value": value, "datetime": at}])

    requirement.check(values(thing.read(key, limit=10)), expected=["far", "old"])


@pytest.mark.requirement("TIO-RD-017")
@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"startDate": "20250101000000"}, id="after"),
        pytest.param({"endDate": "20230101000000"}, id="before"),
        pytest.param(
            {"startDate": "20240131120003", "endDate": "2024-01-31T12:00:03.900Z"}, id="between"
        ),
    ],
)
def test_nothing_in_range_is_an_empty_array(
    timeline: Timeline, requirement: Judge, query: dict[str, str]
) -> None:
    answer = timeline.thing.read(timeline.key, **query)

    requirement.check([answer.status, answer.json], expected=[200, []])


@pytest.mark.requirement("TIO-RD-018")
def test_key_never_written_is_404(thing: Thing, requirement: Judge) -> None:
    requirement.check(thing.read(thing.key("never")).status, expected=404)


@pytest.mark.requirement("TIO-RD-018")
@pytest.mark.parametrize("name", ["le", "led.", "LED.A", "led_a", "led.a.b", "led.a2"])
def test_key_like_one_that_was_written_is_404(thing: Thing, requirement: Judge, name: str) -> None:
    stem = thing.key()
    thing.given([{"key": f"{stem}led.a", "value": 1}])

    requirement.check(thing.read(stem + name).status, expected=404)


@pytest.mark.requirement("TIO-RD-018")
def test_key_that_another_thing_wrote_is_404(
    thing: Thing, second_thing: Thing, requirement: Judge
) -> None:
    key = thing.key("elsewhere")
    second_thing.given([{"key": key, "value": 1}])

    requirement.check(thing.read(key).status, expected=404)


@pytest.mark.requirement("TIO-RD-019")
def test_key_never_written_says_so(thing: Thing, requirement: Judge) -> None:
    answer = thing.read(thing.key("never")).json

    told = {name: answer[name] for name in answer if name != "code"} if is_error(answer) else answer
    requirement.check(told, expected={"status": "error", "message": "resource not found"})


@pytest.mark.requirement("TIO-RD-020")
def test_read_with_unknown_token_is_refused(
    api: ThethingsClient, unknown_token: str, requirement: Judge
) -> None:
    answer = api.read(unknown_token, "temperature")

    requirement.check_in(answer.status, accepted=REFUSED_TOKEN)
    requirement.check_that(is_error(answer.json), expected=ERROR, actual=shown(answer))


@pytest.mark.requirement("TIO-RD-020")
@pytest.mark.parametrize(
    "change",
    [str.swapcase, lambda text: text[:-1], lambda text: f"{text}x"],
    ids=["case", "short", "long"],
)
def test_token_that_is_almost_right_is_refused(
    thing: Thing, timeline: Timeline, requirement: Judge, change: Callable[[str], str]
) -> None:
    answer = thing.api.read(change(thing.token), timeline.key)

    requirement.check_in(answer.status, accepted=REFUSED_TOKEN)
    requirement.check_that(is_error(answer.json), expected=ERROR, actual=shown(answer))


@pytest.mark.requirement("TIO-RD-021")
def test_read_with_unknown_token_says_so(
    api: ThethingsClient, unknown_token: str, requirement: Judge
) -> None:
    answer = api.read(unknown_token, "temperature").json

    message = answer.get("message") if isinstance(answer, dict) else answer
    requirement.check(message, expected="Thing token doesn't exist")


@pytest.mark.requirement("TIO-RD-022")
@pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5", ""])
def test_bad_limit_is_400(timeline: Timeline, requirement: Judge, limit: str) -> None:
    requirement.check(timeline.thing.read(timeline.key, limit=limit).status, expected=400)


@pytest.mark.requirement("TIO-RD-023")
def test_read_shows_no_other_key(thing: Thing, requirement: Judge) -> None:
    key = thing.key("mine")
    for name in (key, key + "2", key + ".a", "x" + key):
        thing.given([{"key": name, "value": name, "datetime": "20240131120000"}])

    requirement.check(values(thing.read(key, limit=10)), expected=[key])


@pytest.mark.requirement("TIO-RD-023")
def test_key_escaped_twice_is_another_key(
    thing: Thing, api: ThethingsClient, requirement: Judge
) -> None:
    """``%2565`` stands for ``%65``, which stands for itself: unescaping is done once."""
    key = thing.key("twice")
    thing.given([{"key": key, "value": 1}])

    answer = api.send("GET", f"/v2/things/{thing.token}/resources/{key[:-1]}%2565")

    rows = answer.json if isinstance(answer.json, list) else []
    requirement.check(rows, expected=[])


@pytest.mark.requirement("TIO-RD-024")
def test_read_shows_no_other_thing(thing: Thing, second_thing: Thing, requirement: Judge) -> None:
    key = thing.key("same")
    thing.given([{"key": key, "value": "first thing", "datetime": "20240131120000"}])

    alone = values(second_thing.read(key))
    second_thing.given([{"key": key, "value": "second thing", "datetime": "20240131120001"}])

    both = [values(each.read(key, limit=10)) for each in (thing, second_thing)]
    requirement.check_that(alone != ["first thing"], expected="no row", actual=alone)
    requirement.check(both, expected=[["first thing"], ["second thing"]])


@pytest.mark.requirement("TIO-RD-025")
def test_reading_changes_nothing(timeline: Timeline, requirement: Judge) -> None:
    first = timeline.thing.read(timeline.key, limit=3)

    second = timeline.thing.read(timeline.key, limit=3)

    requirement.check([second.status, second.json], expected=[first.status, first.json])
    requirement.check(len(datetimes(second)), expected=3)
