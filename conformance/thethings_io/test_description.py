"""The description of a thing: one document, read whole and replaced whole."""

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.clients.thethings_io import ThethingsClient
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.shapes import ERROR, REFUSED_TOKEN, body_status, is_error, shown


@pytest.fixture(scope="module", autouse=True)
def as_it_was(own_thing: Thing) -> Iterator[None]:
    """Put back the description that the thing had before, if it had one."""
    before = described(own_thing)
    yield
    if isinstance(before, dict):
        own_thing.put_description(before)


@pytest.mark.requirement("TIO-DESC-001")
def test_put_is_accepted(own_thing: Thing, requirement: Judge) -> None:
    answer = own_thing.put_description({"name": "Meter in the hall"})

    requirement.check([answer.status, body_status(answer)], expected=[200, "success"])


@pytest.mark.requirement("TIO-DESC-002")
@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"name": "Meter in the hall"}, id="text"),
        pytest.param({"n": 21.5, "s": "21", "b": True, "l": [1, "2"], "o": {"p": {}}}, id="types"),
        pytest.param({"name": "Küche 😀", "geo": {"lat": 41.4, "long": 2.2}}, id="unicode"),
    ],
)
def test_description_reads_as_it_was_put(
    own_thing: Thing, requirement: Judge, document: dict[str, Any]
) -> None:
    own_thing.put_description(document)

    answer = own_thing.get_description()

    first = answer.json[0] if isinstance(answer.json, list) and answer.json else shown(answer)
    is_row = isinstance(first, dict) and "key" in first
    told = {name: first.get(name) for name in ("key", "value")} if is_row else first
    requirement.check(
        [answer.status, told], expected=[200, {"key": "description", "value": document}]
    )


@pytest.mark.requirement("TIO-DESC-003")
def test_put_replaces_the_whole_document(own_thing: Thing, requirement: Judge) -> None:
    own_thing.put_description({"name": "old", "room": "hall"})

    own_thing.put_description({"name": "new"})

    requirement.check(described(own_thing), expected={"name": "new"})


@pytest.mark.requirement("TIO-DESC-003")
def test_empty_document_replaces_as_well(own_thing: Thing, requirement: Judge) -> None:
    own_thing.put_description({"name": "old", "room": "hall"})

    own_thing.put_description({})

    answer = own_thing.get_description()
    left = described(own_thing) if answer.json else {}
    requirement.check([answer.status, left], expected=[200, {}])


@pytest.mark.requirement("TIO-DESC-004")
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_unknown_token_is_refused(
    api: ThethingsClient, unknown_token: str, requirement: Judge, method: str
) -> None:
    if method == "PUT":
        answer = api.put_description(unknown_token, {"name": "nobody"})
    else:
        answer = api.get_description(unknown_token)

    requirement.check_in(answer.status, accepted=REFUSED_TOKEN)
    requirement.check_that(is_error(answer.json), expected=ERROR, actual=shown(answer))


@pytest.mark.requirement("TIO-DESC-005")
def test_things_have_descriptions_of_their_own(
    own_thing: Thing, second_thing: Thing, requirement: Judge
) -> None:
    before = described(second_thing)

    own_thing.put_description({"name": "first thing"})

    after = [described(own_thing), described(second_thing)]
    requirement.check(after, expected=[{"name": "first thing"}, before])


@pytest.mark.requirement("TIO-DESC-006")
def test_description_may_be_written_like_a_resource(own_thing: Thing, requirement: Judge) -> None:
    own_thing.put_description({"name": "old", "room": "hall"})

    own_thing.write([{"key": "description", "value": {"name": "written"}}])

    requirement.check(described(own_thing), expected={"name": "written"})


def described(thing: Thing) -> Any:
    """The value of the description's first row; the answer whole when there is none."""
    answer = thing.get_description()
    first = answer.json[0] if isinstance(answer.json, list) and answer.json else None
    return first["value"] if isinstance(first, dict) and "value" in first else str(shown(answer))
