"""Everything is read back, page by page, whatever the platform's cap on a page is."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
import simpy

from scenarios.readback import Reader, Resource, Row, Stored, canonical, time_ms
from simulators.clock import VirtualClock
from simulators.transports.http import HttpAnswer, Subscription, TransportError


class Shelf:
    """A platform with one resource: rows as (milliseconds, value), newest first, and a cap."""

    def __init__(self, clock: VirtualClock, rows: list[tuple[int, Any]], cap: int) -> None:
        self.clock = clock
        self.rows = rows
        self.cap = cap
        self.failures: list[HttpAnswer | TransportError] = []
        self.asked = 0

    def request(self, method: str, target: str, document: Any = None) -> simpy.Event:
        self.asked += 1
        if self.failures:
            failure = self.failures.pop(0)
            event = self.clock.event()
            if isinstance(failure, TransportError):
                return event.fail(failure)
            return event.succeed(failure)
        query = parse_qs(urlsplit(target).query)
        end = time_ms(query["endDate"][0]) if "endDate" in query else 1 << 60
        page = [row for row in self.rows if row[0] < end][: self.cap]
        rows = [{"key": "k", "value": value, "datetime": iso(ms)} for ms, value in page]
        return self.clock.timeout(0, HttpAnswer(200, rows))

    def subscribe(
        self,
        target: str,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
        document: Any = None,
    ) -> Subscription:
        raise NotImplementedError

    def close(self) -> None:
        pass


class Thing:
    name = "thing-1"
    path = "/v2/things/t"
    account: ClassVar[list[Any]] = []


def iso(ms: int) -> str:
    return f"1970-01-01T00:{ms // 60000:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}Z"


def read(shelf: Shelf) -> Stored:
    into: dict[tuple[str, str], Stored] = {}
    thing: Any = Thing()

    def process() -> Generator[simpy.Event, Any, None]:
        yield from Reader(shelf.clock, shelf).read_all([Resource(thing, "k")], into)

    shelf.clock.process(process())
    shelf.clock.play(shelf.clock.now_us() / 1e6 + 100)
    return into["thing-1", "k"]


@pytest.mark.parametrize("cap", [3, 7, 1000])
def test_pages_join_to_the_whole_even_where_rows_share_a_time(cap: int) -> None:
    rows = [(ms // 2, f"v{ms}") for ms in range(50, 0, -1)]
    clock = VirtualClock()
    stored = read(Shelf(clock, rows, cap))
    assert stored.problem is None
    assert stored.rows == [Row(canonical(value), ms) for ms, value in rows]


def test_equal_rows_are_all_counted() -> None:
    rows = [(5, "a"), (5, "a"), (5, "a"), (4, "a"), (4, "b")]
    assert [row.time_ms for row in read(Shelf(VirtualClock(), rows, 4)).rows] == [5, 5, 5, 4, 4]


def test_a_page_full_of_one_time_is_a_problem_and_no_loss() -> None:
    stored = read(Shelf(VirtualClock(), [(5, number) for number in range(150)], 100))
    assert stored.problem == "more rows of one millisecond than a page shows"


def test_failures_are_tried_again() -> None:
    shelf = Shelf(VirtualClock(), [(5, "a")], 10)
    shelf.failures = [TransportError("gone"), HttpAnswer(503, None)]
    assert read(shelf).rows == [Row('"a"', 5)]
    shelf.failures = [TransportError("gone")] * 3
    assert read(shelf).problem == "gone"


def test_an_answer_that_shows_no_values_is_no_rows() -> None:
    no_value, no_date = {"datetime": iso(1)}, {"value": 1, "datetime": "noon"}
    documents: list[Any] = [{}, [1], [no_date], [no_value], b"x"]
    for document in documents:
        shelf = Shelf(VirtualClock(), [], 10)
        shelf.failures = [HttpAnswer(200, document)]
        stored = read(shelf)
        assert (stored.rows, stored.problem) == ([], None)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:01.234Z", 1234),
        ("19700101000001", 1000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:00.001", 1),
    ],
)
def test_dates_are_read_in_every_form(text: str, ms: int) -> None:
    assert time_ms(text) == ms


def test_numbers_are_equal_by_value_and_booleans_are_no_numbers() -> None:
    assert canonical({"a": [21.0, 1]}) == canonical({"a": [21, 1.0]})
    assert canonical(True) != canonical(1)
    assert canonical("1") != canonical(1)
