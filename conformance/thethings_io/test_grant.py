"""PUT /v2/me/grant: permissions, and who can give them."""

from __future__ import annotations

import pytest

from conformance.judge import Judge
from conformance.people import Home, User
from conformance.thethings_io.app_shapes import is_4xx, seen
from conformance.thethings_io.shapes import ERROR, is_refused, shown
from conformance.thethings_io.sharing import GET, GRANT, POST, Flags

JSON = {"Content-Type": "application/json"}


@pytest.mark.requirement("TIO-GRANT-001")
@pytest.mark.parametrize("flags", [GET, POST, GRANT], ids=["get", "post", "grant"])
def test_grant_is_2xx(home: Home, requirement: Judge, flags: Flags) -> None:
    key = home.given("rig:here")

    answer = home.owner.grant({key: {home.id: dict(flags)}})

    requirement.check_that(answer.is_success, expected="a 2xx", actual=shown(answer))


@pytest.mark.requirement("TIO-GRANT-002")
def test_official_app_is_granted_at_once(home: Home, requirement: Judge) -> None:
    key = home.given("rig:here")

    home.owner.grant({key: {home.id: dict(POST)}})

    read = seen(["rig:here"], home.read(key))
    written = home.owner.write(key, home.id, [{"value": "rig:there"}])
    requirement.check([read, written.is_success], expected=[["rig:here"], True])


@pytest.mark.requirement("TIO-GRANT-003")
@pytest.mark.parametrize("flags", [GET, POST, GRANT], ids=["get", "post", "grant"])
def test_nobody_grants_what_is_not_theirs(
    home: Home, stranger: User, requirement: Judge, flags: Flags
) -> None:
    key = home.given("rig:here")

    answer = stranger.grant({key: {home.id: dict(flags)}})

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))
    requirement.check(seen(["rig:here"], stranger.read(key, home.id)), expected=[])


@pytest.mark.requirement("TIO-GRANT-004")
def test_nobody_shares_what_is_not_theirs(
    home: Home, stranger: User, friend: User, requirement: Judge
) -> None:
    key = home.given("rig:here")

    answer = stranger.grant({key: {home.id: dict(GET)}}, email=friend.email)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))
    requirement.check(seen(["rig:here"], friend.read(key, home.id)), expected=[])


@pytest.mark.requirement("TIO-GRANT-005")
def test_grant_of_an_unknown_thing_is_refused(
    home: Home, unknown_token: str, requirement: Judge
) -> None:
    answer = home.owner.grant({home.given("rig:here"): {unknown_token: dict(GET)}})

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-GRANT-006")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{}", id="empty-object"),
        pytest.param(b'{"permissions":null}', id="null"),
        pytest.param(b'{"permissions":"get"}', id="text"),
        pytest.param(b'{"permissions":{', id="cut-short"),
        pytest.param(b"", id="no-body"),
    ],
)
def test_grant_without_permissions_is_refused(owner: User, requirement: Judge, body: bytes) -> None:
    answer = owner.send("PUT", "/v2/me/grant", body=body, headers=JSON)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-GRANT-007")
def test_grant_says_granted(home: Home, requirement: Judge) -> None:
    answer = home.owner.grant({home.given("rig:here"): {home.id: dict(GET)}}).json

    document = answer if isinstance(answer, dict) else {}
    told = {name: document.get(name) for name in ("status", "message")}
    requirement.check(told, expected={"status": "success", "message": "granted"})


@pytest.mark.requirement("TIO-GRANT-008")
def test_one_part_that_is_not_theirs_gives_nothing_of_it(
    home: Home, neighbour: Home, friend: User, requirement: Judge
) -> None:
    key = home.given("rig:of the neighbour's own")
    neighbour.thing.given([{"key": key, "value": "rig:of the neighbour"}])
    mixed = {key: {neighbour.id: dict(GET), home.id: dict(GET)}}

    answer = neighbour.owner.grant(mixed, email=friend.email)

    read = friend.read(key, home.id)
    requirement.check(seen(["rig:of the neighbour's own"], read), expected=[])
    requirement.check_that(is_4xx(read), expected="a 4xx", actual=shown(answer))
