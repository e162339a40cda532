"""POST /v2/me/things: a thing becomes a user's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from conformance.clients.exchange import Response
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.people import Home, People, User, moved_in
from conformance.run import Run
from conformance.thethings_io.app_shapes import ids, member, seen
from conformance.thethings_io.shapes import ERROR, body_status, is_refused, shown


class Linked(NamedTuple):
    """A home, and the answer that made it one."""

    home: Home
    answer: Response


@contextmanager
def unlinked_afterwards(people: People, user: User, thing: Thing) -> Iterator[str]:
    """The id of a thing that belongs to nobody; whatever links it meanwhile is undone."""
    with moved_in(people, user, thing) as home:  # only linking tells its id
        thing_id = home.id
    try:
        yield thing_id
    finally:
        people.tidy_up("link")


@pytest.fixture
def by_token(people: People, owner: User, second_thing: Thing) -> Iterator[Linked]:
    """A thing that was just linked by its token."""
    with unlinked_afterwards(people, owner, second_thing) as thing_id:
        answer = owner.link(thing_token=second_thing.token)
        yield Linked(Home(owner, second_thing, thing_id), answer)


@pytest.fixture
def by_id(people: People, owner: User, second_thing: Thing) -> Iterator[Linked]:
    """A thing that was just linked by its id."""
    with unlinked_afterwards(people, owner, second_thing) as thing_id:
        answer = owner.link(thing_id=thing_id)
        yield Linked(Home(owner, second_thing, thing_id), answer)


@pytest.mark.requirement("TIO-LINK-001")
def test_link_by_token_is_200_or_201(by_token: Linked, requirement: Judge) -> None:
    requirement.check_in(by_token.answer.status, accepted=[200, 201])


@pytest.mark.requirement("TIO-LINK-002")
def test_link_tells_the_id(by_token: Linked, requirement: Judge) -> None:
    told = {"status": body_status(by_token.answer), "thingId": member(by_token.answer, "thingId")}

    requirement.check(told, expected={"status": "success", "thingId": by_token.home.id})


@pytest.mark.requirement("TIO-LINK-002")
def test_id_is_that_of_the_activation(
    people: People, owner: User, own_thing: Thing, requirement: Judge
) -> None:
    activated = own_thing.activation.json.get("thingId") if own_thing.activation else None
    with unlinked_afterwards(people, owner, own_thing) as thing_id:
        answer = owner.link(thing_token=own_thing.token)

    requirement.check(member(answer, "thingId"), expected=activated or thing_id)


@pytest.mark.requirement("TIO-LINK-003")
def test_link_by_id_is_200_or_201(by_id: Linked, requirement: Judge) -> None:
    requirement.check_in(by_id.answer.status, accepted=[200, 201])


@pytest.mark.requirement("TIO-LINK-003")
def test_link_by_id_links(by_id: Linked, requirement: Judge) -> None:
    answer = by_id.home.owner.things()

    requirement.check(seen([by_id.home.id], answer), expected=[by_id.home.id])


@pytest.mark.requirement("TIO-LINK-004")
def test_linked_thing_is_among_the_things(by_token: Linked, requirement: Judge) -> None:
    answer = by_token.home.owner.things()

    requirement.check(seen([by_token.home.id], answer), expected=[by_token.home.id])


@pytest.mark.requirement("TIO-LINK-005")
def test_linked_thing_is_read(
    people: People, owner: User, second_thing: Thing, requirement: Judge
) -> None:
    older, newer = second_thing.key("older"), second_thing.key("newer")
    second_thing.given([{"key": older, "value": older}])

    with moved_in(people, owner, second_thing) as home:
        second_thing.given([{"key": newer, "value": newer}])
        answers = [home.read(key) for key in (older, newer)]

    told = [seen([key], answer) for key, answer in zip((older, newer), answers, strict=True)]
    requirement.check(told, expected=[[older], [newer]])


@pytest.mark.requirement("TIO-LINK-006")
@pytest.mark.parametrize("name", ["thingToken", "thingId"])
def test_unknown_thing_is_refused(
    owner: User, unknown_token: str, requirement: Judge, name: str
) -> None:
    answer = owner.send("POST", "/v2/me/things", json={name: unknown_token})

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-LINK-007")
@pytest.mark.parametrize("by", ["token", "id"])
def test_app_that_is_not_official_links_nothing(
    people: People, owner: User, second_thing: Thing, run: Run, requirement: Judge, by: str
) -> None:
    app_id = run.target.credential("unofficial_app_id")
    user = people.registered(owner.email, owner.password, app_id)
    with unlinked_afterwards(people, owner, second_thing) as thing_id:
        named = second_thing.token if by == "token" else thing_id
        answer = user.send("POST", "/v2/me/things", json={f"thing{by.capitalize()}": named})
        found = [seen([thing_id], each.things()) for each in (user, owner)]

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))
    requirement.check(found, expected=[[], []])


@pytest.mark.requirement("TIO-LINK-008")
def test_second_link_is_200(by_token: Linked, requirement: Judge) -> None:
    home = by_token.home

    requirement.check(home.owner.link(thing_token=home.thing.token).status, expected=200)


@pytest.mark.requirement("TIO-LINK-009")
def test_thing_that_was_linked_twice_is_there_once(by_token: Linked, requirement: Judge) -> None:
    home = by_token.home

    home.owner.link(thing_token=home.thing.token)
    home.owner.link(thing_id=home.id)

    found = ids(home.owner.things())
    own = [each for each in found if each == home.id] if isinstance(found, list) else found
    requirement.check(own, expected=[home.id])


@pytest.mark.requirement("TIO-LINK-010")
def test_link_of_another_user_is_403(by_token: Linked, stranger: User, requirement: Judge) -> None:
    answer = stranger.link(thing_token=by_token.home.thing.token)

    requirement.check(answer.status, expected=403)


@pytest.mark.requirement("TIO-LINK-011")
@pytest.mark.parametrize("by", ["token", "id"])
def test_link_of_another_user_takes_nothing_away(
    by_token: Linked, stranger: User, requirement: Judge, by: str
) -> None:
    home = by_token.home
    key = home.given("rig:here")

    if by == "token":
        stranger.link(thing_token=home.thing.token)
    else:
        stranger.link(thing_id=home.id)

    told = [seen([home.id], home.owner.things()), seen(["rig:here"], home.read(key))]
    requirement.check(told, expected=[[home.id], ["rig:here"]])


@pytest.mark.requirement("TIO-LINK-012")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{}", id="empty-object"),
        pytest.param(b'{"thing":"x"}', id="other-name"),
        pytest.param(b"[]", id="array"),
        pytest.param(b"", id="no-body"),
        pytest.param(b'{"thingToken":null}', id="null"),
    ],
)
def test_link_without_a_thing_is_refused(owner: User, requirement: Judge, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    answer = owner.send("POST", "/v2/me/things", body=body, headers=headers)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-LINK-013")
def test_link_says_linked(by_token: Linked, requirement: Judge) -> None:
    requirement.check(member(by_token.answer, "message"), expected="linked")
