"""PUT /v2/me/grant with an e-mail address: a user shares with another."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from conformance.judge import Judge
from conformance.people import Home, User
from conformance.post import Confirming
from conformance.thethings_io.app_shapes import is_4xx, mentions, seen, told, told_in_all
from conformance.thethings_io.shapes import ERROR, is_refused, shown, values
from conformance.thethings_io.sharing import GET, GRANT, POST


@pytest.mark.requirement("TIO-SHARE-001")
def test_shared_resource_is_read(
    home: Home, friend: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here")

    answer = home.owner.grant({key: {home.id: dict(GET)}}, email=friend.email)

    def is_read() -> bool:
        return seen(["rig:here"], friend.read(key, home.id)) == ["rig:here"]

    is_shared = answer.is_success and confirming.until(is_read, friend.email, home.owner.email)
    requirement.check_that(
        is_shared, expected="a 2xx, and the other user reads", actual=shown(answer)
    )


@pytest.mark.requirement("TIO-SHARE-002")
@pytest.mark.parametrize("flags", [GET, GRANT], ids=["get", "get-and-grant"])
def test_get_alone_does_not_write(
    home: Home, friend: User, confirming: Confirming, requirement: Judge, flags: dict[str, bool]
) -> None:
    key = home.given("rig:here")
    confirming.share(home, friend, [key], flags, "rig:here")

    answer = friend.write(key, home.id, [{"value": "rig:from the friend"}])

    requirement.check_that(is_4xx(answer), expected="a 4xx", actual=shown(answer))
    requirement.check(values(home.thing.read(key, limit=10)), expected=["rig:here"])


@pytest.mark.requirement("TIO-SHARE-003")
def test_post_writes(home: Home, friend: User, confirming: Confirming, requirement: Judge) -> None:
    key = home.given("rig:here", datetime="20240131120000")
    confirming.share(home, friend, [key], POST, "rig:here")

    answer = friend.write(key, home.id, [{"value": "rig:from the friend"}])

    requirement.check(
        [answer.is_success, values(home.thing.read(key, limit=10))],
        expected=[True, ["rig:from the friend", "rig:here"]],
    )


@pytest.mark.requirement("TIO-SHARE-004")
@pytest.mark.parametrize("flags", [GET, POST], ids=["get", "get-and-post"])
def test_without_grant_nothing_is_shared_on(
    home: Home,
    friend: User,
    stranger: User,
    confirming: Confirming,
    requirement: Judge,
    flags: dict[str, bool],
) -> None:
    key = home.given("rig:here")
    confirming.share(home, friend, [key], flags, "rig:here")

    answer = friend.grant({key: {home.id: dict(GET)}}, email=stranger.email)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))
    requirement.check(seen(["rig:here"], stranger.read(key, home.id)), expected=[])


@pytest.mark.requirement("TIO-SHARE-005")
def test_with_grant_it_is_shared_on(
    home: Home, friend: User, stranger: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here")
    confirming.share(home, friend, [key], GRANT, "rig:here")

    answer = friend.grant({key: {home.id: dict(GET)}}, email=stranger.email)

    def is_read() -> bool:
        return seen(["rig:here"], stranger.read(key, home.id)) == ["rig:here"]

    is_shared = answer.is_success and confirming.until(is_read, friend.email, stranger.email)
    requirement.check_that(
        is_shared, expected="a 2xx, and the third user reads", actual=shown(answer)
    )


@pytest.mark.requirement("TIO-SHARE-006")
def test_no_more_is_shared_on_than_was_given(
    home: Home, friend: User, stranger: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here")
    confirming.share(home, friend, [key], GRANT, "rig:here")

    answer = friend.grant({key: {home.id: dict(POST)}}, email=stranger.email)
    stranger.write(key, home.id, [{"value": "rig:from the stranger"}])

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))
    requirement.check(values(home.thing.read(key, limit=10)), expected=["rig:here"])


@pytest.mark.requirement("TIO-SHARE-007")
@pytest.mark.parametrize("more", ["other", ".a", "2"])
def test_other_resources_stay_closed(
    home: Home, friend: User, confirming: Confirming, requirement: Judge, more: str
) -> None:
    key = home.given("rig:here")
    other = home.key("other") if more == "other" else key + more
    home.thing.given([{"key": other, "value": "rig:closed"}])
    confirming.share(home, friend, [key], POST, "rig:here")

    read, written = friend.read(other, home.id), friend.write(other, home.id, [{"value": 1}])

    found = [is_refused(read), is_4xx(written), values(home.thing.read(other, limit=10))]
    requirement.check(found, expected=[True, True, ["rig:closed"]])


@pytest.mark.requirement("TIO-SHARE-008")
def test_other_things_stay_closed(
    home: Home, annex: Home, friend: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here")
    annex.thing.given([{"key": key, "value": "rig:closed"}])
    confirming.share(home, friend, [key], GET, "rig:here")

    read, without = friend.read(key, annex.id), friend.read(key)

    found = [is_refused(read), seen(["rig:closed"], without)]
    requirement.check(found, expected=[True, []])


@pytest.mark.requirement("TIO-SHARE-009")
def test_nobody_else_reads(
    home: Home, friend: User, stranger: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here")
    confirming.share(home, friend, [key], GET, "rig:here")

    answer = stranger.read(key, home.id)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))
    requirement.check(seen(["rig:here"], stranger.read(key)), expected=[])


@pytest.mark.requirement("TIO-SHARE-010")
def test_permission_that_was_taken_back_is_gone(
    home: Home, friend: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here", datetime="20240131120000")
    confirming.share(home, friend, [key], POST, "rig:here")

    is_gone = confirming.take_back(home, friend, [key], "rig:here")

    written = friend.write(key, home.id, [{"value": "rig:late"}])
    found = [is_gone, is_4xx(written), values(home.thing.read(key, limit=10))]
    requirement.check(found, expected=[True, True, ["rig:here"]])


@pytest.mark.requirement("TIO-SHARE-010")
def test_post_that_was_taken_back_leaves_get(
    home: Home, friend: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here", datetime="20240131120000")
    confirming.share(home, friend, [key], POST, "rig:here")

    confirming.share(home, friend, [key], GET, "rig:here")

    def is_refused_now() -> bool:
        return is_4xx(friend.write(key, home.id, [{"value": "rig:late"}]))

    is_gone = confirming.until(is_refused_now, friend.email, home.owner.email)
    requirement.check(
        [is_gone, seen(["rig:here"], friend.read(key, home.id, limit=10))],
        expected=[True, ["rig:here"]],
    )


@pytest.mark.requirement("TIO-SHARE-011")
def test_several_resources_are_shared(
    home: Home, friend: User, confirming: Confirming, requirement: Judge
) -> None:
    keys = [home.given("rig:here", name) for name in "abc"]

    confirming.share(home, friend, keys, GET, "rig:here")

    found = [seen(["rig:here"], friend.read(key, home.id)) for key in keys]
    requirement.check(found, expected=[["rig:here"]] * 3)


@pytest.mark.requirement("TIO-SHARE-012")
def test_owner_keeps_everything(
    home: Home, friend: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here", datetime="20240131120000")

    confirming.share(home, friend, [key], GET, "rig:here")
    shared = home.owner.write(key, home.id, [{"value": "rig:shared"}])
    confirming.take_back(home, friend, [key], "rig:shared")
    taken = home.owner.write(key, home.id, [{"value": "rig:taken"}])

    found = [
        shared.is_success,
        taken.is_success,
        seen(["rig:here", "rig:taken"], home.read(key, limit=9)),
    ]
    requirement.check(found, expected=[True, True, ["rig:here", "rig:taken"]])


@pytest.mark.requirement("TIO-SHARE-013")
def test_roles_name_what_was_shared(
    home: Home, friend: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here")
    confirming.share(home, friend, [key], GET, "rig:here")

    requirement.check(mentions(friend.login().json, key, home.id), expected=True)


@pytest.mark.requirement("TIO-SHARE-014")
def test_unknown_address(home: Home, requirement: Judge) -> None:
    key = home.given("rig:here")

    answer = home.owner.grant({key: {home.id: dict(GET)}}, email="thingrig-nobody@example.com")

    requirement.check(answer.status, expected=404)


@pytest.mark.requirement("TIO-SHARE-015")
def test_missing_flag_is_false(
    home: Home, friend: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here")
    confirming.share(home, friend, [key], {"get": True}, "rig:here")

    written = friend.write(key, home.id, [{"value": "rig:from the friend"}])

    requirement.check(is_4xx(written), expected=True)


@pytest.mark.requirement("TIO-SHARE-016")
def test_shared_thing_is_not_unlinked_by_the_friend(
    home: Home, friend: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here")
    confirming.share(home, friend, [key], {**POST, "grant": True}, "rig:here")

    answer = friend.unlink(home.id)

    requirement.check_that(is_4xx(answer), expected="a 4xx", actual=shown(answer))
    requirement.check(seen([home.id], home.owner.things()), expected=[home.id])


@pytest.mark.requirement("TIO-SHARE-017")
def test_resources_name_what_was_shared(
    home: Home, friend: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here")
    confirming.share(home, friend, [key], GET, "rig:here")

    requirement.check(seen([key], friend.resources()), expected=[key])


@pytest.mark.requirement("TIO-MESUB-010")
def test_friend_hears_what_was_shared(
    home: Home, friend: User, confirming: Confirming, requirement: Judge
) -> None:
    key = home.given("rig:here")
    confirming.share(home, friend, [key], GET, "rig:here")
    with ExitStack() as closing:
        own, stream = home.owner.subscribe(key, home.id), friend.subscribe(key, home.id)
        for each in (own, stream):
            closing.callback(each.close)
        home.thing.given([{"key": key, "value": "rig:shared"}])
        heard = bool(told(stream, "rig:shared"))
        confirming.take_back(home, friend, [key], "rig:shared")
        home.thing.given([{"key": key, "value": "rig:taken back"}])
        told(own, "rig:taken back")
        late = bool(told_in_all(stream, "rig:taken back"))

    requirement.check([heard, late], expected=[True, False])
