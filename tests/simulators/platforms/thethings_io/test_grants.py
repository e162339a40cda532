"""Grants: what an app asks for, what users share, and the e-mail that stands between."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from simulators.platforms.effects import Mail
from simulators.platforms.provisioning import DEMO_UNOFFICIAL_APP
from simulators.platforms.thethings_io.policy import Policy

GRANTED = (200, {"status": "success", "message": "granted"})
PENDING = (200, {"status": "success", "message": "confirmation sent"})
LACKS = (403, "cannot grant what the session does not have")
READ = {"get": True}
WRITE = {"get": True, "post": True}
PASS_ON = {"get": True, "grant": True}
ALL = {"get": True, "post": True, "grant": True}
NOTHING = {"get": False, "post": False, "grant": False}


def grant(phone, thing_id, flags, *, email=None, resource="t"):
    """Status and document of the answer, and the link that was mailed, if any."""
    body = {"permissions": {resource: {thing_id: flags}}}
    if email is not None:
        body["email"] = email
    effects = phone.bench.effects("PUT", "/v2/me/grant", body, session=phone.token)
    mails = [effect for effect in effects if isinstance(effect, Mail)]
    answer = effects[0].status, effects[0].document
    return answer, *((mails[0],) if mails else (None,))


def granted(*arguments, **options):
    """The grant held at once."""
    answer, mail = grant(*arguments, **options)
    assert (answer, mail) == (GRANTED, None)


def confirmed(phone, *arguments, **options):
    """The grant held when its mail was confirmed."""
    answer, mail = grant(phone, *arguments, **options)
    assert answer == PENDING
    assert open_link(phone.bench, mail) == (200, {"status": "success", "message": "confirmed"})


def refused(*arguments, **options):
    answer, mail = grant(*arguments, **options)
    assert mail is None
    return answer[0], answer[1]["message"]


def open_link(bench, mail):
    link = re.search(r"http://localhost(/\S+)", mail.text)[1]
    return bench.ask("GET", link)


def can(phone, thing_id, resource="t"):
    """What works: reading, writing."""
    path = f"/me/resources/{resource}/{thing_id}"
    statuses = (
        phone.ask("GET", path)[0],
        phone.ask("POST", path, {"values": [{"value": 1}]})[0],
    )
    assert set(statuses) <= {200, 201, 403}
    return tuple(status < 300 for status in statuses)


@pytest.fixture
def ada(bench):
    bench.write({"key": "t", "value": 1}, {"key": "u", "value": 1})
    return bench.phone("ada")


@pytest.fixture
def thing_id(ada):
    return ada.link()


@pytest.fixture
def ben(bench):
    return bench.phone("ben")


# --- sharing through an official app


def test_friend_gets_what_was_shared_and_nothing_else(ada, ben, thing_id):
    assert can(ben, thing_id) == (False, False)
    granted(ada, thing_id, READ, email=ben.email)
    assert can(ben, thing_id) == (True, False)
    assert can(ben, thing_id, "u") == (False, False)
    granted(ada, thing_id, WRITE, email=ben.email.upper())
    assert can(ben, thing_id) == (True, True)
    assert ben.ask("GET", "/me/things") == (200, [])
    assert ben.ask("GET", "/me/resources") == (200, [{"name": "t", "things": [thing_id]}])
    assert ben.ask("GET", f"/me/all_resources/{thing_id}")[1][0]["key"] == "t"
    login = ben.bench.ask("POST", "/v2/login", ben.credentials)[1]
    assert login["roles"] == {"t": {thing_id: {**WRITE, "grant": False}}}


def test_what_is_not_named_is_not_granted_any_more(ada, ben, thing_id):
    granted(ada, thing_id, ALL, email=ben.email)
    granted(ada, thing_id, {}, email=ben.email)
    assert can(ben, thing_id) == (False, False)
    assert ben.ask("GET", "/me/resources") == (200, [])


def test_friend_without_grant_shares_with_nobody(bench, ada, ben, thing_id):
    cem = bench.phone("cem")
    granted(ada, thing_id, WRITE, email=ben.email)
    assert refused(ben, thing_id, READ, email=cem.email) == LACKS
    granted(ada, thing_id, PASS_ON, email=ben.email)
    assert refused(ben, thing_id, WRITE, email=cem.email) == LACKS
    granted(ben, thing_id, READ, email=cem.email)
    assert can(cem, thing_id) == (True, False)


def test_who_loses_a_right_loses_it_for_those_he_shared_with(bench, ada, ben, thing_id):
    cem, eve = bench.phone("cem"), bench.phone("eve")
    granted(ada, thing_id, ALL, email=ben.email)
    granted(ben, thing_id, ALL, email=cem.email)
    granted(cem, thing_id, WRITE, email=eve.email)
    granted(cem, thing_id, ALL, email=ben.email)  # a circle holds nobody up
    granted(ada, thing_id, PASS_ON, email=ben.email)
    assert [can(phone, thing_id) for phone in (ben, cem, eve)] == [(True, False)] * 3
    granted(ada, thing_id, NOTHING, email=ben.email)
    assert [can(phone, thing_id) for phone in (ben, cem, eve)] == [(False, False)] * 3


def test_two_granters_hold_up_one_friend(bench, ada, ben, thing_id):
    cem, eve = bench.phone("cem"), bench.phone("eve")
    granted(ada, thing_id, ALL, email=ben.email)
    granted(ada, thing_id, PASS_ON, email=cem.email)
    granted(ben, thing_id, {"post": True}, email=eve.email)
    granted(cem, thing_id, READ, email=eve.email)
    assert can(eve, thing_id) == (True, True)
    granted(ada, thing_id, NOTHING, email=ben.email)
    assert can(eve, thing_id) == (True, False)


def test_owner_takes_back_what_others_shared(bench, ada, ben, thing_id):
    cem = bench.phone("cem")
    granted(ada, thing_id, PASS_ON, email=ben.email)
    granted(ben, thing_id, READ, email=cem.email)
    granted(ada, thing_id, NOTHING, email=cem.email)
    assert can(cem, thing_id) == (False, False)
    assert can(ben, thing_id) == (True, False)


def test_unlink_takes_back_everything(ada, ben, thing_id):
    granted(ada, thing_id, ALL, email=ben.email)
    ada.ask("DELETE", f"/me/things/{thing_id}")
    assert can(ben, thing_id) == (False, False)
    ada.link()
    assert can(ben, thing_id) == (False, False)


def test_description_is_shared_like_any_resource(ada, ben, thing_id):
    path = f"/me/resources/description/{thing_id}"
    ada.ask("PUT", path, {"name": "x"})
    granted(ada, thing_id, READ, email=ben.email, resource="description")
    assert ben.ask("GET", path) == (200, [{"key": "description", "value": {"name": "x"}}])
    assert ben.ask("PUT", path, {})[0] == 403
    assert can(ben, thing_id) == (False, False)


def test_paths_in_settings_are_shared_with_settings(ada, ben, thing_id):
    granted(ada, thing_id, WRITE, email=ben.email, resource="$settings")
    path = f"/me/resources/$settings.a/{thing_id}"
    assert ben.ask("POST", path, {"values": [{"value": 1}]})[0] == 201
    assert ben.ask("GET", path)[1] == [{"key": "$settings.a", "value": 1}]


def test_resource_may_be_shared_before_it_is_written(ada, ben, thing_id):
    granted(ada, thing_id, WRITE, email=ben.email, resource="later")
    path = f"/me/resources/later/{thing_id}"
    assert ben.ask("GET", path)[0] == 404
    assert ben.ask("POST", path, {"values": [{"value": 1}]})[0] == 201
    assert ben.ask("GET", path)[0] == 200


def test_nobody_has_that_address(ada, ben, thing_id):
    assert refused(ada, thing_id, READ, email="x@example.org") == (404, "user not found")
    # who may not share learns nothing about addresses
    assert refused(ben, thing_id, READ, email="x@example.org") == LACKS
    assert refused(ben, thing_id, READ, email=ada.email) == LACKS


def test_things_of_others_and_of_nobody(ada, ben, thing_id):
    for name in (thing_id, "nothing"):
        assert refused(ben, name, READ) == LACKS
        assert refused(ben, name, NOTHING, email=ada.email) == LACKS


def test_all_or_nothing(bench, ada, ben, thing_id):
    other = bench.provisioning.things[1].thing_id
    body = {"permissions": {"t": {thing_id: READ, other: READ}}, "email": ben.email}
    assert ada.ask("PUT", "/me/grant", body)[0] == 403
    assert can(ben, thing_id) == (False, False)


def test_official_app_asks_for_itself_and_has_it(ada, thing_id):
    granted(ada, thing_id, READ)
    granted(ada, thing_id, NOTHING, email=ada.email)  # itself, by address
    assert can(ada, thing_id) == (True, True)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"permissions": {}},
        {"permissions": []},
        {"permissions": {"t": {}}},
        {"permissions": {"t": []}},
        {"permissions": {"a b": {"x": {"get": True}}}},
        {"permissions": {"$settings.a": {"x": {"get": True}}}},
        {"permissions": {"t": {"x": True}}},
        {"permissions": {"t": {"x": {"get": 1}}}},
        {"permissions": {"t": {"x": {"read": True}}}},
        {"permissions": {"t": {"x": {"get": True}}}, "email": 5},
        {"permissions": {"t": {str(number): {} for number in range(1001)}}},
    ],
)
def test_bad_permissions(bench, ada, thing_id, body):
    named = json.loads(json.dumps(body).replace('"x"', f'"{thing_id}"'))
    assert ada.ask("PUT", "/me/grant", named)[0] == 400


# --- an app that is not official


@pytest.fixture
def other(bench, ada):
    """Ada's session with an app that is not official."""
    return bench.phone("ada", app=DEMO_UNOFFICIAL_APP)


