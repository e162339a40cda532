"""Users: registration, what only admins may change, passwords."""

from __future__ import annotations

import pytest

from .conftest import ADMIN_KEY, NOON, OTHER_KEY


def user(user_id, /, **fields):
    return {"user": {"ids": {"user_id": user_id}, "primary_email_address": f"{user_id}@example.com",
                     "password": "long-enough", **fields}}  # fmt: skip


def test_anybody_registers(bench):
    made = bench.made("/users", user("somebody", name="Some Body", admin=True), key=None)
    assert made == {
        "ids": {"user_id": "somebody"},
        "created_at": NOON,
        "updated_at": NOON,
        "primary_email_address": "somebody@example.com",
        "name": "Some Body",
        "state": "STATE_APPROVED",
    }
    assert bench.get("/users/somebody?field_mask=state,admin", key=OTHER_KEY)[0] == 200
    assert bench.refused(
        "GET", "/users/somebody?field_mask=primary_email_address", key=OTHER_KEY
    ) == (403, "auth/rights:no_user_rights", {"uid": "somebody"})


def test_two_letters_are_enough_for_a_user(bench):
    assert bench.post("/users", user("me"), key=None)[0] == 200


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (user("abc", password="short"), "identityserver:password_strength_min_length"),
        (user("long", password="so-long-a-word"), "identityserver:password_contains_user_id"),
        (user("abc", primary_email_address="nobody"), "errors:validation"),
        (user("abc", primary_email_address="USER1@example.com"), "util/store:already_exists"),
        (user("user1", primary_email_address="a@example.com"), "util/store:id_taken"),
    ],
)
def test_who_is_refused(bench, given, name):
    assert bench.refused("POST", "/users", given, key=None)[1] == name


def test_registration_may_be_closed_or_reviewed(with_policy):
    bench = with_policy(registration=False)
    assert bench.refused("POST", "/users", user("abc"), key=None)[1] == (
        "identityserver:user_registration_disabled"
    )
    assert bench.post("/users", user("abc"), key=ADMIN_KEY)[0] == 200
    bench = with_policy(admin_approval=True)
    assert "state" not in bench.made("/users", user("abc"), key=None)


def test_lists_are_for_admins(bench):
    assert bench.refused("GET", "/users") == (403, "auth/rights:no_admin", {})
    _, document = bench.get("/users?order=-user_id&field_mask=admin", key=ADMIN_KEY)
    shown = [(each["ids"]["user_id"], each.get("admin")) for each in document["users"]]
    assert shown == [("user2", None), ("user1", None), ("boss", True)]
    assert bench.headers["X-Total-Count"] == "3"


@pytest.mark.parametrize("field", ["admin", "state", "state_description"])
def test_some_fields_are_for_admins(bench, field):
    given = {"user": {"ids": {"user_id": "user1"}}, "field_mask": field}
    assert bench.refused("PUT", "/users/user1", given) == (
        403, "identityserver:update_admin_field", {"field": field},
    )  # fmt: skip


def test_one_admin_is_left(bench):
    last = (400, "identityserver/store:last_admin", {"user_id": "boss"})
    given = {"user": {"ids": {"user_id": "boss"}}, "field_mask": "admin"}
    assert bench.refused("PUT", "/users/boss", given, key=ADMIN_KEY) == last
    assert bench.refused("DELETE", "/users/boss", key=ADMIN_KEY) == last
    assert bench.refused("DELETE", "/users/boss/purge", key=ADMIN_KEY) == last
    given["user"] = {"ids": {"user_id": "user1"}, "admin": True}
    bench.made("/users/user1", given, method="PUT", key=ADMIN_KEY)
    assert bench.delete("/users/boss", key=ADMIN_KEY) == (200, {})


def test_a_password_is_changed_by_who_knows_it(bench):
    target = "/users/user1/password"
    wrong = (401, "identityserver:old_password", {})
    new = {"new": "new-and-long", "old": "not-this"}
    assert bench.refused("PUT", target, new) == wrong
    assert bench.put(target, {"new": "new-and-long", "old": "user1-password"}) == (200, {})
    assert bench.refused("PUT", target, {"new": "other-one", "old": "user1-password"}) == wrong
    assert bench.put(target, {"new": "other-one", "old": "new-and-long"}) == (200, {})
    assert bench.refused("PUT", target, {"new": "x", "old": "other-one"})[1] == (
        "identityserver:password_strength_min_length"
    )
    assert bench.refused("PUT", target, new, key=OTHER_KEY)[0] == 403
