"""Link and unlink: whose a thing is, and what an app reads and writes of it."""

from __future__ import annotations

import pytest

from simulators.platforms.provisioning import DEMO_UNOFFICIAL_APP

AT_NOON = "2024-01-31T12:00:00.000Z"
FORBIDDEN = (403, {"status": "error", "code": 403, "message": "no permission for this resource"})


def linked(word, thing_id):
    return (200, {"status": "success", "message": word, "thingId": thing_id})


@pytest.mark.parametrize("name", ["thingToken", "thingId"])
def test_link_by_token_or_id(bench, name):
    thing = bench.provisioning.things[0]
    phone = bench.phone()
    body = (
        {"thingToken": thing.thing_token} if name == "thingToken" else {"thingId": thing.thing_id}
    )
    for _ in range(2):  # to the same user again is no mistake
        assert phone.ask("POST", "/me/things", body) == linked("linked", thing.thing_id)
    assert phone.ask("GET", "/me/things") == (200, [{"_id": thing.thing_id}])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"thingToken": 5}, 400),
        ({"thingId": ""}, 400),
        ({"thingToken": "unknown"}, 404),
        ({"thingId": "unknown"}, 404),
        ([], 400),
    ],
)
def test_link_of_what_is_none(bench, body, status):
    assert bench.phone().ask("POST", "/me/things", body)[0] == status


def test_linked_thing_belongs_to_one_user(bench):
    thing_id = bench.phone("ada").link()
    ben = bench.phone("ben")
    assert ben.ask("POST", "/me/things", {"thingId": thing_id})[0] == 403
    assert ben.ask("GET", "/me/things") == (200, [])


def test_only_an_official_app_links(bench):
    phone = bench.phone(app=DEMO_UNOFFICIAL_APP)
    body = {"thingToken": bench.thing_token}
    assert phone.ask("POST", "/me/things", body)[0] == 403
    assert phone.ask("GET", "/me/things") == (200, [])


@pytest.mark.parametrize(
    "form",
    [
        lambda thing_id: (f"/me/things/{thing_id}", None),
        lambda thing_id: (f"/me/things?thingId={thing_id}", None),
        lambda thing_id: ("/me/things", {"thingId": thing_id}),
    ],
    ids=["path", "query", "body"],
)
def test_unlink_in_three_forms(bench, form):
    bench.write({"key": "t", "value": 1})
    phone = bench.phone()
    thing_id = phone.link()
    target, body = form(thing_id)
    ask = lambda: phone.ask("DELETE", target, *([body] if body else []))  # noqa: E731
    assert ask() == linked("unlinked", thing_id)
    assert phone.ask("GET", "/me/things") == (200, [])
    assert phone.ask("GET", f"/me/resources/t/{thing_id}") == FORBIDDEN
    assert ask()[0] == 404
    bench.phone("ben").link()  # free for everybody


@pytest.mark.parametrize("body", [None, {}, {"thingId": 5}])
def test_unlink_without_an_id(bench, body):
    assert (
        bench.phone().ask("DELETE", "/me/things", *([body] if body is not None else []))[0] == 400
    )


def test_nobody_unlinks_the_thing_of_another(bench):
    ada = bench.phone("ada")
    thing_id = ada.link()
    assert bench.phone("ben").ask("DELETE", f"/me/things/{thing_id}")[0] == 404
    assert ada.ask("GET", "/me/things")[1] == [{"_id": thing_id}]


def test_roles_tell_all_rights_on_a_linked_thing(bench):
    bench.write({"key": "t", "value": 1}, {"key": "a", "value": 1})
    phone = bench.phone()
    thing_id = phone.link()
    status, answer = bench.ask("POST", "/v2/login", phone.credentials)
    every = {"get": True, "post": True, "grant": True}
    assert (status, answer["roles"]) == (200, {"a": {thing_id: every}, "t": {thing_id: every}})


