"""Sessions: the token in the header Authorization, and nothing else, tells who calls."""

from __future__ import annotations

import secrets as random_source
import time
from typing import NamedTuple

import pytest

from conformance.clients.exchange import Response
from conformance.clients.thethings_io import ThethingsClient
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.people import Home, People, User
from conformance.run import Run
from conformance.thethings_io.app_calls import CALLS, VALUE, Call, calls
from conformance.thethings_io.app_shapes import is_4xx, mentions, session_token, token_in
from conformance.thethings_io.shapes import ERROR, is_error, shown

UNKNOWN_ID = "I" * 43
NAMES = ["Authorization", "token", "session", "sessionToken", "access_token"]


def words(run: Run) -> dict[str, str]:
    """What stands in the places of a call: nothing that exists."""
    return {"id": UNKNOWN_ID, "key": f"{run.prefix}nothing", "class": f"{run.prefix}nothing"}


def judge_refusal(requirement: Judge, answer: Response) -> None:
    """Status 401 with the error object."""
    requirement.check_that(
        answer.status == 401 and is_error(answer.json),
        expected=f"status 401 with {ERROR}",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-SES-001")
@calls(CALLS)
def test_call_without_a_session_is_401(
    api: ThethingsClient, run: Run, requirement: Judge, call: Call
) -> None:
    judge_refusal(requirement, call.send(api, None, words(run)))


@pytest.mark.requirement("TIO-SES-002")
@calls(CALLS)
def test_call_with_an_unknown_token_is_401(
    api: ThethingsClient, run: Run, requirement: Judge, call: Call
) -> None:
    judge_refusal(requirement, call.send(api, random_source.token_urlsafe(32), words(run)))


@pytest.mark.requirement("TIO-SES-002")
@pytest.mark.parametrize("change", ["case", "short", "long", "empty", "email"])
def test_token_that_is_almost_right_is_401(
    owner: User, api: ThethingsClient, requirement: Judge, change: str
) -> None:
    almost = {
        "case": owner.token.swapcase(),
        "short": owner.token[:-1],
        "long": f"{owner.token}x",
        "empty": "",
        "email": owner.email,
    }
    headers = {"Authorization": almost[change]}

    judge_refusal(requirement, api.send("GET", "/v2/me/settings", headers=headers))


@pytest.mark.requirement("TIO-SES-002")
def test_thing_token_is_no_session(home: Home, api: ThethingsClient, requirement: Judge) -> None:
    headers = {"Authorization": home.thing.token}

    judge_refusal(requirement, api.send("GET", "/v2/me/things", headers=headers))


@pytest.mark.requirement("TIO-SES-003")
@pytest.mark.parametrize("path", ["/v2/me/things", "/v2/me/resources", "/v2/me/settings"])
def test_raw_token_is_a_session(
    owner: User, api: ThethingsClient, requirement: Judge, path: str
) -> None:
    answer = api.send("GET", path, headers={"Authorization": owner.token})

    requirement.check(answer.status, expected=200)


@pytest.mark.requirement("TIO-SES-004")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", ["/v2/me/settings", "/v2/me/things"])
def test_token_in_the_query_is_no_session(
    owner: User, api: ThethingsClient, requirement: Judge, path: str, name: str
) -> None:
    judge_refusal(requirement, api.send("GET", f"{path}?{name}={owner.token}"))


@pytest.mark.requirement("TIO-SES-004")
def test_token_in_the_body_is_no_session(
    owner: User, api: ThethingsClient, run: Run, requirement: Judge
) -> None:
    body = dict.fromkeys(NAMES, owner.token)

    answer = api.send("POST", f"/v2/classes/me/{run.prefix}nothing", json=body)

    judge_refusal(requirement, answer)


@pytest.mark.requirement("TIO-SES-005")
@pytest.mark.parametrize("token", [None, "no-such-session"], ids=["without", "unknown"])
def test_refused_call_changes_nothing(
    home: Home, api: ThethingsClient, requirement: Judge, token: str | None
) -> None:
    key = home.given("before")
    headers = {} if token is None else {"Authorization": token}

    for call in (
        Call("write", "POST", f"/v2/me/resources/{key}/{home.id}", VALUE),
        Call("unlink", "DELETE", f"/v2/me/things/{home.id}"),
    ):
        call.send(api, None, {}, headers=headers)

    requirement.check(
        [[row.get("value") for row in rows_of(home.thing.read(key, limit=10))], is_linked(home)],
        expected=[["before"], True],
    )


def rows_of(answer: Response) -> list[dict[str, object]]:
    """The rows of a read of the device."""
    rows = answer.json
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Inconclusive(f"the device cannot read: {answer.summary()}")
    return rows


def is_linked(home: Home) -> bool:
    """Whether the thing is still the owner's."""
    return mentions(home.owner.things().json, home.id)


@pytest.mark.requirement("TIO-SES-006")
@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION"])
def test_name_of_the_field_counts_in_any_case(
    owner: User, api: ThethingsClient, requirement: Judge, name: str
) -> None:
    answer = api.send("GET", "/v2/me/settings", headers={name: owner.token})

    requirement.check(answer.status, expected=200)


@pytest.mark.requirement("TIO-SES-007")
@calls(CALLS)
def test_message_says_invalid_session_token(
    api: ThethingsClient, run: Run, requirement: Judge, call: Call
) -> None:
    answer = call.send(api, None, words(run)).json

    message = answer.get("message") if isinstance(answer, dict) else answer
    requirement.check(message, expected="Invalid session token")


@pytest.mark.requirement("TIO-SES-008")
def test_root_with_a_session(owner: User, requirement: Judge) -> None:
    requirement.check(owner.send("GET", "/v2/").status, expected=200)


@pytest.mark.requirement("TIO-SES-009")
def test_earlier_session_stays(owner: User, api: ThethingsClient, requirement: Judge) -> None:
    first = api.session(session_token(owner.login()))
    second = api.session(session_token(owner.login()))

    found = [each.settings().status for each in (first, second)]

    requirement.check([*found, first.token != second.token], expected=[200, 200, True])


class Ended(NamedTuple):
    """What a session is answered before and after its time, and the user's next login."""

    before: Response
    after: Response
    login: Response


@pytest.fixture(scope="module")
def ended(people: People, run: Run) -> Ended:
    """One session that is waited for to end."""
    app = run.target.credential("expiring_app")
    user = people.newcomer(app_id=app["app_id"])
    before = user.settings()
    time.sleep(app["session_s"] + 0.5)
    after = user.settings()
    return Ended(before, after, user.login())


@pytest.mark.requirement("TIO-SES-010")
def test_session_ends(ended: Ended, requirement: Judge) -> None:
    if is_4xx(ended.before):
        raise Inconclusive("the session was over before its time")

    judge_refusal(requirement, ended.after)


@pytest.mark.requirement("TIO-SES-011")
def test_login_brings_a_new_session(ended: Ended, api: ThethingsClient, requirement: Judge) -> None:
    token = token_in(ended.login)
    later = api.session(token).settings() if isinstance(token, str) else ended.login

    requirement.check([ended.login.status, later.status], expected=[200, 200])
