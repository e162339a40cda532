"""Tags: added, listed, deleted, whatever the answers look like."""

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.clients.thethings_io import ThethingsClient
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.thethings_io.shapes import ERROR, REFUSED_TOKEN, is_error, shown


@pytest.fixture(scope="module", autouse=True)
def removed_at_the_end(thing: Thing) -> Iterator[None]:
    """Delete every tag that was not there before."""
    before = entries(thing.tags().json)
    yield
    for tag in entries(thing.tags().json):
        if tag not in before and isinstance(tag, dict) and "_id" in tag:
            thing.delete_tag(str(tag["_id"]))


@pytest.mark.requirement("TIO-TAG-001")
@pytest.mark.parametrize("colour", ["red", "Red"])
def test_added_tag_is_listed(thing: Thing, requirement: Judge, colour: str) -> None:
    name = thing.key(colour)

    thing.add_tag(name)

    listed = thing.tags()
    requirement.check_that(
        holds(listed.json, name), expected=f"{name!r} in the list", actual=shown(listed)
    )


@pytest.mark.requirement("TIO-TAG-002")
def test_deleted_tag_is_gone_and_others_stay(thing: Thing, requirement: Judge) -> None:
    gone, stays = thing.key("gone"), thing.key("stays")
    added = thing.add_tag(gone)
    thing.add_tag(stays)

    thing.delete_tag(tag_id(added, thing.tags(), gone))

    listed = thing.tags()
    requirement.check_that(
        listed.status == 200 and holds(listed.json, stays) and not holds(listed.json, gone),
        expected=f"{stays!r} in the list and {gone!r} not",
        actual=shown(listed),
    )


@pytest.mark.requirement("TIO-TAG-003")
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_token_is_refused(
    api: ThethingsClient, unknown_token: str, requirement: Judge, method: str
) -> None:
    calls = {
        "GET": lambda: api.tags(unknown_token),
        "POST": lambda: api.add_tag(unknown_token, "red"),
        "DELETE": lambda: api.delete_tag(unknown_token, "red"),
    }

    answer = calls[method]()

    requirement.check_in(answer.status, accepted=REFUSED_TOKEN)
    requirement.check_that(is_error(answer.json), expected=ERROR, actual=shown(answer))


@pytest.mark.requirement("TIO-TAG-007")
def test_things_have_tags_of_their_own(
    thing: Thing, second_thing: Thing, requirement: Judge
) -> None:
    name = thing.key("mine")

    thing.add_tag(name)

    listed = second_thing.tags()
    requirement.check_that(
        listed.status == 200 and not holds(listed.json, name),
        expected=f"a list without {name!r}",
        actual=shown(listed),
    )


@pytest.mark.requirement("TIO-TAG-004")
def test_added_tag_is_told_back(thing: Thing, requirement: Judge) -> None:
    name = thing.key("told")

    answer = thing.add_tag(name)

    told = {"_id": "any", **answer.json} if isinstance(answer.json, dict) else shown(answer)
    requirement.check(
        [answer.status, {**told, "_id": "any"}],
        expected=[201, {"status": "created", "_id": "any", "name": name}],
    )


@pytest.mark.requirement("TIO-TAG-005")
def test_same_tag_twice_is_one(thing: Thing, requirement: Judge) -> None:
    name = thing.key("twice")
    for _ in range(2):
        thing.add_tag(name)

    listed = thing.tags().json

    requirement.check(len([tag for tag in entries(listed) if holds(tag, name)]), expected=1)


@pytest.mark.requirement("TIO-TAG-006")
def test_unknown_tag_is_404(thing: Thing, requirement: Judge) -> None:
    requirement.check(thing.delete_tag(thing.key("never")).status, expected=404)


def holds(document: Any, text: str) -> bool:
    """Whether a string stands anywhere in a document as a whole."""
    if isinstance(document, dict):
        return any(holds(value, text) for value in document.values())
    if isinstance(document, list):
        return any(holds(value, text) for value in document)
    return bool(document == text)


def entries(document: Any) -> list[Any]:
    """The entries of a list of tags, which may stand in a member of an object."""
    if isinstance(document, dict):
        return next((value for value in document.values() if isinstance(value, list)), [])
    return document if isinstance(document, list) else []


def tag_id(added: Response, listed: Response, name: str) -> str:
    """The id of a tag, from the answer to adding it or from its entry in the list."""
    for document in (added.json, *(tag for tag in entries(listed.json) if holds(tag, name))):
        for member in ("_id", "id", "tagId"):
            if isinstance(document, dict) and isinstance(document.get(member), str | int):
                return str(document[member])
    if holds(listed.json, name):
        return name
    raise Inconclusive(f"the tag {name!r} was added, but no answer tells its id")
