"""Keys with a meaning of their own, tags, firmware, functions and the date."""

from __future__ import annotations

from hashlib import sha256

import pytest

NO_RESOURCE = (404, {"status": "error", "message": "resource not found"})


def state(bench, key):
    status, rows = bench.own("GET", f"/resources/{key}")
    assert status == 200
    (only,) = rows
    assert list(only) == ["key", "value"]
    assert only["key"] == key.replace("%24", "$")
    return only["value"]


@pytest.mark.parametrize(
    "item",
    [
        {"value": {"type": "Point", "coordinates": [2.5, 41]}},
        {"value": [2.5, 41]},
        {"value": None, "geo": {"lat": 41, "long": 2.5}},
    ],
)
def test_geo_has_three_forms_and_one_shape(bench, item):
    assert bench.own("GET", "/resources/$geo") == NO_RESOURCE
    bench.write({"key": "$geo", **item})
    assert state(bench, "%24geo") == {"type": "Point", "coordinates": [2.5, 41]}


def test_geo_needs_a_position(bench):
    assert bench.write({"key": "$geo", "value": None})[0] == 400


def test_settings_start_empty_merge_and_keep_siblings(bench):
    assert state(bench, "$settings") == {}
    bench.write({"key": "$settings", "value": {"name": "My Thing", "foo": "bar"}})
    bench.write({"key": "$settings.name", "value": "Yours"})
    bench.write({"key": "$settings.a.b", "value": {"c": [1]}})
    bench.write({"key": "$settings", "value": {"more": 1}})
    assert state(bench, "$settings") == {
        "name": "Yours",
        "foo": "bar",
        "a": {"b": {"c": [1]}},
        "more": 1,
    }
    assert state(bench, "$settings.a.b.c") == [1]
    assert state(bench, "$settings.nothing") is None
    assert state(bench, "$settings.name.deeper") is None


def test_path_through_a_scalar_is_refused(bench):
    bench.write({"key": "$settings.a", "value": 1})
    assert bench.write({"key": "$settings.a.b", "value": 1})[0] == 400
    assert state(bench, "$settings.a") == 1


def test_two_paths_in_one_request_are_both_kept(bench):
    bench.write({"key": "$settings.x.a", "value": 1}, {"key": "$settings.x.b", "value": 2})
    assert state(bench, "$settings.x") == {"a": 1, "b": 2}


def test_unknown_dollar_name_is_accepted_and_ignored(bench):
    assert bench.write({"key": "$other", "value": 1})[0] == 201
    assert bench.own("GET", "/resources/$other") == NO_RESOURCE


def test_store_false_leaves_states_alone(bench):
    bench.write({"key": "$settings.a", "value": 1}, query="?store=false")
    assert state(bench, "$settings") == {}


def test_description_is_replaced_whole(bench):
    assert bench.own("GET", "/resources/description") == (200, [])
    assert bench.own("PUT", "/resources/description", {"a": 1}) == (200, {"status": "success"})
    bench.own("PUT", "/resources/description", {"b": 2})
    assert state(bench, "description") == {"b": 2}
    bench.write({"key": "description", "value": {"c": 3}})
    assert state(bench, "description") == {"c": 3}
    assert bench.own("PUT", "/resources/description", [1])[0] == 400


def test_tags_are_added_listed_and_deleted(bench):
    status, red = bench.own("POST", "/tags", {"name": "red"})
    assert (status, red["status"], red["name"]) == (201, "created", "red")
    assert bench.own("POST", "/tags", {"tag": "red"})[1]["_id"] == red["_id"]
    bench.own("POST", "/tags", {"tags": ["blue", "red"]})
    _, tags = bench.own("GET", "/tags")
    assert [tag["name"] for tag in tags] == ["red", "blue"]
    assert bench.own("DELETE", f"/tags/{red['_id']}") == (200, {"status": "success"})
    assert bench.own("DELETE", f"/tags/{red['_id']}")[0] == 404
    assert [tag["name"] for tag in bench.own("GET", "/tags")[1]] == ["blue"]


@pytest.mark.parametrize("document", [{}, {"name": ""}, {"name": 5}, {"tags": []}, {"tags": [1]}])
def test_tag_without_a_name(bench, document):
    assert bench.own("POST", "/tags", document)[0] == 400


def test_latest_firmware_and_its_bytes(bench):
    status, document = bench.own("GET", "/firmwares/latest")
    assert (status, document["status"]) == (200, "success")
    assert document["firmwares"] == [
        {"_id": "main-2", "version": "2", "mcu": "main"},
        {"_id": "radio-7", "version": "7", "mcu": "radio"},
    ]
    status, image = bench.own("GET", "/firmwares/download/main-2")
    assert (status, sha256(image).hexdigest()) == (200, bench.provisioning.firmwares[0].sha256)
    assert bench.own("GET", "/firmwares/download/main-1")[0] == 404


def test_function_answers_its_params(bench):
    call = "/code/functions/echo"
    assert bench.own("POST", call, {"params": {"a": [1]}}) == (200, {"a": [1]})
    assert bench.own("POST", call) == (200, {})
    assert bench.own("POST", call, {"params": 1})[0] == 400
    assert bench.own("POST", "/code/functions/none", {"params": {}})[0] == 404


def test_date_in_both_forms(bench):
    bench.now_us += 176_500
    target = f"/v2/utils/date?thingToken={bench.thing_token}"
    utc = "2024-01-31T12:00:00.176Z"
    assert bench.ask("GET", target) == (200, {"date": utc, "values": [{"value": utc}]})
    assert bench.ask("GET", f"{target}&format=UTC") == bench.ask("GET", target)
    seconds = {"date": 1706702400, "values": [{"value": 1706702400}]}
    assert bench.ask("GET", f"{target}&format=unix_timestamp") == (200, seconds)
    assert bench.ask("GET", f"{target}&format=iso")[0] == 400


def test_date_needs_credentials(bench):
    assert bench.ask("GET", "/v2/utils/date/")[0] == 401
    assert bench.ask("GET", "/v2/utils/date/?thingToken=")[0] == 401
    assert bench.ask("GET", "/v2/utils/date?thingToken=x")[0] == 403


def test_ping_has_no_session(bench):
    answer = (401, {"status": "error", "code": 401, "message": "Invalid session token"})
    assert bench.ask("GET", "/v2/") == bench.ask("GET", "/v2") == answer
