"""Subscriptions: what is sent to whom, and the keep-alive, on a clock the test moves."""

from __future__ import annotations

import pytest

from simulators.platforms.effects import Answer, OpenStream, StreamDocument, Timer

SECOND_US = 1_000_000


def subscribe(bench, query=""):
    effects = bench.effects("GET", f"/v2/things/{bench.thing_token}{query}")
    opened, timer = effects
    assert isinstance(opened, OpenStream)
    assert isinstance(timer, Timer)
    return opened, timer


def broadcast(bench, *items, query=""):
    """What the write sends to subscribers: stream ids and document, or nothing."""
    effects = bench.effects(
        "POST", f"/v2/things/{bench.thing_token}{query}", {"values": list(items)}
    )
    assert effects[0].status == 201
    return [(effect.stream_ids, effect.document) for effect in effects[1:]]


def test_first_document_and_default_keep_alive(bench):
    opened, timer = subscribe(bench)
    assert opened.document == {"status": "success", "message": "subscribed"}
    assert timer.due_us == bench.now_us + 60 * SECOND_US


def test_every_subscriber_gets_every_write_in_one_array(bench):
    first, second = subscribe(bench)[0].stream_id, subscribe(bench)[0].stream_id
    items = [{"key": "b", "value": 1}, {"key": "a", "value": [2]}, {"key": "$geo", "value": [1, 2]}]
    assert broadcast(bench, *items) == [((first, second), items)]
    bench.core.closed(first)
    assert broadcast(bench, items[0], query="?store=false") == [((second,), items[:1])]
    bench.core.closed(second)
    assert broadcast(bench, items[0]) == []


def test_items_are_shown_as_submitted(bench):
    subscribe(bench)
    item = {
        "datetime": "20240131120000",
        "key": "a",
        "geo": {"lat": "41", "long": 2, "extra": 1},
        "value": 1,
        "unknown": 2,
    }
    ((_, (shown,)),) = broadcast(bench, item)
    assert list(shown.items()) == [
        ("key", "a"),
        ("value", 1),
        ("datetime", "20240131120000"),
        ("geo", {"lat": "41", "long": 2}),
    ]


def test_broadcast_false_is_stored_and_not_sent(bench):
    subscribe(bench)
    assert broadcast(bench, {"key": "a", "value": 1}, query="?broadcast=false") == []
    assert bench.values("a") == [1]


def test_other_things_hear_nothing(bench):
    subscribe(bench)
    other = bench.provisioning.things[1].thing_token
    effects = bench.effects("POST", f"/v2/things/{other}", {"values": [{"key": "a", "value": 1}]})
    assert [type(effect) for effect in effects] == [Answer]


def test_silence_brings_an_empty_object_and_the_next_timer(bench):
    opened, timer = subscribe(bench, "?keepAlive=2000")
    bench.now_us = timer.due_us
    assert bench.core.timer(timer.key, bench.now_us) == [
        StreamDocument((opened.stream_id,), {}),
        Timer(opened.stream_id, bench.now_us + 2 * SECOND_US),
    ]


def test_message_restarts_the_keep_alive(bench):
    opened, timer = subscribe(bench, "?keepAlive=2000")
    bench.now_us += SECOND_US
    broadcast(bench, {"key": "a", "value": 1})
    expected = [Timer(opened.stream_id, bench.now_us + 2 * SECOND_US)]
    assert bench.core.timer(timer.key, timer.due_us) == expected


def test_timer_of_a_closed_stream_does_nothing(bench):
    opened, timer = subscribe(bench)
    bench.core.closed(opened.stream_id)
    bench.core.closed(opened.stream_id)
    assert bench.core.timer(timer.key, timer.due_us) == []


@pytest.mark.parametrize("keep_alive", ["999", "0", "-5", "x", "", "1.5e3", "2147483648"])
def test_bad_keep_alive(bench, keep_alive):
    assert bench.own("GET", f"?keepAlive={keep_alive}")[0] == 400


@pytest.mark.parametrize("keep_alive", ["1000", "2147483647"])
def test_bounds_of_keep_alive(bench, keep_alive):
    timer = subscribe(bench, f"?keepAlive={keep_alive}")[1]
    assert timer.due_us == bench.now_us + int(keep_alive) * 1000


def test_unknown_token_is_named(bench):
    assert bench.ask("GET", "/v2/things/nobody?keepAlive=1") == (
        404,
        {"status": "error", "message": "Thing with thing token 'nobody' not found."},
    )