def test_resources_by_name_with_their_things(bench):
    phone = bench.phone()
    first, second = phone.link(0), phone.link(1)
    bench.write(
        {"key": "t", "value": 1}, {"key": "a", "value": 1}, {"key": "$geo", "value": [1, 2]}
    )
    other = bench.provisioning.things[1].thing_token
    bench.ask("POST", f"/v2/things/{other}", {"values": [{"key": "t", "value": 2}]})
    assert phone.ask("GET", "/me/resources") == (
        200,
        [{"name": "a", "things": [first]}, {"name": "t", "things": [first, second]}],
    )
    assert bench.phone("ben").ask("GET", "/me/resources") == (200, [])


def test_values_with_and_without_a_thing(bench):
    phone = bench.phone()
    first, second = phone.link(0), phone.link(1)
    third = phone.link(2)
    for value in (1, 2):
        bench.write({"key": "t", "value": value})
    other = bench.provisioning.things[1].thing_token
    bench.ask("POST", f"/v2/things/{other}", {"values": [{"key": "t", "value": "x"}]})
    row = {"value": 2, "datetime": AT_NOON}
    assert phone.ask("GET", f"/me/resources/t/{first}") == (200, [{"key": "t", **row}])
    assert phone.ask("GET", "/me/resources/t") == (
        200,
        [
            {"thingId": first, "key": "t", "values": [row]},
            {"thingId": second, "key": "t", "values": [{"value": "x", "datetime": AT_NOON}]},
        ],
    )
    values = phone.ask("GET", f"/me/resources/t/{first}?limit=5")[1]
    assert [row["value"] for row in values] == [2, 1]
    assert phone.ask("GET", f"/me/resources/t/{first}?startDate=2025-01-01T00:00:00Z") == (200, [])
    assert phone.ask("GET", f"/me/resources/t/{third}")[0] == 404
    assert phone.ask("GET", "/me/resources/never")[0] == 404
    assert phone.ask("GET", f"/me/resources/t/{first}?limit=0")[0] == 400


def test_an_app_reads_a_hundred_rows_at_most(bench):
    phone = bench.phone()
    thing_id = phone.link()
    bench.write(*({"key": "t", "value": value} for value in range(150)))
    assert len(phone.ask("GET", f"/me/resources/t/{thing_id}?limit=1000")[1]) == 100


def test_all_resources_of_a_thing(bench):
    phone = bench.phone()
    thing_id = phone.link()
    bench.write({"key": "t", "value": 1}, {"key": "a", "value": [2]})
    assert phone.ask("GET", f"/me/all_resources/{thing_id}") == (
        200,
        [
            {"key": "a", "values": [{"value": [2], "datetime": AT_NOON}]},
            {"key": "t", "values": [{"value": 1, "datetime": AT_NOON}]},
        ],
    )
    for stranger in (bench.phone("ben"), bench.phone("cem", app=DEMO_UNOFFICIAL_APP)):
        assert stranger.ask("GET", f"/me/all_resources/{thing_id}") == FORBIDDEN


@pytest.mark.parametrize("name", ["thing_id", "thing_token"])
def test_app_writes_by_id_or_token(bench, name):
    phone = bench.phone()
    thing_id = phone.link()
    path = f"/me/resources/turn/{getattr(bench.provisioning.things[0], name)}"
    body = {"values": [{"value": "on"}, {"key": "turn", "value": "off"}]}
    assert phone.ask("POST", path, body) == (201, {"status": "created"})
    assert bench.values("turn", "?limit=5") == ["off", "on"]
    assert phone.ask("GET", f"/me/resources/turn/{thing_id}")[1][0]["value"] == "off"


def test_device_subscribers_hear_what_an_app_writes(bench):
    phone = bench.phone()
    thing_id = phone.link()
    opened = bench.effects("GET", f"/v2/things/{bench.thing_token}")[0]
    effects = bench.effects(
        "POST",
        f"/v2/me/resources/turn/{thing_id}",
        {"values": [{"value": "on"}]},
        session=phone.token,
    )
    assert [(each.stream_ids, each.document) for each in effects[1:]] == [
        ((opened.stream_id,), [{"key": "turn", "value": "on"}])
    ]


