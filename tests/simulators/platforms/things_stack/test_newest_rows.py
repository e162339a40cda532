"""A table that only grows at its end: what it keeps, and how long it gets."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.newest_rows import NewestRows, table

NUMBERS = range(1, 7)
_NUMBER = st.sampled_from(NUMBERS)
_VALUE = st.binary(min_size=1, max_size=3)
_STEP = st.one_of(
    st.tuples(st.just("write"), _NUMBER, _VALUE),
    st.tuples(st.just("write_all"), st.lists(st.tuples(_NUMBER, _VALUE), max_size=9)),
    st.tuples(st.just("delete"), _NUMBER),
    st.sampled_from([("commit",), ("rollback",), ("killed",)]),
)


def _opened(connection: sqlite3.Connection) -> NewestRows:
    return NewestRows(Database(connection), "log", slack=2, together=2)


def _values(rows: NewestRows) -> dict[int, bytes]:
    found = {number: rows.read(number) for number in range(10)}
    return {number: value for number, value in found.items() if value is not None}


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.executescript(table("log"))
        yield opened


def _length(connection: sqlite3.Connection) -> int:
    count: int = connection.execute("SELECT count(*) FROM log").fetchone()[0]
    return count


@given(st.lists(_STEP, max_size=60))
def test_values_are_those_of_a_dict(steps: list[tuple[object, ...]]) -> None:
    """Whatever happens to the process or its transactions."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(table("log"))
        rows = _opened(connection)
        now: dict[int, bytes] = {}
        committed: dict[int, bytes] = {}
        for kind, *given_values in steps:
            if kind in ("write", "write_all", "delete"):
                getattr(rows, kind)(*given_values)
                _apply(now, kind, given_values)
            elif kind == "commit":
                connection.commit()
                committed = dict(now)
            else:
                connection.rollback()
                now = dict(committed)
                rows.forget()
                if kind == "killed":
                    rows = _opened(connection)
            assert _values(rows) == now
            assert len(rows) == len(now)
        assert _values(_opened(connection)) == now


def _apply(now: dict[int, bytes], kind: object, values: list[object]) -> None:
    if kind == "delete":
        now.pop(values[0], None)  # type: ignore[call-overload]
    else:
        now.update([values] if kind == "write" else values[0])  # type: ignore[call-overload]


@pytest.mark.parametrize("active", [1, 50, 1000])
def test_rows_that_do_not_count_are_not_many_more_than_those_that_do(
    connection: sqlite3.Connection, active: int
) -> None:
    """Also when few of many numbers change."""
    rows = NewestRows(Database(connection), "log", slack=100)
    rows.write_all((number, b"first") for number in range(1000))
    chosen = random.Random(active)
    most = 0
    for count in range(10_000):
        rows.write(chosen.randrange(active), b"%d" % count)
        most = max(most, _length(connection))
    assert most < 2.5 * 1000 + 100
    assert len(rows) == 1000


def test_a_write_looks_at_few_rows(connection: sqlite3.Connection) -> None:
    """No write waits while the whole table is put in order."""
    rows = NewestRows(Database(connection), "log", slack=100)
    changes = connection.total_changes
    most = 0
    for count in range(10_000):
        rows.write(count % 2000, b"x")
        connection.commit()
        most = max(most, connection.total_changes - changes)
        changes = connection.total_changes
    assert most < 400


def test_of_deleted_numbers_nothing_is_left_in_the_end(connection: sqlite3.Connection) -> None:
    rows = NewestRows(Database(connection), "log", slack=10)
    rows.write_all((number, b"first") for number in range(1, 1001))
    for number in range(1, 1001):
        rows.delete(number)
    rows.write_all((2000, b"%d" % count) for count in range(1000))
    assert _length(connection) < 50
    assert _values(_opened(connection)) == {}
    assert len(_opened(connection)) == 1


def test_a_number_that_is_used_again_has_no_value(connection: sqlite3.Connection) -> None:
    rows = _opened(connection)
    rows.write(5, b"of the first")
    rows.delete(5)
    connection.commit()
    assert _opened(connection).read(5) is None


def test_deleting_what_is_not_there_writes_nothing(connection: sqlite3.Connection) -> None:
    rows = _opened(connection)
    rows.delete(5)
    assert _length(connection) == 0