def test_app_has_nothing_until_its_user_confirms(bench, other, thing_id):
    assert other.ask("GET", "/me/resources")[1][0] == {"name": "t", "things": [thing_id]}
    assert other.ask("GET", "/me/things") == (200, [])
    assert can(other, thing_id) == (False, False)
    answer, mail = grant(other, thing_id, READ)
    assert answer == PENDING
    assert mail.recipient == "ada@example.org"
    assert can(other, thing_id) == (False, False)
    assert other.ask("GET", "/me/resources/t")[0] == 403
    assert open_link(bench, mail)[0] == 200
    assert can(other, thing_id) == (True, False)
    assert can(other, thing_id, "u") == (False, False)
    assert other.ask("GET", "/me/things") == (200, [{"_id": thing_id}])
    assert [entry["key"] for entry in other.ask("GET", f"/me/all_resources/{thing_id}")[1]] == ["t"]


def test_mail_says_who_asks_for_what_and_the_link_comes_last(other, thing_id):
    _, mail = grant(other, thing_id, WRITE)
    assert mail.subject == "Please confirm: access of an app"
    lines = mail.text.splitlines()
    assert lines[0] == f"The app {DEMO_UNOFFICIAL_APP} asks for:"
    assert lines[2] == f"  t of thing {thing_id}: get, post"
    assert lines[4] == "To allow it, open this link until 2024-02-01T12:00:00.000Z:"
    assert re.fullmatch(r"http://localhost/v2/confirmations/[A-Za-z0-9_-]{43}", lines[-1])


