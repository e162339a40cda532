"""Dates: every form that goes in, and the one form that comes out."""

from datetime import UTC, datetime

import pytest

from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.shapes import (
    DATE,
    column_of,
    datetimes,
    entry_column,
    is_date,
    seconds_apart,
    shown,
    values,
)

NOT_A_DATE = [
    "yesterday",
    "2024-01-31",
    "20240131",
    "202401311200",
    "20241331120000",
    "20240230120000",
    "20240131250000",
    "2024-02-30T12:00:00.000Z",
    "31.01.2024 12:00",
    "1706702400",
    "",
]


@pytest.mark.requirement("TIO-TIME-001")
def test_dates_of_a_read_have_the_one_form(thing: Thing, requirement: Judge) -> None:
    key = thing.key("form")
    thing.given([{"key": key, "value": 1, "datetime": "20240131120000"}])
    thing.given([{"key": key, "value": 2}])

    found = datetimes(thing.read(key, limit=10))

    requirement.check_that(
        isinstance(found, list) and len(found) == 2 and all(map(is_date, found)),
        expected=f"two datetimes of the form {DATE.pattern}",
        actual=found,
    )


@pytest.mark.requirement("TIO-TIME-001")
def test_dates_of_all_resources_have_the_one_form(thing: Thing, requirement: Judge) -> None:
    key = thing.key("form")
    thing.given([{"key": key, "value": 1}])

    found = entry_column(thing.all_resources(), key, "datetime")

    requirement.check_that(
        isinstance(found, list) and len(found) == 1 and all(map(is_date, found)),
        expected=f"a datetime of the form {DATE.pattern}",
        actual=found,
    )


@pytest.mark.requirement("TIO-TIME-002")
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("20240131120000", "2024-01-31T12:00:00.000Z"),
        ("20240229235959", "2024-02-29T23:59:59.000Z"),
        ("20000229235959", "2000-02-29T23:59:59.000Z"),
        ("20150330013000", "2015-03-30T01:30:00.000Z"),
        ("20150329023000", "2015-03-29T02:30:00.000Z"),
        ("20240310023000", "2024-03-10T02:30:00.000Z"),
        ("20241103013000", "2024-11-03T01:30:00.000Z"),
        ("20371231000001", "2037-12-31T00:00:01.000Z"),
        ("20380119031408", "2038-01-19T03:14:08.000Z"),
    ],
)
def test_write_takes_14_digits(thing: Thing, requirement: Judge, sent: str, stored: str) -> None:
    requirement.check(written_at(thing, sent), expected=[stored])


@pytest.mark.requirement("TIO-TIME-003")
@pytest.mark.parametrize(
    "sent", ["2024-01-31T12:00:00.123Z", "2024-06-30T23:59:59.999Z", "2024-01-31T12:00:00.001Z"]
)
def test_write_takes_iso_with_z(thing: Thing, requirement: Judge, sent: str) -> None:
    requirement.check(written_at(thing, sent), expected=[sent])


@pytest.mark.requirement("TIO-TIME-004")
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2024-01-31T12:00:00.123456", "2024-01-31T12:00:00.123Z"),
        ("2024-07-31T12:00:00.123000", "2024-07-31T12:00:00.123Z"),
        ("2024-01-31T12:00:00.120", "2024-01-31T12:00:00.120Z"),
        ("2024-01-31T12:00:00.5", "2024-01-31T12:00:00.500Z"),
        ("2024-01-31T12:00:00", "2024-01-31T12:00:00.000Z"),
    ],
)
def test_write_takes_iso_without_z(
    thing: Thing, requirement: Judge, sent: str, stored: str
) -> None:
    requirement.check(written_at(thing, sent), expected=[stored])


@pytest.mark.requirement("TIO-TIME-005")
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("20240131T120000", "2024-01-31T12:00:00.000Z"),
        ("20240731T235959", "2024-07-31T23:59:59.000Z"),
    ],
)
def test_write_takes_compact_form_with_t(
    thing: Thing, requirement: Judge, sent: str, stored: str
) -> None:
    requirement.check(written_at(thing, sent), expected=[stored])


