"""What apps store for their users: settings, and objects in collections."""

from __future__ import annotations

import pytest

from simulators.platforms.provisioning import DEMO_UNOFFICIAL_APP

DONE = (200, {"status": "success"})


# --- settings


def test_settings_are_merged_and_bare(bench):
    phone = bench.phone()
    assert phone.ask("GET", "/me/settings") == (200, {})
    assert phone.ask("PUT", "/me/settings", {"thing": "x", "a": {"b": 1}}) == DONE
    assert phone.ask("PUT", "/me/settings", {"a": 2}) == DONE
    assert phone.ask("GET", "/me/settings") == (200, {"thing": "x", "a": 2})


def test_settings_belong_to_a_user_in_an_app(bench):
    phone = bench.phone()
    phone.ask("PUT", "/me/settings", {"a": 1})
    assert bench.phone("ben").ask("GET", "/me/settings") == (200, {})
    assert bench.phone(app=DEMO_UNOFFICIAL_APP).ask("GET", "/me/settings") == (200, {})


def test_new_password_is_not_a_setting(bench):
    phone = bench.phone()
    assert phone.ask("PUT", "/me/settings", {"password": "new one", "a": 1}) == DONE
    assert phone.ask("GET", "/me/settings") == (200, {"a": 1})
    assert bench.ask("POST", "/v2/login", phone.credentials)[0] == 401
    assert bench.ask("POST", "/v2/login", {**phone.credentials, "password": "new one"})[0] == 200
    assert "new one" not in "\n".join(bench.core.store.connection.iterdump())


@pytest.mark.parametrize("body", [{"password": 5, "a": 1}, {"password": "", "a": 1}, [], "x"])
def test_bad_settings_change_nothing(bench, body):
    phone = bench.phone()
    assert phone.ask("PUT", "/me/settings", body)[0] == 400
    assert phone.ask("GET", "/me/settings") == (200, {})
    assert bench.ask("POST", "/v2/login", phone.credentials)[0] == 200


def test_settings_do_not_grow_for_ever(bench):
    phone = bench.phone()
    for name in "abc":
        last = phone.ask("PUT", "/me/settings", {name: "x" * 30_000})[0]
    assert last == 400
    assert sorted(phone.ask("GET", "/me/settings")[1]) == ["a", "b"]


# --- objects


@pytest.fixture(params=["me", "app"])
def scope(request):
    return f"/classes/{request.param}"


def test_stored_object_shows_its_random_key(bench, scope):
    phone = bench.phone()
    status, answer = phone.ask("POST", f"{scope}/Songs", {"title": "x"})
    key = answer["_id"]
    assert (status, answer) == (201, {"status": "created", "_id": key})
    assert phone.ask("GET", f"{scope}/Songs/{key}") == (200, {"_id": key, "title": "x"})


@pytest.mark.parametrize(
    ("path", "body"),
    [("Songs/1", {"n": 1}), ("Songs", {"_id": "1", "n": 1}), ("Songs/1", {"_id": "1", "n": 1})],
    ids=["path", "body", "both"],
)
def test_key_from_path_or_body_is_taken_once(bench, scope, path, body):
    phone = bench.phone()
    assert phone.ask("POST", f"{scope}/{path}", body) == (201, {"status": "created", "_id": "1"})
    assert phone.ask("POST", f"{scope}/{path}", {**body, "n": 2})[0] == 400
    assert phone.ask("GET", f"{scope}/Songs/1") == (200, {"_id": "1", "n": 1})


def test_collection_is_ordered_by_key_descending(bench, scope):
    phone = bench.phone()
    for key in ("b", "10", "9", "é", "B"):
        phone.ask("POST", f"{scope}/Songs/{key}", {})
    status, objects = phone.ask("GET", f"{scope}/Songs")
    assert (status, [each["_id"] for each in objects]) == (200, ["é", "b", "B", "9", "10"])
    assert phone.ask("GET", f"{scope}/Nothing") == (200, [])


def test_update_leaves_what_it_does_not_name(bench, scope):
    phone = bench.phone()
    phone.ask("POST", f"{scope}/Songs/1", {"a": 1, "b": {"c": 1, "d": 2}})
    assert phone.ask("PUT", f"{scope}/Songs/1", {"b": {"c": 2}, "e": None}) == DONE
    song = {"_id": "1", "a": 1, "b": {"c": 2}, "e": None}
    assert phone.ask("GET", f"{scope}/Songs/1") == (200, song)
    assert phone.ask("PUT", f"{scope}/Songs/1", {"_id": "2"})[0] == 400
    assert phone.ask("PUT", f"{scope}/Songs/2", {"a": 1})[0] == 404


