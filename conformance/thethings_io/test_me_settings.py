"""The settings of a user: a small store of keys and values, and the way to a new password."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from conformance.clients.exchange import Response
from conformance.clients.thethings_io import ThethingsClient
from conformance.judge import Judge
from conformance.people import People, User
from conformance.run import Run
from conformance.thethings_io.app_shapes import (
    REFUSED_LOGIN,
    member,
    session_token,
    strings_in,
    token_in,
)
from conformance.thethings_io.shapes import shown


@pytest.fixture
def name(run: Run, request: pytest.FixtureRequest) -> str:
    """A member that nobody else uses."""
    test = request.node.name.replace("[", "-").replace("]", "")
    return f"{run.prefix}{run.worker or 'w'}-{test}"


@pytest.mark.requirement("TIO-MESET-001")
def test_put_is_200_or_201(owner: User, name: str, requirement: Judge) -> None:
    requirement.check_in(owner.update_settings({name: "red"}).status, accepted=[200, 201])


@pytest.mark.requirement("TIO-MESET-002")
def test_members_stay_beside_each_other(owner: User, name: str, requirement: Judge) -> None:
    owner.update_settings({f"{name}-a": 1, f"{name}-b": 2})

    owner.update_settings({f"{name}-c": 3})

    answer = owner.settings()
    requirement.check([member(answer, f"{name}-{each}") for each in "abc"], expected=[1, 2, 3])


@pytest.mark.requirement("TIO-MESET-003")
def test_member_has_its_new_value(owner: User, name: str, requirement: Judge) -> None:
    owner.update_settings({name: "red"})

    owner.update_settings({name: "blue"})

    requirement.check(member(owner.settings(), name), expected="blue")


class Changed(NamedTuple):
    """A user whose password was changed, from the one to the other."""

    user: User
    old: str
    new: str
    answer: Response


@pytest.fixture(scope="module")
def changed(people: People) -> Changed:
    """A change of the password, with another member beside it."""
    user, new = people.newcomer(), people.secret()
    answer = user.update_settings({"password": new, "colour": "red"})
    return Changed(user, user.password, new, answer)


@pytest.mark.requirement("TIO-MESET-004")
def test_new_password_logs_in(changed: Changed, requirement: Judge) -> None:
    answer = changed.user.login(changed.new)

    requirement.check([answer.status, isinstance(token_in(answer), str)], expected=[200, True])


@pytest.mark.requirement("TIO-MESET-004")
def test_old_password_no_longer_logs_in(changed: Changed, requirement: Judge) -> None:
    answer = changed.user.login(changed.old)

    requirement.check_in(answer.status, accepted=REFUSED_LOGIN)
    requirement.check(token_in(answer), expected=None)


@pytest.mark.requirement("TIO-MESET-005")
def test_member_beside_the_password_is_stored(
    changed: Changed, api: ThethingsClient, requirement: Judge
) -> None:
    user = api.session(session_token(changed.user.login(changed.new)))

    requirement.check(member(user.settings(), "colour"), expected="red")


@pytest.mark.requirement("TIO-MESET-006")
def test_session_stays(changed: Changed, requirement: Judge) -> None:
    requirement.check(changed.user.settings().status, expected=200)


@pytest.mark.requirement("TIO-MESET-007")
def test_objects_are_replaced(owner: User, name: str, requirement: Judge) -> None:
    owner.update_settings({name: {"a": 1}})

    owner.update_settings({name: {"b": 2}})

    requirement.check(member(owner.settings(), name), expected={"b": 2})


@pytest.mark.requirement("TIO-MESET-008")
@pytest.mark.parametrize("word", ["passwords", "Password", "pass"])
def test_other_members_leave_the_password(people: People, requirement: Judge, word: str) -> None:
    user = people.newcomer()

    user.update_settings({word: "changed"})

    answer = user.login()

    requirement.check([answer.status, isinstance(token_in(answer), str)], expected=[200, True])


@pytest.mark.requirement("TIO-MESET-011")
@pytest.mark.parametrize(
    "value", ["red", "7", 7, -0.5, True, False, [1, "1", []], {"a": {"b": 1}}, "Küche 😀"], ids=repr
)
def test_member_is_read_as_it_was_put(
    owner: User, name: str, requirement: Judge, value: Any
) -> None:
    key = name.encode("ascii", "ignore").decode()
    owner.update_settings({key: value})

    answer = owner.settings()

    requirement.check([answer.status, member(answer, key)], expected=[200, value])


@pytest.mark.requirement("TIO-MESET-012")
def test_settings_show_no_password(
    changed: Changed, api: ThethingsClient, requirement: Judge
) -> None:
    user = api.session(session_token(changed.user.login(changed.new)))

    words = [*strings_in(user.settings().json), *strings_in(changed.answer.json)]

    told = [word for word in words if word in ("password", changed.old, changed.new)]
    requirement.check(told, expected=[])


@pytest.mark.requirement("TIO-MESET-013")
def test_settings_are_the_users_own(
    owner: User, stranger: User, name: str, requirement: Judge
) -> None:
    stranger.update_settings({name: "theirs"})

    answer = owner.settings()
    owner.update_settings({name: "mine"})

    told = [answer.json.get(name) if isinstance(answer.json, dict) else shown(answer)]
    told += [member(each.settings(), name) for each in (owner, stranger)]
    requirement.check(told, expected=[None, "mine", "theirs"])


@pytest.mark.requirement("TIO-MESET-014")
def test_all_sessions_have_the_same_settings(
    owner: User, api: ThethingsClient, name: str, requirement: Judge
) -> None:
    other = api.session(session_token(owner.login()))

    owner.update_settings({name: "red"})

    requirement.check(member(other.settings(), name), expected="red")


@pytest.mark.requirement("TIO-MESET-015")
def test_settings_begin_empty(people: People, requirement: Judge) -> None:
    answer = people.newcomer().settings()

    requirement.check([answer.status, answer.json], expected=[200, {}])
