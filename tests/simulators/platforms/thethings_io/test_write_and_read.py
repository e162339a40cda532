"""Values come back as they were written: type, time, order, bounds."""

from __future__ import annotations

import pytest

DAY = "2024013112000"
NO_THING = (403, {"status": "error", "code": 403, "message": "Thing token doesn't exist"})
NO_RESOURCE = (404, {"status": "error", "message": "resource not found"})


def row(value, datetime, key="t"):
    return {"key": key, "value": value, "datetime": datetime}


@pytest.mark.parametrize("value", ["9000", 9000, 21.5, True, False, None, [1, [2]], {"a": {}}, ""])
def test_value_keeps_its_json_type(bench, value):
    assert bench.write({"key": "t", "value": value}) == (201, {"status": "created"})
    (found,) = bench.values("t")
    assert found == value
    assert type(found) is type(value)


def test_receipt_time_has_milliseconds(bench):
    bench.now_us += 123_999
    bench.write({"key": "t", "value": 1})
    assert bench.own("GET", "/resources/t") == (200, [row(1, "2024-01-31T12:00:00.123Z")])


def test_values_of_one_request_share_the_time(bench):
    bench.write({"key": "t", "value": 1}, {"key": "t", "value": 2})
    _, rows = bench.own("GET", "/resources/t?limit=5")
    assert rows == [row(2, "2024-01-31T12:00:00.000Z"), row(1, "2024-01-31T12:00:00.000Z")]


def test_shuffled_batch_comes_back_newest_first(bench):
    for hours in ("3", "1", "4", "2"):
        bench.write({"key": "t", "value": int(hours), "datetime": f"{DAY}{hours}"})
    _, rows = bench.own("GET", "/resources/t?limit=10")
    assert [line["value"] for line in rows] == [4, 3, 2, 1]
    assert rows[0]["datetime"] == "2024-01-31T12:00:04.000Z"


def test_equal_datetimes_are_all_kept_latest_written_first(bench):
    for value in range(4):
        bench.write({"key": "t", "value": value, "datetime": f"{DAY}0"})
    assert bench.values("t", "?limit=9") == [3, 2, 1, 0]


def test_start_is_inclusive_and_end_exclusive(bench):
    for second in range(4):
        bench.write({"key": "t", "value": second, "datetime": f"{DAY}{second}"})
    window = "?limit=9&startDate=2024-01-31T12:00:01.000Z&endDate=20240131120003"
    assert bench.values("t", window) == [2, 1]


def test_pages_by_end_date_give_every_row_once(bench):
    for number in range(25):
        stamp = f"2024-01-31T12:00:00.{number:03}Z"
        bench.write({"key": "t", "value": number, "datetime": stamp})
    found, end = [], ""
    while page := bench.own("GET", f"/resources/t?limit=10{end}")[1]:
        found += [line["value"] for line in page]
        end = f"&endDate={page[-1]['datetime']}"
    assert found == list(range(24, -1, -1))


def test_default_limit_is_one_and_the_cap_a_thousand(bench):
    items = [{"key": "t", "value": n, "datetime": "20240101000000"} for n in range(1005)]
    assert bench.write(*items)[0] == 201
    assert bench.values("t") == [1004]
    for limit in ("1000", "1001", "999999999999999999999999"):
        assert len(bench.values("t", f"?limit={limit}")) == 1000


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=x", "limit=1.5", "limit=", "startDate=x", "endDate=", "limit=٣"],
)
def test_bad_query(bench, query):
    bench.write({"key": "t", "value": 1})
    status, document = bench.own("GET", f"/resources/t?{query}")
    assert (status, document["status"]) == (400, "error")


def test_offset_that_was_not_percent_encoded_is_understood(bench):
    bench.write({"key": "t", "value": 1, "datetime": "20240131120000"})
    assert bench.values("t", "?endDate=2024-01-31T14:00:00+02:00") == []
    assert bench.values("t", "?startDate=2024-01-31T14:00:00%2B02:00") == [1]


def test_nothing_in_range_is_an_empty_array(bench):
    bench.write({"key": "t", "value": 1})
    assert bench.own("GET", "/resources/t?endDate=20200101000000") == (200, [])


