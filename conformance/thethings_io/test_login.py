"""POST /v2/login: a session for a user of an app."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from conformance.clients.exchange import Response
from conformance.clients.thethings_io import ThethingsClient
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.people import Home, People, User
from conformance.thethings_io.app_shapes import (
    REFUSED_LOGIN,
    mentions,
    session_token,
    token_in,
)
from conformance.thethings_io.shapes import ERROR, is_error, is_refused, shown

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ANY_TEXT = "пароль Küche 😀 " + "x" * 100


@pytest.fixture(scope="module")
def logged_in(owner: User) -> Response:
    """The answer to a login."""
    return owner.login()


@pytest.mark.requirement("TIO-LOGIN-001")
def test_login_is_200(logged_in: Response, requirement: Judge) -> None:
    requirement.check(logged_in.status, expected=200)


@pytest.mark.requirement("TIO-LOGIN-002")
def test_login_hands_out_a_token(logged_in: Response, requirement: Judge) -> None:
    token = token_in(logged_in)

    requirement.check_that(
        isinstance(token, str) and bool(token),
        expected="a member token that is a string and not empty",
        actual=shown(logged_in),
    )


@pytest.mark.requirement("TIO-LOGIN-003")
def test_login_tells_roles(logged_in: Response, requirement: Judge) -> None:
    document = logged_in.json

    requirement.check_that(
        isinstance(document, dict) and "roles" in document,
        expected="a member roles",
        actual=shown(logged_in),
    )


@pytest.mark.requirement("TIO-LOGIN-004")
def test_token_is_a_session(logged_in: Response, api: ThethingsClient, requirement: Judge) -> None:
    requirement.check(api.session(session_token(logged_in)).settings().status, expected=200)


@pytest.fixture(scope="module")
def careful(people: People) -> User:
    """Somebody with a long password."""
    return people.newcomer(password=f"Correct horse battery staple {'x' * 60} a")


def judge_refusal(requirement: Judge, answer: Response) -> None:
    """One of the accepted statuses, the error object, and no session."""
    requirement.check_in(answer.status, accepted=REFUSED_LOGIN)
    requirement.check_that(
        is_error(answer.json) and token_in(answer) is None,
        expected=f"{ERROR}, and no token",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-LOGIN-005")
@pytest.mark.parametrize("change", ["other", "case", "end", "short", "long", "space"])
def test_wrong_password_is_refused(careful: User, requirement: Judge, change: str) -> None:
    right = careful.password
    wrong = {
        "other": "guessed",
        "case": right.swapcase(),
        "end": f"{right[:-1]}b",
        "short": right[:-1],
        "long": f"{right}a",
        "space": f" {right} ",
    }

    judge_refusal(requirement, careful.login(wrong[change]))


@pytest.mark.requirement("TIO-LOGIN-006")
def test_unknown_user_is_refused(people: People, api: ThethingsClient, requirement: Judge) -> None:
    judge_refusal(requirement, api.login(people.address(), "guessed", people.app_id))


@pytest.mark.requirement("TIO-LOGIN-007")
def test_unknown_app_is_refused(owner: User, api: ThethingsClient, requirement: Judge) -> None:
    answer = api.login(owner.email, owner.password, "thingrig-no-such-app")

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


FIELDS = ["email", "password", "app"]


def incomplete(user: User, missing: str, value: Any = None) -> dict[str, Any]:
    """A login that lacks a field, or has something else in its place."""
    found = {"email": user.email, "password": user.password, "app": user.app_id}
    if value is None:
        del found[missing]
    else:
        found[missing] = value
    return found


@pytest.mark.requirement("TIO-LOGIN-008")
@pytest.mark.parametrize("value", [None, "", True, []], ids=["missing", "empty", "true", "array"])
@pytest.mark.parametrize("field", FIELDS)
def test_login_without_a_field_is_refused(
    owner: User, api: ThethingsClient, requirement: Judge, field: str, value: Any
) -> None:
    answer = api.send("POST", "/v2/login", json=incomplete(owner, field, value))

    requirement.check_that(
        is_refused(answer) and token_in(answer) is None,
        expected=f"a 4xx with {ERROR}, and no token",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-LOGIN-009")
@pytest.mark.parametrize("field", FIELDS)
def test_login_without_a_field_is_400(
    owner: User, api: ThethingsClient, requirement: Judge, field: str
) -> None:
    answer = api.send("POST", "/v2/login", json=incomplete(owner, field))

    requirement.check(answer.status, expected=400)


@pytest.mark.requirement("TIO-LOGIN-010")
def test_form_logs_in(owner: User, api: ThethingsClient, requirement: Judge) -> None:
    fields = {"email": owner.email, "password": owner.password, "app": owner.app_id}

    answer = api.send("POST", "/v2/login", body=urlencode(fields).encode(), headers=FORM)

    requirement.check([answer.status, isinstance(token_in(answer), str)], expected=[200, True])


def granted(home: Home) -> str:
    """A resource with a value that the app was granted."""
    key = home.given("here")
    flags = {"get": True, "post": True, "grant": False}
    answer = home.owner.grant({key: {home.id: flags}})
    if not answer.is_success:
        raise Inconclusive(f"the grant to build upon was not accepted: {answer.summary()}")
    return key


@pytest.mark.requirement("TIO-LOGIN-011")
def test_roles_name_what_was_granted(home: Home, requirement: Judge) -> None:
    key = granted(home)

    answer = home.owner.login()

    roles = answer.json.get("roles") if isinstance(answer.json, dict) else None
    requirement.check_that(
        mentions(roles, key, home.id),
        expected=f"roles that name {key!r} and {home.id!r}",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-LOGIN-012")
def test_roles_name_nothing_of_others(home: Home, stranger: User, requirement: Judge) -> None:
    granted(home)

    answer = stranger.login()

    requirement.check_that(
        answer.is_success and not mentions(answer.json, home.id),
        expected="roles without somebody else's thing",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-LOGIN-013")
def test_roles_have_the_shape_of_a_grant(home: Home, requirement: Judge) -> None:
    key = granted(home)

    answer = home.owner.login()

    roles = answer.json.get("roles") if isinstance(answer.json, dict) else None
    flags = roles.get(key, {}).get(home.id) if isinstance(roles, dict) else roles
    is_shape = isinstance(flags, dict) and set(flags) == {"get", "post", "grant"}
    requirement.check_that(is_shape, expected="get, post and grant", actual=flags)


@pytest.mark.requirement("TIO-LOGIN-014")
def test_password_is_any_text(people: People, api: ThethingsClient, requirement: Judge) -> None:
    email = people.address()

    registered = api.register(email, ANY_TEXT, people.app_id)
    answer = api.login(email, ANY_TEXT, people.app_id)

    found = [registered.is_success, answer.status, isinstance(token_in(answer), str)]
    requirement.check(found, expected=[True, 200, True])


@pytest.mark.requirement("TIO-LOGIN-015")
def test_case_of_the_address(people: People, api: ThethingsClient, requirement: Judge) -> None:
    user = people.newcomer()

    answer = api.login(user.email.swapcase(), user.password, user.app_id)

    requirement.check(answer.status, expected=200)