def test_link_works_once(bench, other, thing_id):
    _, mail = grant(other, thing_id, READ)
    assert open_link(bench, mail)[0] == 200
    assert open_link(bench, mail)[0] == 404
    assert bench.ask("GET", "/v2/confirmations/unknown")[0] == 404


def test_link_expires(bench, other, thing_id):
    _, mail = grant(other, thing_id, READ)
    bench.now_us += 86_400_000_000
    assert open_link(bench, mail)[0] == 404
    assert can(other, thing_id) == (False, False)


def test_taking_away_needs_no_confirmation(other, thing_id):
    confirmed(other, thing_id, ALL)
    assert can(other, thing_id) == (True, True)
    granted(other, thing_id, READ)
    assert can(other, thing_id) == (True, False)
    granted(other, thing_id, NOTHING)
    assert can(other, thing_id) == (False, False)


def test_app_asks_for_no_more_than_its_user_has(bench, ada, ben, thing_id):
    bens = bench.phone("ben", app=DEMO_UNOFFICIAL_APP)
    assert refused(bens, thing_id, READ) == LACKS
    granted(ada, thing_id, READ, email=ben.email)
    assert refused(bens, thing_id, WRITE) == LACKS
    confirmed(bens, thing_id, READ)
    assert can(bens, thing_id) == (True, False)
    granted(ada, thing_id, NOTHING, email=ben.email)
    assert can(bens, thing_id) == (False, False)


