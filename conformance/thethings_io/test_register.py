"""POST /v2/register: a new user of an app, and the first session."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from conformance.clients.exchange import Response
from conformance.clients.thethings_io import ThethingsClient
from conformance.judge import Judge
from conformance.people import People
from conformance.thethings_io.app_shapes import member, session_token, token_in
from conformance.thethings_io.shapes import ERROR, is_error, is_refused, shown


class Registered(NamedTuple):
    """Credentials, and the answer to registering them."""

    email: str
    password: str
    app_id: str
    answer: Response


def register(people: People, api: ThethingsClient) -> Registered:
    """Register somebody whom nobody knows."""
    email, password = people.address(), people.secret()
    answer = api.register(email, password, people.app_id)
    return Registered(email, password, people.app_id, answer)


@pytest.fixture(scope="module")
def registered(people: People, api: ThethingsClient) -> Registered:
    """Somebody who has registered."""
    return register(people, api)


@pytest.mark.requirement("TIO-REG-001")
def test_registration_is_200_or_201(registered: Registered, requirement: Judge) -> None:
    requirement.check_in(registered.answer.status, accepted=[200, 201])


@pytest.mark.requirement("TIO-REG-002")
def test_registration_hands_out_a_token(registered: Registered, requirement: Judge) -> None:
    token = token_in(registered.answer)

    requirement.check_that(
        isinstance(token, str) and bool(token),
        expected="a member token that is a string and not empty",
        actual=shown(registered.answer),
    )


@pytest.mark.requirement("TIO-REG-003")
def test_registration_tells_roles(registered: Registered, requirement: Judge) -> None:
    document = registered.answer.json

    requirement.check_that(
        isinstance(document, dict) and "roles" in document,
        expected="a member roles",
        actual=shown(registered.answer),
    )


@pytest.mark.requirement("TIO-REG-004")
def test_token_serves_at_once(
    registered: Registered, api: ThethingsClient, requirement: Judge
) -> None:
    user = api.session(session_token(registered.answer))

    requirement.check(user.settings().status, expected=200)


@pytest.mark.requirement("TIO-REG-005")
def test_whoever_registered_logs_in(
    registered: Registered, api: ThethingsClient, requirement: Judge
) -> None:
    answer = api.login(registered.email, registered.password, registered.app_id)

    requirement.check([answer.status, isinstance(token_in(answer), str)], expected=[200, True])


@pytest.fixture(scope="module")
def again(registered: Registered, api: ThethingsClient, people: People) -> Registered:
    """The same e-mail address once more, with another password."""
    password = people.secret()
    answer = api.register(registered.email, password, registered.app_id)
    return Registered(registered.email, password, registered.app_id, answer)


@pytest.mark.requirement("TIO-REG-006")
def test_second_registration_is_refused(again: Registered, requirement: Judge) -> None:
    requirement.check_in(again.answer.status, accepted=[400, 403, 409])
    requirement.check_that(is_error(again.answer.json), expected=ERROR, actual=shown(again.answer))


@pytest.mark.requirement("TIO-REG-006")
def test_second_registration_with_the_same_password_is_refused(
    registered: Registered, api: ThethingsClient, requirement: Judge
) -> None:
    answer = api.register(registered.email, registered.password, registered.app_id)

    requirement.check_in(answer.status, accepted=[400, 403, 409])


@pytest.mark.requirement("TIO-REG-007")
def test_refused_registration_changes_nothing(
    registered: Registered, again: Registered, api: ThethingsClient, requirement: Judge
) -> None:
    first, second = (
        token_in(api.login(each.email, each.password, each.app_id)) is not None
        for each in (registered, again)
    )

    told = {"handed out": token_in(again.answer), "old password": first, "new password": second}
    expected = {"handed out": None, "old password": True, "new password": False}
    requirement.check(told, expected=expected)


FIELDS = ["email", "password", "app"]


def incomplete(people: People, missing: str, value: Any = None) -> dict[str, Any]:
    """A registration that lacks a field, or has null or an empty text in its place."""
    found = {"email": people.address(), "password": people.secret(), "app": people.app_id}
    if value is None:
        del found[missing]
    else:
        found[missing] = value
    return found


@pytest.mark.requirement("TIO-REG-008")
@pytest.mark.parametrize("value", [None, "", 7], ids=["missing", "empty", "number"])
@pytest.mark.parametrize("field", FIELDS)
def test_registration_without_a_field_is_refused(
    people: People, api: ThethingsClient, requirement: Judge, field: str, value: Any
) -> None:
    answer = api.send("POST", "/v2/register", json=incomplete(people, field, value))

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-REG-009")
@pytest.mark.parametrize("field", FIELDS)
def test_registration_without_a_field_is_400(
    people: People, api: ThethingsClient, requirement: Judge, field: str
) -> None:
    answer = api.send("POST", "/v2/register", json=incomplete(people, field))

    requirement.check(answer.status, expected=400)


@pytest.mark.requirement("TIO-REG-010")
def test_registration_in_an_unknown_app_is_refused(
    people: People, api: ThethingsClient, requirement: Judge
) -> None:
    answer = api.register(people.address(), people.secret(), "thingrig-no-such-app")

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-REG-011")
def test_registration_of_no_address_is_400(
    people: People, api: ThethingsClient, requirement: Judge
) -> None:
    name = people.address().replace("@", ".at.")

    requirement.check(api.register(name, people.secret(), people.app_id).status, expected=400)


@pytest.mark.requirement("TIO-REG-012")
def test_users_have_sessions_of_their_own(
    people: People, api: ThethingsClient, requirement: Judge
) -> None:
    tokens = [session_token(register(people, api).answer) for _ in range(2)]
    users = [api.session(token) for token in tokens]

    for user, colour in zip(users, ("red", "blue"), strict=True):
        user.update_settings({"colour": colour})

    told = [member(user.settings(), "colour") for user in users]
    requirement.check([told, tokens[0] == tokens[1]], expected=[["red", "blue"], False])


@pytest.mark.requirement("TIO-REG-013")
def test_answer_does_not_repeat_the_password(registered: Registered, requirement: Judge) -> None:
    text = registered.answer.body.decode("utf-8", "replace")

    requirement.check_that(
        registered.password not in text,
        expected="an answer without the password",
        actual=shown(registered.answer),
    )
