"""GET /v2/utils/date: what time the server thinks it is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.clients.thethings_io import ThethingsClient
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.shapes import DATE, is_date, moment, seconds_apart, shown

FORMATS = [
    pytest.param({}, id="default"),
    pytest.param({"format": "UTC"}, id="UTC"),
    pytest.param({"format": "unix_timestamp"}, id="unix_timestamp"),
]


def ask(thing: Thing, **query: str) -> Response:
    """Ask for the date with the thing's token."""
    return thing.api.server_date(thingToken=thing.token, **query)


def date_of(answer: Response) -> Any:
    """The member ``date`` of an answer; the answer whole when it has none."""
    document = answer.json
    return document["date"] if isinstance(document, dict) and "date" in document else shown(answer)


@pytest.mark.requirement("TIO-DATE-001")
def test_utc_has_the_form_of_all_dates(thing: Thing, requirement: Judge) -> None:
    answer = ask(thing, format="UTC")

    requirement.check_that(
        answer.status == 200 and is_date(date_of(answer)),
        expected=f"status 200 and a date of the form {DATE.pattern}",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-DATE-002")
def test_utc_is_the_default(thing: Thing, requirement: Judge) -> None:
    answer = ask(thing)

    requirement.check_that(
        answer.status == 200 and is_date(date_of(answer)),
        expected=f"status 200 and a date of the form {DATE.pattern}",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-DATE-003")
def test_unix_timestamp_is_a_number_of_seconds(thing: Thing, requirement: Judge) -> None:
    answer = ask(thing, format="unix_timestamp")

    date = date_of(answer)
    is_whole = isinstance(date, int | float) and not isinstance(date, bool) and date == int(date)
    requirement.check_that(
        answer.status == 200 and is_whole and 1e9 < date < 1e10,
        expected="status 200 and a date as a whole number of seconds",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-DATE-004")
@pytest.mark.parametrize("query", FORMATS)
def test_values_repeat_the_date(thing: Thing, requirement: Judge, query: dict[str, str]) -> None:
    answer = ask(thing, **query)

    values = answer.json.get("values") if isinstance(answer.json, dict) else shown(answer)
    requirement.check(values, expected=[{"value": date_of(answer)}])


@pytest.mark.requirement("TIO-DATE-005")
@pytest.mark.parametrize("query", FORMATS)
def test_time_is_right(thing: Thing, requirement: Judge, query: dict[str, str]) -> None:
    date = date_of(ask(thing, **query))
    now = datetime.now(UTC)

    apart_s = abs(date - now.timestamp()) if is_seconds(date) else seconds_apart(date, now)
    requirement.check_that(apart_s <= 5.0, expected=f"{now.isoformat()}, to 5 s", actual=date)


@pytest.mark.requirement("TIO-DATE-006")
def test_both_formats_tell_the_same_time(thing: Thing, requirement: Judge) -> None:
    text = date_of(ask(thing, format="UTC"))
    seconds = date_of(ask(thing, format="unix_timestamp"))

    named = moment(text)
    requirement.check_that(
        named is not None and is_seconds(seconds) and -1.5 <= seconds - named.timestamp() <= 5.0,
        expected="the same time in both formats, the second asked for just after the first",
        actual=[text, seconds],
    )


@pytest.mark.requirement("TIO-DATE-007")
@pytest.mark.parametrize("path", ["/v2/utils/date", "/v2/utils/date/"], ids=["without", "with"])
def test_slash_at_the_end_is_free(
    api: ThethingsClient, thing: Thing, requirement: Judge, path: str
) -> None:
    answer = api.send("GET", f"{path}?thingToken={thing.token}&format=unix_timestamp")

    requirement.check_that(
        answer.status == 200 and is_seconds(date_of(answer)),
        expected="status 200 and the date",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-DATE-008")
@pytest.mark.parametrize("query", FORMATS)
def test_answer_is_compact_and_ends_with_values(
    thing: Thing, requirement: Judge, query: dict[str, str]
) -> None:
    answer = ask(thing, **query)

    text = answer.body.decode("utf-8", "replace").strip()
    date = date_of(answer)
    shown_date = f'"{date}"' if isinstance(date, str) else str(date)
    requirement.check_that(
        text.endswith(f'"values":[{{"value":{shown_date}}}]}}') and "\n" not in text,
        expected='one line that ends with "values":[{"value":…}]}',
        actual=text,
    )


@pytest.mark.requirement("TIO-DATE-009")
def test_without_credentials_it_is_401(api: ThethingsClient, requirement: Judge) -> None:
    requirement.check(api.server_date().status, expected=401)


@pytest.mark.requirement("TIO-DATE-010")
def test_other_format_is_400(thing: Thing, requirement: Judge) -> None:
    requirement.check(ask(thing, format="julian").status, expected=400)


def is_seconds(date: Any) -> bool:
    """Whether a date is a number."""
    return isinstance(date, int | float) and not isinstance(date, bool)