@pytest.mark.parametrize(
    "values", [None, [], [5], [{}], [{"key": "other", "value": 1}], [{"value": 1}, {"key": "t"}]]
)
def test_bad_values_change_nothing(bench, values):
    phone = bench.phone()
    thing_id = phone.link()
    assert phone.ask("POST", f"/me/resources/t/{thing_id}", {"values": values})[0] == 400
    assert bench.own("GET", "/resources/t")[0] == 404


def test_one_user_never_sees_the_thing_of_another(bench):
    bench.write({"key": "t", "value": "private"})
    thing_id = bench.phone("ada").link()
    bench.own("PUT", "/resources/description", {"name": "private"})
    ben = bench.phone("ben")
    ben.link(1)
    assert ben.ask("GET", f"/me/resources/t/{thing_id}") == FORBIDDEN
    assert ben.ask("GET", "/me/resources/t")[0] == 404
    assert ben.ask("POST", f"/me/resources/t/{thing_id}", {"values": [{"value": 1}]}) == FORBIDDEN
    assert ben.ask("POST", f"/me/resources/t/{bench.thing_token}", {"values": [{"value": 1}]}) == (
        FORBIDDEN
    )
    assert ben.ask("GET", f"/me/resources/description/{thing_id}") == FORBIDDEN
    assert ben.ask("PUT", f"/me/resources/description/{thing_id}", {"name": "x"}) == FORBIDDEN
    assert bench.values("t", "?limit=5") == ["private"]


def test_description_is_read_and_replaced(bench):
    phone = bench.phone()
    thing_id = phone.link()
    assert phone.ask("GET", "/me/resources/description") == (200, [])
    assert phone.ask("GET", f"/me/resources/description/{thing_id}") == (200, [])
    path = f"/me/resources/description/{thing_id}"
    assert phone.ask("PUT", path, {"name": "x", "a": 1}) == (200, {"status": "success"})
    assert phone.ask("PUT", path, {"name": "y"}) == (200, {"status": "success"})
    assert phone.ask("GET", path) == (200, [{"key": "description", "value": {"name": "y"}}])
    assert phone.ask("GET", "/me/resources/description") == (
        200,
        [{"thingId": thing_id, "key": "description", "values": [{"value": {"name": "y"}}]}],
    )
    assert bench.own("GET", "/resources/description")[1][0]["value"] == {"name": "y"}
    assert phone.ask("GET", "/me/things")[1] == [{"_id": thing_id, "description": {"name": "y"}}]
    assert phone.ask("PUT", path, [1])[0] == 400
    values = {"values": [{"value": {"name": "z"}}]}
    assert phone.ask("POST", path, values)[0] == 201
    assert phone.ask("GET", path)[1][0]["value"] == {"name": "z"}


def test_states_of_a_thing_are_read_and_written(bench):
    phone = bench.phone()
    thing_id = phone.link()
    path = f"/me/resources/$settings.lamp/{thing_id}"
    assert phone.ask("POST", path, {"values": [{"value": 5}]})[0] == 201
    assert phone.ask("GET", path) == (200, [{"key": "$settings.lamp", "value": 5}])
    assert phone.ask("GET", f"/me/resources/%24settings/{thing_id}") == (
        200,
        [{"key": "$settings", "value": {"lamp": 5}}],
    )
    assert phone.ask("GET", f"/me/resources/$geo/{thing_id}")[0] == 404
    assert bench.phone("ben").ask("GET", path) == FORBIDDEN


def test_a_rolled_back_link_is_forgotten(make_bench, tmp_path):
    """After a failed commit nobody may read by a link that was never stored."""
    bench = make_bench(database=tmp_path / "state")
    phone = bench.phone()
    bench.write({"key": "t", "value": 1})
    bench.core.store.connection.commit()
    thing_id = phone.link()
    assert phone.ask("GET", f"/me/resources/t/{thing_id}")[0] == 200
    bench.core.store.connection.rollback()
    bench.core.forget()
    assert phone.ask("GET", f"/me/resources/t/{thing_id}") == FORBIDDEN