def test_deleted_object_is_gone(bench, scope):
    phone = bench.phone()
    phone.ask("POST", f"{scope}/Songs/1", {})
    assert phone.ask("DELETE", f"{scope}/Songs/1") == DONE
    assert phone.ask("DELETE", f"{scope}/Songs/1")[0] == 404
    assert phone.ask("GET", f"{scope}/Songs/1")[0] == 404
    assert phone.ask("GET", f"{scope}/Songs") == (200, [])


def test_nested_collections_are_their_own_and_order_matters(bench, scope):
    phone = bench.phone()
    paths = ["Songs/100", "Playlists/25/Songs/100", "Songs/100/Playlists/25", "a/1/b/2/c/3/d/4"]
    for number, path in enumerate(paths):
        assert phone.ask("POST", f"{scope}/{path}", {"n": number})[0] == 201
    for number, path in enumerate(paths):
        assert phone.ask("GET", f"{scope}/{path}")[1]["n"] == number
        assert len(phone.ask("GET", f"{scope}/{path.rpartition('/')[0]}")[1]) == 1
    assert phone.ask("GET", f"{scope}/Playlists") == (200, [])
    phone.ask("DELETE", f"{scope}/Songs/100")
    assert phone.ask("GET", f"{scope}/Songs/100/Playlists/25")[0] == 200


def test_a_slash_in_a_name_is_no_nesting(bench, scope):
    phone = bench.phone()
    phone.ask("POST", f"{scope}/a%2F1%2Fb/x", {"n": 1})
    assert phone.ask("GET", f"{scope}/a/1/b") == (200, [])
    assert phone.ask("GET", f"{scope}/a%2F1%2Fb")[1] == [{"_id": "x", "n": 1}]


def test_collection_of_any_depth(bench, scope):
    phone = bench.phone()
    path = "/".join(f"c{number}/{number}" for number in range(200))
    assert phone.ask("POST", f"{scope}/{path}", {"deep": True})[0] == 201
    assert phone.ask("GET", f"{scope}/{path}")[1] == {"_id": "199", "deep": True}


def test_who_sees_what(bench):
    ada, ben = bench.phone("ada"), bench.phone("ben")
    other_app = bench.phone("ada", app=DEMO_UNOFFICIAL_APP)
    ada.ask("POST", "/classes/me/Songs/1", {"n": "private"})
    ada.ask("POST", "/classes/app/Songs/1", {"n": "common"})
    assert ben.ask("GET", "/classes/me/Songs/1")[0] == 404
    assert ben.ask("GET", "/classes/me/Songs") == (200, [])
    assert ben.ask("GET", "/classes/app/Songs") == (200, [{"_id": "1", "n": "common"}])
    assert ben.ask("PUT", "/classes/app/Songs/1", {"n": "ours"}) == DONE
    assert ada.ask("GET", "/classes/app/Songs/1")[1]["n"] == "ours"
    for path in ("me", "app"):
        assert other_app.ask("GET", f"/classes/{path}/Songs") == (200, [])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/classes", 404),
        ("GET", "/classes/me", 404),
        ("GET", "/classes/us/Songs", 404),
        ("PUT", "/classes/me/Songs", 404),
        ("DELETE", "/classes/me/Songs", 404),
        ("POST", "/classes/me/" + "x" * 257, 400),
        ("PUT", "/things/Songs/1", 404),
    ],
)
def test_paths_that_are_none(bench, method, path, status):
    assert bench.phone().ask(method, path, {})[0] == status


@pytest.mark.parametrize("body", [[], "x", 5, {"_id": 5}, {"_id": ""}, {"_id": "x" * 257}])
def test_bad_objects(bench, scope, body):
    phone = bench.phone()
    assert phone.ask("POST", f"{scope}/Songs", body)[0] == 400
    assert phone.ask("GET", f"{scope}/Songs") == (200, [])


def test_objects_do_not_grow_for_ever(bench, scope):
    phone = bench.phone()
    phone.ask("POST", f"{scope}/Songs/1", {"a": "x" * 600_000})
    assert phone.ask("PUT", f"{scope}/Songs/1", {"b": "x" * 600_000})[0] == 400
    assert sorted(phone.ask("GET", f"{scope}/Songs/1")[1]) == ["_id", "a"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_classes_need_a_session(bench, scope, method):
    assert bench.ask(method, f"/v2{scope}/Songs/1", {})[0] == 401
    assert bench.ask("PUT", "/v2/me/settings", {})[0] == 401
