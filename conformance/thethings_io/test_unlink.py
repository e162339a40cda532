"""DELETE /v2/me/things: a thing is no longer a user's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from conformance.clients.exchange import Response
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.people import Home, People, User, moved_in
from conformance.post import Confirming
from conformance.thethings_io.app_shapes import (
    is_4xx,
    opened,
    seen,
    told,
    told_in_all,
)
from conformance.thethings_io.shapes import ERROR, is_refused, shown, values
from conformance.thethings_io.sharing import GET
from conformance.tidy import unlink


@pytest.fixture
def place(people: People, owner: User, second_thing: Thing) -> Iterator[Home]:
    """A thing that is linked anew for each test."""
    with moved_in(people, owner, second_thing) as home:
        yield home


def given_up(home: Home) -> str:
    """
    Unlink, after everything was used that must no longer serve; the name of a resource.

    Raises:
        Inconclusive: the thing cannot be unlinked.
    """
    key = home.given("rig:here")
    home.read(key)
    home.owner.things()
    home.owner.resources()
    home.owner.write(home.key("used"), home.id, [{"value": "used"}])
    answer = unlink(home.owner, home.id)
    if not answer.is_success:
        raise Inconclusive(f"the thing cannot be unlinked: {answer.summary()}")
    return key


Way = Callable[[Home], Response]


def by_path(home: Home) -> Response:
    """The id behind the path."""
    return home.owner.unlink(home.id)


def by_body(home: Home) -> Response:
    """The id in the body."""
    return home.owner.send("DELETE", "/v2/me/things", json={"thingId": home.id})


def by_query(home: Home) -> Response:
    """The id in the query."""
    return home.owner.send("DELETE", f"/v2/me/things?thingId={home.id}")


def judge_way(requirement: Judge, home: Home, way: Way) -> None:
    """The DELETE is accepted, and the thing is not the user's any more."""
    answer = way(home)

    left = seen([home.id], home.owner.things())
    requirement.check_that(
        answer.is_success and not left,
        expected="a 2xx, and the thing is not among the user's",
        actual={"answer": shown(answer), "still there": left},
    )


@pytest.mark.requirement("TIO-UNLINK-001")
def test_thing_is_unlinked(place: Home, requirement: Judge) -> None:
    judge_way(requirement, place, lambda home: unlink(home.owner, home.id))


@pytest.mark.requirement("TIO-UNLINK-002")
def test_id_in_the_path_unlinks(place: Home, requirement: Judge) -> None:
    judge_way(requirement, place, by_path)


@pytest.mark.requirement("TIO-UNLINK-003")
def test_id_in_the_body_unlinks(place: Home, requirement: Judge) -> None:
    judge_way(requirement, place, by_body)


@pytest.mark.requirement("TIO-UNLINK-004")
def test_id_in_the_query_unlinks(place: Home, requirement: Judge) -> None:
    judge_way(requirement, place, by_query)


@pytest.mark.requirement("TIO-UNLINK-005")
def test_unlinked_thing_is_listed_no_more(place: Home, requirement: Judge) -> None:
    key = given_up(place)

    told_of = [
        seen([place.id], place.owner.things()),
        seen([place.id, key], place.owner.resources()),
    ]
    requirement.check(told_of, expected=[[], []])


@pytest.mark.requirement("TIO-UNLINK-006")
def test_unlinked_thing_is_read_no_more(place: Home, requirement: Judge) -> None:
    key = given_up(place)

    by_id, without = place.read(key), place.owner.read(key)

    requirement.check_that(is_refused(by_id), expected=f"a 4xx with {ERROR}", actual=shown(by_id))
    requirement.check(seen(["rig:here"], without), expected=[])


@pytest.mark.requirement("TIO-UNLINK-007")
def test_unlinked_thing_is_written_no_more(place: Home, requirement: Judge) -> None:
    key = given_up(place)

    answer = place.owner.write(key, place.id, [{"value": "rig:late"}])

    requirement.check_that(is_4xx(answer), expected="a 4xx", actual=shown(answer))
    requirement.check(values(place.thing.read(key, limit=10)), expected=["rig:here"])


@pytest.mark.requirement("TIO-UNLINK-008")
def test_device_goes_on(place: Home, requirement: Judge) -> None:
    key = given_up(place)

    answer = place.thing.write([{"key": key, "value": "rig:there"}])

    requirement.check(
        [answer.is_success, sorted(values(place.thing.read(key, limit=10)))],
        expected=[True, ["rig:here", "rig:there"]],
    )


@pytest.mark.requirement("TIO-UNLINK-009")
def test_another_user_links_it(
    place: Home, people: People, stranger: User, requirement: Judge
) -> None:
    given_up(place)

    answer = stranger.link(thing_token=place.thing.token)

    found = seen([place.id], stranger.things())
    people.tidy_up("link")
    unlink(stranger, place.id)
    requirement.check_in(answer.status, accepted=[200, 201])
    requirement.check(found, expected=[place.id])


@pytest.mark.requirement("TIO-UNLINK-010")
def test_thing_that_is_not_linked_is_refused(place: Home, requirement: Judge) -> None:
    given_up(place)

    answer = place.owner.unlink(place.id)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-UNLINK-011")
def test_thing_that_is_not_linked_is_404(place: Home, requirement: Judge) -> None:
    given_up(place)

    requirement.check(place.owner.unlink(place.id).status, expected=404)


@pytest.mark.requirement("TIO-UNLINK-012")
@pytest.mark.parametrize("way", [by_path, by_body, by_query], ids=["path", "body", "query"])
def test_nobody_unlinks_what_is_not_theirs(
    place: Home, stranger: User, requirement: Judge, way: Way
) -> None:
    answer = way(place._replace(owner=stranger))

    requirement.check_that(is_4xx(answer), expected="a 4xx", actual=shown(answer))
    requirement.check(seen([place.id], place.owner.things()), expected=[place.id])


@pytest.mark.requirement("TIO-UNLINK-013")
def test_subscription_carries_nothing_more(place: Home, requirement: Judge) -> None:
    key = place.given("rig:first")
    with ExitStack() as closing:
        stream, own = place.owner.subscribe(key), place.thing.api.subscribe(place.thing.token)
        for each in (stream, own):
            closing.callback(each.close)
        opened(stream)
        place.thing.given([{"key": key, "value": "rig:linked"}])
        if not told(stream, "rig:linked"):
            raise Inconclusive("the subscription carries no values")
        unlink(place.owner, place.id)
        place.thing.given([{"key": key, "value": "rig:unlinked"}])
        told(own, "rig:unlinked")  # the device's subscription goes on
        found = told_in_all(stream, "rig:unlinked")

    requirement.check(found, expected=[])


@pytest.mark.requirement("TIO-UNLINK-014")
def test_what_was_shared_is_shared_no_more(
    place: Home, friend: User, confirming: Confirming, requirement: Judge
) -> None:
    key = place.given("rig:here")
    confirming.share(place, friend, [key], GET, "rig:here")
    unlink(place.owner, place.id)

    requirement.check(seen(["rig:here"], friend.read(key, place.id)), expected=[])


@pytest.mark.requirement("TIO-UNLINK-015")
def test_answer_says_unlinked(place: Home, requirement: Judge) -> None:
    answer = unlink(place.owner, place.id).json

    document = answer if isinstance(answer, dict) else {}
    told_of = {name: document.get(name) for name in ("status", "message", "thingId")}
    requirement.check(
        told_of, expected={"status": "success", "message": "rig:unlinked", "thingId": place.id}
    )
