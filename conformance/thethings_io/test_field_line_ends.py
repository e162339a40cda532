"""Line ends as boards in the field send them: LF without CR, and some to spare after the body."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.clients.board import converse
from conformance.clients.stream import Stream
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.thethings_io.field import (
    ACCEPTED,
    LF,
    hear,
    is_counted,
    outcome,
    read,
    request,
    tidily_read,
    write,
)
from conformance.thethings_io.shapes import is_error, shown

UNKNOWN_CODE = '{"activationCode":"thingrig-no-such-code","productId":"thingrig"}'


@pytest.fixture
def bare_stream(thing: Thing) -> Iterator[Stream]:
    """A subscription that was asked for with bare LF."""
    path = f"/v2/things/{thing.token}?keepAlive=60000"
    tidy = Stream(thing.api.http, path)
    tidy.close()
    if tidy.status != 200:
        raise Inconclusive(f"not even a tidy subscription opens: {tidy.response.summary()}")
    opened = Stream(thing.api.http, path, request=request(thing, "GET", path, end=LF))
    yield opened
    opened.close()


@pytest.mark.requirement("TIO-FLD-001")
def test_write_with_bare_lf_counts(thing: Thing, requirement: Judge) -> None:
    key = thing.key("bare")

    heard = hear(thing, write(thing, key, end="\n"))

    became = outcome(thing, heard, key)
    requirement.check_that(is_counted(became), expected=ACCEPTED, actual=became)


@pytest.mark.requirement("TIO-FLD-002")
def test_read_with_bare_lf_is_answered(thing: Thing, requirement: Judge) -> None:
    key = thing.key("bare")
    thing.given([{"key": key, "value": "there"}])

    answer = hear(thing, read(thing, key, end="\n")).response

    requirement.check(shown(answer), expected=tidily_read(thing, key))


@pytest.mark.requirement("TIO-FLD-003")
def test_activation_with_bare_lf_is_answered(thing: Thing, requirement: Judge) -> None:
    tidy, bare = (
        hear(thing, request(thing, "POST", "/v2/things", body=UNKNOWN_CODE, end=end)).response
        for end in ("\r\n", "\n")
    )
    if not is_error(tidy.json):
        raise Inconclusive(f"the same activation with CRLF is not refused: {tidy.summary()}")

    requirement.check(shown(bare), expected=shown(tidy))


@pytest.mark.requirement("TIO-FLD-004")
def test_subscription_with_bare_lf_opens(bare_stream: Stream, requirement: Judge) -> None:
    bare_stream.wait_for(1, 3.0)

    seen = [bare_stream.status or bare_stream.ended, len(bare_stream.documents)]
    requirement.check(seen, expected=[200, 1])


@pytest.mark.requirement("TIO-FLD-005")
def test_write_byte_by_byte_counts(thing: Thing, requirement: Judge) -> None:
    key = thing.key("bytes")

    heard = hear(thing, write(thing, key, end="\n"), pause_s=0.004)

    became = outcome(thing, heard, key)
    requirement.check_that(is_counted(became), expected=ACCEPTED, actual=became)


@pytest.mark.requirement("TIO-FLD-006")
def test_two_lf_after_the_body_are_ignored(thing: Thing, requirement: Judge) -> None:
    key = thing.key("after")

    heard = hear(thing, write(thing, key) + b"\n\n")

    became = outcome(thing, heard, key)
    requirement.check_that(is_counted(became), expected=ACCEPTED, actual=became)


@pytest.mark.requirement("TIO-FLD-007")
def test_crlf_after_the_body_is_ignored(thing: Thing, requirement: Judge) -> None:
    key = thing.key("after")

    heard = hear(thing, write(thing, key) + b"\r\n")

    became = outcome(thing, heard, key)
    requirement.check_that(is_counted(became), expected=ACCEPTED, actual=became)


@pytest.mark.requirement("TIO-FLD-008")
@pytest.mark.parametrize("rest", ["\n\n", "\r\n"], ids=["lf-lf", "crlf"])
def test_request_after_stray_line_ends_is_served(
    thing: Thing, requirement: Judge, rest: str
) -> None:
    key = thing.key("kept")

    heard = converse(thing.api.http, [write(thing, key) + rest.encode(), read(thing, key)])

    if not heard[0].response.is_success:
        raise Inconclusive(f"the write was not accepted: {heard[0].response.summary()}")
    answer = heard[1].response
    requirement.check_that(
        answer.status is None or shown(answer) == tidily_read(thing, key),
        expected="the rows, or a closed connection",
        actual=shown(answer),
    )