FORMS_OF_NOON = [
    "20240131120000",
    "2024-01-31T12:00:00.000Z",
    "2024-01-31T12:00:00.000000",
    "2024-01-31T12:00:00",
    "20240131T120000",
]


@pytest.fixture(scope="module")
def noon_key(thing: Thing) -> str:
    """A key with rows a second before, at, and a second after 2024-01-31T12:00:00Z."""
    key = thing.key("noon")
    rows = {"before": "20240131115959", "noon": "20240131120000", "after": "20240131120001"}
    for value, at in rows.items():
        thing.given([{"key": key, "value": value, "datetime": at}])
    return key


@pytest.mark.requirement("TIO-TIME-006")
@pytest.mark.parametrize("form", FORMS_OF_NOON)
def test_start_date_takes_every_form(
    thing: Thing, noon_key: str, requirement: Judge, form: str
) -> None:
    found = values(thing.read(noon_key, limit=10, startDate=form))

    requirement.check_in(found, accepted=[["after", "noon"], ["after"]])


@pytest.mark.requirement("TIO-TIME-007")
@pytest.mark.parametrize("form", FORMS_OF_NOON)
def test_end_date_takes_every_form(
    thing: Thing, noon_key: str, requirement: Judge, form: str
) -> None:
    found = values(thing.read(noon_key, limit=10, endDate=form))

    requirement.check_in(found, accepted=[["before"], ["noon", "before"]])


@pytest.mark.requirement("TIO-TIME-007")
def test_colons_of_a_bound_need_no_escape(thing: Thing, noon_key: str, requirement: Judge) -> None:
    path = f"/v2/things/{thing.token}/resources/{noon_key}"

    answer = thing.api.send("GET", f"{path}?limit=10&endDate=2024-01-31T12:00:00.000Z")

    requirement.check_in(values(answer), accepted=[["before"], ["noon", "before"]])


@pytest.mark.requirement("TIO-TIME-008")
def test_now_is_the_time_of_the_server(thing: Thing, requirement: Judge) -> None:
    stamps = written_at(thing, "NOW()")

    stamp = column_of([{"at": stamps}], "at", otherwise=None)[0]
    requirement.check_that(
        isinstance(stamp, list) and seconds_apart(stamp[0], datetime.now(UTC)) <= 5.0,
        expected="the time of receipt",
        actual=stamps,
    )


@pytest.mark.requirement("TIO-TIME-009")
def test_finer_fractions_are_cut(thing: Thing, requirement: Judge) -> None:
    requirement.check(
        written_at(thing, "2024-01-31T12:00:00.123999"), expected=["2024-01-31T12:00:00.123Z"]
    )


@pytest.mark.requirement("TIO-TIME-010")
@pytest.mark.parametrize("sent", ["2024-01-31T14:00:00.000+02:00", "2024-01-31T07:00:00-05:00"])
def test_offsets_are_converted(thing: Thing, requirement: Judge, sent: str) -> None:
    requirement.check(written_at(thing, sent), expected=["2024-01-31T12:00:00.000Z"])


@pytest.mark.requirement("TIO-TIME-011")
@pytest.mark.parametrize("sent", NOT_A_DATE, ids=lambda text: text or "empty")
def test_other_datetime_is_400(thing: Thing, requirement: Judge, sent: str) -> None:
    answer = thing.write([{"key": thing.key("dated"), "value": 1, "datetime": sent}])

    requirement.check(answer.status, expected=400)


@pytest.mark.requirement("TIO-TIME-012")
@pytest.mark.parametrize("bound", ["startDate", "endDate"])
@pytest.mark.parametrize("sent", NOT_A_DATE, ids=lambda text: text or "empty")
def test_other_bound_is_400(
    thing: Thing, noon_key: str, requirement: Judge, bound: str, sent: str
) -> None:
    requirement.check(thing.read(noon_key, **{bound: sent}).status, expected=400)


def written_at(thing: Thing, sent: str) -> object:
    """Write one value with a datetime under a fresh key; the datetimes a read of it brings."""
    key = thing.key("dated")
    written = thing.write([{"key": key, "value": 1, "datetime": sent}])
    found = datetimes(thing.read(key))
    return found if isinstance(found, list) else shown(written)
