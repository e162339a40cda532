"""Streams of apps: resources and collections, and how they fall silent with the right to them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulators.platforms.effects import Answer, EndStream, OpenStream, StreamDocument, Timer
from simulators.platforms.provisioning import DEMO_APP, DEMO_UNOFFICIAL_APP, App

AT_NOON = "2024-01-31T12:00:00.000Z"
SECOND_US = 1_000_000


def subscribe(phone, path, keep_alive=60_000):
    """The id of a fresh stream."""
    target = f"/v2{path}?subscribe=true&keepAlive={keep_alive}"
    effects = phone.bench.effects("GET", target, session=phone.token)
    opened, timer = effects
    assert isinstance(opened, OpenStream)
    assert opened.document == {"status": "success", "message": "subscribed"}
    assert isinstance(timer, Timer)
    return opened.stream_id


def refused(phone, path):
    return phone.ask("GET", f"{path}?subscribe=true")[0]


def heard(effects):
    """What goes to which streams, and which are closed."""
    return [
        (effect.stream_ids, effect.document)
        if isinstance(effect, StreamDocument)
        else ("end", effect.stream_id)
        for effect in effects
        if isinstance(effect, StreamDocument | EndStream)
    ]


def write(bench, *items, number=0, query=""):
    """Items as (key, value) or whole; what follows from their write."""
    token = bench.provisioning.things[number].thing_token
    values = [
        item if isinstance(item, dict) else {"key": item[0], "value": item[1]} for item in items
    ]
    effects = bench.effects("POST", f"/v2/things/{token}{query}", {"values": values})
    assert effects[0].status == 201
    return heard(effects)


def row(thing_id, value, key="t", datetime=AT_NOON):
    return {"key": key, "value": value, "datetime": datetime, "thingId": thing_id}


@pytest.fixture
def ada(bench):
    return bench.phone("ada")


def test_resource_of_all_things_of_a_user(bench, ada):
    first, second = ada.link(0), ada.link(1)
    stream = subscribe(ada, "/me/resources/t")
    assert write(bench, ("t", 1)) == [((stream,), [row(first, 1)])]
    assert write(bench, ("t", 2), number=1) == [((stream,), [row(second, 2)])]
    assert write(bench, ("u", 3)) == []
    assert write(bench, ("t", 4), number=2) == []
    third = ada.link(2)  # linked later, heard from then on
    assert write(bench, ("t", 5), number=2) == [((stream,), [row(third, 5)])]


def test_resource_of_one_thing(bench, ada):
    first, _ = ada.link(0), ada.link(1)
    stream = subscribe(ada, f"/me/resources/t/{first}")
    assert write(bench, ("t", 1), ("u", 2), ("t", 3)) == [
        ((stream,), [row(first, 1), row(first, 3)])
    ]
    assert write(bench, ("t", 4), number=1) == []


def test_devices_and_apps_are_told_of_one_write(bench, ada):
    thing_id = ada.link()
    device = bench.effects("GET", f"/v2/things/{bench.thing_token}")[0].stream_id
    one, other = subscribe(ada, "/me/resources/t"), subscribe(ada, "/me/resources/u")
    assert write(bench, ("t", 1), ("u", 2)) == [
        ((device,), [{"key": "t", "value": 1}, {"key": "u", "value": 2}]),
        ((one,), [row(thing_id, 1)]),
        ((other,), [row(thing_id, 2, "u")]),
    ]


def test_own_time_and_place_are_told(bench, ada):
    thing_id = ada.link()
    stream = subscribe(ada, "/me/resources/t")
    item = {"key": "t", "value": 1, "datetime": 20240101000000, "geo": {"lat": 1, "long": 2}}
    shown = row(thing_id, 1, datetime="2024-01-01T00:00:00.000Z")
    shown["geo"] = {"lat": 1, "long": 2}
    assert write(bench, item) == [((stream,), [shown])]
    assert write(bench, ("t", 1), query="?broadcast=false") == []
    assert write(bench, ("t", 2), query="?store=false") == [((stream,), [row(thing_id, 2)])]


def test_app_hears_what_an_app_writes(bench, ada):
    thing_id = ada.link()
    stream = subscribe(ada, "/me/resources/turn")
    path = f"/v2/me/resources/turn/{thing_id}"
    effects = bench.effects("POST", path, {"values": [{"value": "on"}]}, session=ada.token)
    assert heard(effects) == [((stream,), [row(thing_id, "on", "turn")])]


def test_only_who_may_read_may_listen(bench, ada):
    write(bench, ("t", 1))
    ben, app = bench.phone("ben"), bench.phone("ada", app=DEMO_UNOFFICIAL_APP)
    assert refused(ada, "/me/resources/t") == 404  # no thing yet
    thing_id = ada.link()
    assert refused(ben, "/me/resources/t") == 404
    assert refused(ben, f"/me/resources/t/{thing_id}") == 403
    assert refused(app, "/me/resources/t") == 403
    assert bench.ask("GET", "/v2/me/resources/t?subscribe=true")[0] == 401
    assert write(bench, ("t", 2)) == []


def share(owner, friend, thing_id, **flags):
    body = {"permissions": {"t": {thing_id: flags}}, "email": friend.email}
    effects = owner.bench.effects("PUT", "/v2/me/grant", body, session=owner.token)
    assert effects[0].status == 200
    return heard(effects)


def test_stream_falls_silent_with_the_right(bench, ada):
    thing_id = ada.link()
    ben = bench.phone("ben")
    share(ada, ben, thing_id, get=True)
    own, all_things, one_thing = (
        subscribe(ada, "/me/resources/t"),
        subscribe(ben, "/me/resources/t"),
        subscribe(ben, f"/me/resources/t/{thing_id}"),
    )
    assert write(bench, ("t", 1)) == [((own, all_things, one_thing), [row(thing_id, 1)])]
    # the stream of the one thing has nothing more to tell, that of all things may have
    assert share(ada, ben, thing_id) == [("end", one_thing)]
    assert write(bench, ("t", 2)) == [((own,), [row(thing_id, 2)])]
    share(ada, ben, thing_id, get=True)
    assert write(bench, ("t", 3)) == [((own, all_things), [row(thing_id, 3)])]


def test_unlink_ends_delivery(bench, ada):
    thing_id = ada.link()
    all_things = subscribe(ada, "/me/resources/t")
    one_thing = subscribe(ada, f"/me/resources/t/{thing_id}")
    effects = bench.effects("DELETE", f"/v2/me/things/{thing_id}", session=ada.token)
    assert heard(effects) == [("end", one_thing)]
    assert write(bench, ("t", 1)) == []
    assert all_things in bench.core.streams.by_id


@pytest.fixture
def short(make_bench):
    """A phone whose session ends after ten seconds."""
    bench = make_bench()
    apps = [App(DEMO_APP), App("short", session_s=10)]
    bench = make_bench(replace(bench.provisioning, apps=apps))
    bench.phone("ada").link()
    return bench.phone("ada", app="short")


@pytest.mark.parametrize("path", ["/me/resources/t", "/classes/me/Songs", "/classes/app/Songs"])
def test_stream_ends_with_its_session(short, path):
    bench = short.bench
    target = f"/v2{path}?subscribe=true&keepAlive=8000"
    opened, timer = bench.effects("GET", target, session=short.token)
    assert timer.due_us == bench.now_us + 8 * SECOND_US
    bench.now_us = timer.due_us
    document, timer = bench.core.timer(timer.key, bench.now_us)
    assert document == StreamDocument((opened.stream_id,), {})
    assert timer.due_us == bench.now_us + 2 * SECOND_US
    bench.now_us = timer.due_us
    assert bench.core.timer(timer.key, bench.now_us) == [EndStream(opened.stream_id)]
    assert bench.core.streams.by_id == {}


def test_nothing_is_told_after_the_end_of_a_session(short):
    """Even when the timer has not fired yet."""
    bench = short.bench
    one, other = subscribe(short, "/me/resources/t"), subscribe(short, "/classes/app/Songs")
    bench.now_us += 10 * SECOND_US
    assert write(bench, ("t", 1)) == [("end", one)]
    eve = bench.phone("eve", app="short")
    effects = bench.effects("POST", "/v2/classes/app/Songs", {}, session=eve.token)
    assert heard(effects) == [("end", other)]


def test_collection_tells_create_update_and_delete(bench, ada):
    stream = subscribe(ada, "/classes/me/Songs")

    def change(method, path, body=None):
        document = [] if body is None else [body]
        return heard(bench.effects(method, f"/v2{path}", *document, session=ada.token))

    first = {"_id": "1", "a": 1, "b": 2}
    assert change("POST", "/classes/me/Songs/1", {"a": 1, "b": 2}) == [((stream,), [first])]
    assert change("PUT", "/classes/me/Songs/1", {"b": 3}) == [((stream,), [{**first, "b": 3}])]
    gone = {"_id": "1", "_deleted": True}
    assert change("DELETE", "/classes/me/Songs/1") == [((stream,), [gone])]
    assert change("DELETE", "/classes/me/Songs/1") == []


def test_collection_is_told_to_those_who_see_it(bench, ada):
    ben, app = bench.phone("ben"), bench.phone("ada", app=DEMO_UNOFFICIAL_APP)
    mine = subscribe(ada, "/classes/me/Songs")
    nested = subscribe(ada, "/classes/me/Songs/1/Verses")
    his = subscribe(ben, "/classes/me/Songs")
    common = tuple(subscribe(phone, "/classes/app/Songs") for phone in (ada, ben))
    subscribe(app, "/classes/app/Songs")

    def stored(phone, path):
        effects = bench.effects("POST", f"/v2/classes/{path}", {}, session=phone.token)
        return [streams for streams, _ in heard(effects)]

    assert stored(ada, "me/Songs/1") == [(mine,)]
    assert stored(ada, "me/Songs/1/Verses/1") == [(nested,)]
    assert stored(ben, "me/Songs/1") == [(his,)]
    assert stored(ben, "app/Songs/1") == [common]


def test_only_a_collection_is_subscribed_to(bench, ada):
    ada.ask("POST", "/classes/me/Songs/1", {})
    assert refused(ada, "/classes/me/Songs/1") == 400


@pytest.mark.parametrize("path", ["/me/resources/t", "/classes/me/Songs"])
@pytest.mark.parametrize("keep_alive", ["999", "x", "", "2147483648"])
def test_bad_keep_alive(bench, ada, path, keep_alive):
    ada.link()
    assert ada.ask("GET", f"{path}?subscribe=true&keepAlive={keep_alive}")[0] == 400
    assert bench.core.streams.by_id == {}


@pytest.mark.parametrize("query", ["", "?subscribe=false", "?subscribe=yes", "?keepAlive=1000"])
def test_without_the_word_it_is_a_read(bench, ada, query):
    ada.link()
    write(bench, ("t", 1))
    effects = bench.effects("GET", f"/v2/me/resources/t{query}", session=ada.token)
    assert [type(effect) for effect in effects] == [Answer]