def test_app_shares_when_the_friend_confirms(bench, other, ben, thing_id):
    assert refused(other, thing_id, READ, email=ben.email) == LACKS
    confirmed(other, thing_id, PASS_ON)
    answer, mail = grant(other, thing_id, READ, email=ben.email)
    assert (answer, mail.recipient) == (PENDING, "ben@example.org")
    assert mail.text.startswith("ada@example.org wants to share with ben@example.org:\n")
    bens = bench.phone("ben", app=DEMO_UNOFFICIAL_APP)
    assert can(ben, thing_id) == can(bens, thing_id) == (False, False)
    assert open_link(bench, mail)[0] == 200
    assert can(ben, thing_id) == can(bens, thing_id) == (True, False)


def test_share_may_be_confirmed_by_who_shares(make_bench):
    """The documents contradict each other; the other reading is a setting."""
    bench = make_bench(policy=Policy(password_cost=1, share_confirmed_by_granted=False))
    bench.write({"key": "t", "value": 1})
    thing_id = bench.phone("ada").link()
    other, ben = bench.phone("ada", app=DEMO_UNOFFICIAL_APP), bench.phone("ben")
    confirmed(other, thing_id, PASS_ON)
    _, mail = grant(other, thing_id, READ, email=ben.email)
    assert mail.recipient == "ada@example.org"
    assert open_link(bench, mail)[0] == 200
    assert can(ben, thing_id) == (True, False)


def test_confirmation_grants_no_more_than_there_is_by_then(bench, other, ben, thing_id):
    confirmed(other, thing_id, PASS_ON)
    _, mail = grant(other, thing_id, READ, email=ben.email)
    granted(other, thing_id, READ)  # the app may not pass anything on any more
    assert open_link(bench, mail)[0] == 403
    assert can(ben, thing_id) == (False, False)
    assert open_link(bench, mail)[0] == 404


def test_unlink_ends_what_waits(bench, ada, other, thing_id):
    _, mail = grant(other, thing_id, READ)
    ada.ask("DELETE", f"/me/things/{thing_id}")
    ada.link()
    assert open_link(bench, mail)[0] == 404
    assert can(other, thing_id) == (False, False)


def test_only_so_many_confirmations_wait(make_bench):
    bench = make_bench(policy=replace(Policy(password_cost=1), confirmations_cap=2))
    thing_id = bench.phone().link()
    other = bench.phone(app=DEMO_UNOFFICIAL_APP)
    assert [grant(other, thing_id, READ)[0][0] for _ in range(3)] == [200, 200, 429]
    bench.now_us += 86_400_000_000
    assert grant(other, thing_id, READ)[0] == PENDING


def test_mail_stays_in_the_outbox_until_it_has_left(bench, other, thing_id):
    _, first = grant(other, thing_id, READ)
    _, second = grant(other, thing_id, WRITE)
    assert bench.core.resume(bench.now_us) == [first, second]
    bench.core.mailed(first.number)
    bench.core.url = "https://example.org:8443"
    (left,) = bench.core.resume(bench.now_us)
    assert left.text == second.text.replace("http://localhost", "https://example.org:8443")


def test_unofficial_app_unlinks_nothing(other, thing_id):
    assert other.ask("DELETE", f"/me/things/{thing_id}")[0] == 403
