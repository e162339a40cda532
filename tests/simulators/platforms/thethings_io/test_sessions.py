"""Register, log in, and what a session is needed for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulators.platforms.effects import Hash, Hashed, Request
from simulators.platforms.provisioning import DEMO_APP, DEMO_UNOFFICIAL_APP, App
from simulators.platforms.thethings_io.policy import Policy

NO_SESSION = (401, {"status": "error", "code": 401, "message": "Invalid session token"})
ADA = {"email": "ada@example.org", "password": "secret", "app": DEMO_APP}
CHEAP = Policy(password_cost=1)


def test_register_logs_in(bench):
    status, answer = bench.ask("POST", "/v2/register", ADA)
    assert (status, list(answer)) == (201, ["status", "token", "roles"])
    assert (answer["status"], answer["roles"]) == ("created", {})
    assert bench.ask("GET", "/v2/", session=answer["token"]) == (200, {"status": "success"})


def test_login_gives_a_session_of_its_own(bench):
    phone = bench.phone()
    status, answer = bench.ask("POST", "/v2/login", phone.credentials)
    assert status == 200
    assert answer["token"] != phone.token
    for token in (answer["token"], phone.token):
        assert bench.ask("GET", "/v2/me/things", session=token) == (200, [])


@pytest.mark.parametrize(
    "change",
    [{"password": "wrong"}, {"email": "nobody@example.org"}],
    ids=["wrong password", "unknown address"],
)
def test_login_with_what_is_wrong(bench, change):
    bench.ask("POST", "/v2/register", ADA)
    status, answer = bench.ask("POST", "/v2/login", {**ADA, **change})
    assert (status, answer["message"]) == (401, "email or password is wrong")


def test_unknown_address_is_hashed_like_a_known_one(bench):
    request = Request("POST", "/v2/login", document={**ADA, "email": "nobody@example.org"})
    (effect,) = bench.core.handle(request, bench.now_us)
    assert isinstance(effect, Hash)
    assert effect.cost == bench.policy.password_cost


def test_login_to_an_app_where_one_is_not_registered(bench):
    bench.ask("POST", "/v2/register", ADA)
    assert bench.ask("POST", "/v2/login", {**ADA, "app": DEMO_UNOFFICIAL_APP})[0] == 401


def test_address_is_registered_once_in_an_app_whatever_its_case(bench):
    bench.ask("POST", "/v2/register", ADA)
    status, answer = bench.ask("POST", "/v2/register", {**ADA, "email": "Ada@Example.org"})
    assert (status, answer["message"]) == (400, "email is already registered")
    assert bench.ask("POST", "/v2/login", {**ADA, "email": "ADA@example.org"})[0] == 200


def test_another_app_takes_the_same_user_by_the_password(bench):
    bench.ask("POST", "/v2/register", ADA)
    other = {**ADA, "app": DEMO_UNOFFICIAL_APP}
    assert bench.ask("POST", "/v2/register", {**other, "password": "guessed"})[0] == 400
    assert bench.ask("POST", "/v2/register", other)[0] == 201
    assert bench.ask("POST", "/v2/login", other)[0] == 200


@pytest.mark.parametrize("path", ["register", "login"])
@pytest.mark.parametrize("member", ["email", "password", "app"])
@pytest.mark.parametrize("value", [None, "", 5, ["x"], "x" * 2000, "\ud800", "a@b@c", "a b@c.d"])
def test_what_is_missing_or_no_text_is_refused(bench, path, member, value):
    if member != "email" and value in ("a@b@c", "a b@c.d"):
        return  # as good a password as any; as an app it is unknown
    status, answer = bench.ask("POST", f"/v2/{path}", {**ADA, member: value})
    assert status == 400
    assert answer["message"]


def test_unknown_app(bench):
    assert bench.ask("POST", "/v2/register", {**ADA, "app": "x"})[1]["message"] == "app not found"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", "/me/things"),
        ("GET", "/me/things"),
        ("DELETE", "/me/things"),
        ("DELETE", "/me/things/x"),
        ("GET", "/me/resources"),
        ("GET", "/me/resources/t"),
        ("GET", "/me/resources/t/x"),
        ("GET", "/me/all_resources/x"),
        ("POST", "/me/resources/t/x"),
        ("GET", "/me/resources/description"),
        ("PUT", "/me/resources/description/x"),
        ("GET", "/utils/date"),
    ],
)
@pytest.mark.parametrize("token", [None, "", "x", "x" * 43])
def test_nothing_without_a_session(bench, method, path, token):
    bench.phone()
    assert bench.ask(method, f"/v2{path}", session=token) == NO_SESSION


def test_session_is_a_token_of_43_characters_that_only_its_server_draws(bench):
    tokens = {bench.phone(name).token for name in ("ada", "ben", "cem")}
    assert {len(token) for token in tokens} == {43}
    assert len(tokens) == 3


def test_session_expires(make_bench):
    bench = make_bench()
    provisioning = replace(bench.provisioning, apps=[App("short", session_s=60)])
    bench = make_bench(provisioning)
    phone = bench.phone(app="short")
    bench.now_us += 59_999_999
    assert phone.ask("GET", "/me/things")[0] == 200
    bench.now_us += 1
    assert phone.ask("GET", "/me/things") == NO_SESSION
    status, answer = bench.ask("POST", "/v2/login", phone.credentials)
    assert (status, answer["token"] != phone.token) == (200, True)
    assert phone.ask("GET", "/me/things") == NO_SESSION


def test_password_is_stored_as_a_salted_slow_hash(bench):
    bench.ask("POST", "/v2/register", ADA)
    bench.ask("POST", "/v2/register", {**ADA, "email": "ben@example.org"})
    rows = bench.core.store.all("SELECT password FROM user WHERE email LIKE '%@example.org'")
    kinds = {row[0].split("$")[0] for row in rows}
    assert (kinds, len({row[0] for row in rows})) == ({"scrypt"}, 2)
    dump = "\n".join(bench.core.store.connection.iterdump())
    assert "secret" not in dump


def test_cost_is_a_setting_and_old_hashes_stay_good(make_bench):
    bench = make_bench(policy=replace(CHEAP, password_cost=2))
    bench.ask("POST", "/v2/register", ADA)
    bench.core.policy = replace(CHEAP, password_cost=3)
    assert bench.ask("POST", "/v2/login", ADA)[0] == 200
    bench.ask("POST", "/v2/register", {**ADA, "email": "ben@example.org"})
    rows = bench.core.store.all("SELECT password FROM user WHERE email LIKE '%@example.org'")
    assert [row[0].split("$")[1] for row in rows] == ["2", "3"]


def test_address_registered_while_the_password_was_hashed(bench):
    """Two requests for one address: the second finds it taken when its hash is there."""
    requests = [Request("POST", "/v2/register", document=ADA) for _ in range(2)]
    (first,), (second,) = (bench.core.handle(request, bench.now_us) for request in requests)
    for work in (first, second):
        work.request.hashed = Hashed(work.salt, b"x" * 32)
    assert bench.core.handle(first.request, bench.now_us)[0].status == 201
    assert bench.core.handle(second.request, bench.now_us)[0].status == 400


def test_provisioned_users_are_in_every_app(bench):
    for user in bench.provisioning.users:
        for app in bench.provisioning.apps:
            body = {"email": user.email, "password": user.password, "app": app.id}
            assert bench.ask("POST", "/v2/login", body)[0] == 200


def test_date_for_an_app(bench):
    assert bench.phone().ask("GET", "/utils/date?format=unix_timestamp") == (
        200,
        {"date": 1706702400, "values": [{"value": 1706702400}]},
    )
