"""Permissions: what is another user's stays theirs."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.people import Home, User
from conformance.thethings_io.app_shapes import mentions, seen, told, told_in_all
from conformance.thethings_io.shapes import ERROR, is_refused, shown, values


@pytest.mark.requirement("TIO-PERM-001")
def test_read_of_another_users_thing_is_refused(
    home: Home, stranger: User, requirement: Judge
) -> None:
    answer = stranger.read(home.given("rig:private"), home.id)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-PERM-001")
def test_owner_of_another_thing_is_refused(home: Home, neighbour: Home, requirement: Judge) -> None:
    key = home.given("rig:private")
    neighbour.thing.given([{"key": key, "value": "rig:theirs"}])

    answer = neighbour.owner.read(key, home.id)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-MERR-006")
def test_read_without_a_thing_shows_nothing_of_others(
    home: Home, neighbour: Home, requirement: Judge
) -> None:
    key = home.given("rig:mine")
    neighbour.thing.given([{"key": key, "value": "rig:theirs"}])

    found = [seen(["rig:mine", "rig:theirs"], each.owner.read(key)) for each in (home, neighbour)]

    requirement.check(found, expected=[["rig:mine"], ["rig:theirs"]])


@pytest.mark.requirement("TIO-PERM-002")
def test_write_to_another_users_thing_is_refused(
    home: Home, stranger: User, requirement: Judge
) -> None:
    key = home.given("rig:mine")

    answer = stranger.write(key, home.id, [{"value": "rig:theirs"}])

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))
    requirement.check(values(home.thing.read(key, limit=10)), expected=["rig:mine"])


@pytest.mark.requirement("TIO-PERM-003")
def test_description_of_another_users_thing_stays(
    own_home: Home, stranger: User, requirement: Judge
) -> None:
    own_home.owner.put_description(own_home.id, {"name": "rig:private words"})

    answer = stranger.put_description(own_home.id, {"name": "rig:theirs"})

    shows = [
        mentions(each.json, "rig:private words")
        for each in (
            stranger.get_description(),
            stranger.get_description(own_home.id),
            own_home.owner.get_description(own_home.id),
        )
    ]
    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))
    requirement.check(shows, expected=[False, False, True])


def subscribed(user: User, home: Home, key: str, *, by_id: bool) -> tuple[Response, bool]:
    """
    The answer to a subscription, and whether it mentions a value written afterwards.

    It has had its time when the owner's own subscription has told of the value.
    """
    with ExitStack() as closing:
        own, stream = home.owner.subscribe(key), user.subscribe(key, home.id if by_id else None)
        for each in (own, stream):
            closing.callback(each.close)
        home.thing.given([{"key": key, "value": "rig:private"}])
        told(own, "rig:private")
        return stream.response, bool(told_in_all(stream, "rig:private"))


@pytest.mark.requirement("TIO-PERM-004")
@pytest.mark.parametrize("by_id", [True, False], ids=["thing", "resource"])
def test_subscription_to_another_users_thing_shows_nothing(
    home: Home, stranger: User, requirement: Judge, by_id: bool
) -> None:
    answer, is_shown = subscribed(stranger, home, home.given("before"), by_id=by_id)

    requirement.check_that(not is_shown, expected="a refusal, or no value", actual=shown(answer))


@pytest.mark.requirement("TIO-PERM-005")
def test_another_users_thing_is_403(home: Home, stranger: User, requirement: Judge) -> None:
    key = home.given("rig:private")

    found = [
        stranger.read(key, home.id).status,
        stranger.write(key, home.id, [{"value": 1}]).status,
    ]

    requirement.check(found, expected=[403, 403])


@pytest.mark.requirement("TIO-MEALL-003")
def test_all_resources_of_another_users_thing(
    home: Home, stranger: User, requirement: Judge
) -> None:
    home.given("rig:private")

    answer = stranger.all_resources(home.id)

    requirement.check([is_refused(answer), seen(["rig:private"], answer)], expected=[True, []])