def test_never_written_key(bench):
    assert bench.own("GET", "/resources/nothing") == NO_RESOURCE
    assert bench.own("GET", "/resources/no%20key") == NO_RESOURCE


@pytest.mark.parametrize(
    "target", ["", "/resources/t", "/resources", "/all_resources", "/tags", "/firmwares/latest"]
)
def test_unknown_token(bench, target):
    method, document = ("POST", {"values": "bad"}) if target == "" else ("GET", None)
    assert bench.ask(method, f"/v2/things/{'x' * 43}{target}", document) == NO_THING


def test_geo_comes_back(bench):
    bench.write({"key": "t", "value": 1, "geo": {"lat": "41.5", "long": 2}})
    assert bench.own("GET", "/resources/t")[1][0]["geo"] == {"lat": 41.5, "long": 2}


@pytest.mark.parametrize(
    "bad",
    [
        {"key": "a b", "value": 1},
        {"key": "a/b", "value": 1},
        {"key": "", "value": 1},
        {"key": "$", "value": 1},
        {"key": 5, "value": 1},
        {"key": ["t"], "value": 1},
        {"value": 1},
        {"key": "t"},
        "t",
        None,
        {"key": "t", "value": 1, "datetime": "soon"},
        {"key": "t", "value": 1, "datetime": None},
        {"key": "t", "value": 1, "geo": {"lat": 91, "long": 0}},
        {"key": "$geo", "value": [200, 0]},
        {"key": "$settings", "value": 5},
        {"key": "$settings.a..b", "value": 5},
        {"key": "description", "value": "text"},
    ],
)
def test_one_bad_item_refuses_the_whole_write(bench, bad):
    bench.effects("GET", f"/v2/things/{bench.thing_token}?keepAlive=5000")
    effects = bench.effects(
        "POST",
        f"/v2/things/{bench.thing_token}",
        {"values": [{"key": "good", "value": 1}, {"key": "$settings.b", "value": 1}, bad]},
    )
    assert [effect.status for effect in effects] == [400]
    assert bench.own("GET", "/resources/good") == NO_RESOURCE
    assert bench.own("GET", "/resources/$settings")[1][0]["value"] == {}


@pytest.mark.parametrize("document", [{}, {"values": []}, {"values": {}}, {"values": 1}, [], 5])
def test_write_without_values(bench, document):
    assert bench.own("POST", "", document)[0] == 400


def test_store_false_is_neither_read_nor_listed(bench):
    assert bench.write({"key": "t", "value": 1}, query="?store=false")[0] == 201
    assert bench.own("GET", "/resources/t") == NO_RESOURCE
    assert bench.own("GET", "/resources")[1]["resources"] == []


@pytest.mark.parametrize("word", ["true", "1", "", "no", "falsey"])
def test_only_false_and_0_switch_storing_off(bench, word):
    bench.write({"key": "t", "value": 1}, query=f"?store={word}")
    assert bench.values("t") == [1]
    for off in ("FALSE", "0"):
        bench.write({"key": "t", "value": 2}, query=f"?store={off}")
    assert bench.values("t", "?limit=5") == [1]


def test_resources_are_listed_ascending_without_states(bench):
    bench.write(
        {"key": "b", "value": 1}, {"key": "a", "value": 1}, {"key": "$geo", "value": [1, 2]}
    )
    bench.write({"key": "description", "value": {}}, {"key": "$other", "value": 1})
    assert bench.own("GET", "/resources") == (200, {"status": "success", "resources": ["a", "b"]})


def test_all_resources_shows_each_with_its_newest_values(bench):
    for second in range(3):
        bench.write({"key": "b", "value": second, "datetime": f"{DAY}{second}"})
    bench.write({"key": "a", "value": "x", "datetime": "20200101000000"})
    assert bench.own("GET", "/all_resources?limit=2")[1] == [
        {"key": "a", "values": [{"value": "x", "datetime": "2020-01-01T00:00:00.000Z"}]},
        {
            "key": "b",
            "values": [
                {"value": 2, "datetime": "2024-01-31T12:00:02.000Z"},
                {"value": 1, "datetime": "2024-01-31T12:00:01.000Z"},
            ],
        },
    ]
    _, recent = bench.own("GET", "/all_resources?startDate=20210101000000")
    assert [entry["key"] for entry in recent] == ["b"]
