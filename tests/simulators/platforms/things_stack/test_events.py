"""The event stream: its framing, who hears what, and events of the past."""

from __future__ import annotations

import json
import re

import pytest

from simulators.platforms.effects import Answer, OpenStream, StreamDocument
from simulators.platforms.things_stack.events.definitions import matching

from .conftest import NOON, OTHER_KEY, USER_KEY

APP = {"application_ids": {"application_id": "app1"}}
DEV = {"device_ids": {"device_id": "dev1", "application_ids": {"application_id": "app1"}}}
ULID = r"[0-9A-HJKMNP-TV-Z]{26}"
SSE = {"Accept": "text/event-stream"}


@pytest.fixture(autouse=True)
def _application(bench):
    bench.application()


def heard(effects, stream):
    """Names of the events in a stream, out of the effects of one request."""
    documents = [each for each in effects if isinstance(each, StreamDocument)]
    mine = [each.document for each in documents if stream.stream_id in each.stream_ids]
    return [json.loads(each)["result"]["name"] for each in mine]


def add_device(bench, device_id="dev1"):
    given = {"end_device": {"ids": {"device_id": device_id}}}
    return bench.effects("POST", "/applications/app1/devices", given)


@pytest.mark.parametrize(
    ("headers", "kind", "end"),
    [
        (SSE, "text/event-stream", b"}}\n\n"),
        ({}, None, b"}\n"),
        ({"Accept": "text/event-stream, */*"}, None, b"}\n"),
    ],
)
def test_the_first_message(bench, headers, kind, end):
    stream = bench.listen({"identifiers": [DEV]}, headers=headers)
    assert stream.content_type == kind
    assert stream.document.endswith(end[-2:] if kind is None else b"}}\n\n")
    assert stream.document.count(b"\n") == (2 if kind else 1)
    start = json.loads(stream.document)["result"]
    assert re.fullmatch(ULID, start.pop("unique_id"))
    (correlation_id,) = start.pop("correlation_ids")
    assert re.fullmatch(f"rpc:/ttn.lorawan.v3.Events/Stream:{ULID}", correlation_id)
    assert start == {
        "name": "events.stream.start",
        "time": NOON,
        "identifiers": [DEV],
        "origin": "thingrig",
        "context": {"tenant-id": "CgA="},
    }


def test_an_event(bench):
    stream = bench.listen({"identifiers": [APP]}, headers=SSE)
    given = {"application": {"ids": {"application_id": "app1"}, "name": "x"}, "field_mask": "name"}
    effects = bench.effects("PUT", "/applications/app1", given, headers={"User-Agent": "me/1"})
    assert isinstance(effects[0], Answer)
    (document,) = [each for each in effects if isinstance(each, StreamDocument)]
    assert document.stream_ids == (stream.stream_id,)
    assert document.document.startswith(b'{"result":{"name":"application.update",')
    assert document.document.endswith(b"}\n\n")
    event = json.loads(document.document)["result"]
    assert re.fullmatch(ULID, event.pop("unique_id"))
    assert event.pop("correlation_ids")[0].startswith(
        "rpc:/ttn.lorawan.v3.ApplicationRegistry/Update:"
    )
    assert event == {
        "name": "application.update",
        "time": NOON,
        "identifiers": [APP],
        "data": {"@type": "type.googleapis.com/google.protobuf.Value", "value": ["name"]},
        "origin": "thingrig",
        "context": {"tenant-id": "CgA="},
        "visibility": {"rights": ["RIGHT_APPLICATION_INFO"]},
        "authentication": {"type": "Bearer", "token_type": "APIKey", "token_id": "B" * 39},
        "user_agent": "me/1",
    }


def test_a_device_and_its_application_hear_of_it(bench):
    parent = bench.listen({"identifiers": [APP]})
    child = bench.listen({"identifiers": [DEV]})
    both = bench.listen({"identifiers": [APP, DEV]})
    effects = add_device(bench)
    assert [heard(effects, each) for each in (parent, child, both)] == [
        ["end_device.create"], ["end_device.create"], ["end_device.create"],
    ]  # fmt: skip
    effects = add_device(bench, "dev2")
    assert [heard(effects, each) for each in (parent, child)] == [["end_device.create"], []]


def test_only_who_may_see_an_event_hears_it(bench):
    key = bench.key("applications/app1", "RIGHT_APPLICATION_INFO")
    narrow = bench.listen({"identifiers": [APP]}, key=key)
    assert heard(add_device(bench), narrow) == []
    given = {"application": {"ids": {"application_id": "app1"}}}
    assert heard(bench.effects("PUT", "/applications/app1", given), narrow) == [
        "application.update"
    ]


def test_names_choose_events(bench):
    names = ["application.update", "/^end_device\\.(create|update)$/"]
    stream = bench.listen({"identifiers": [APP], "names": names})
    start = json.loads(stream.document)["result"]
    assert start["data"] == {"@type": "type.googleapis.com/google.protobuf.Value", "value": names}
    assert heard(add_device(bench), stream) == ["end_device.create"]
    assert heard(bench.effects("DELETE", "/applications/app1/devices/dev1"), stream) == []


@pytest.mark.parametrize(
    ("body", "key", "expected"),
    [
        ({}, USER_KEY, (400, "events/grpc:no_identifiers", {})),
        ({"identifiers": [APP], "names": ["as.up"]}, USER_KEY,
         (400, "events:unknown_event_name", {"name": "as.up"})),
        ({"identifiers": [APP], "names": ["/(/"]}, USER_KEY, (400, "events:invalid_regexp", {})),
        ({"identifiers": [APP], "names": ["/^x$/"]}, USER_KEY,
         (400, "events:no_matching_events", {"regexp": "^x$"})),
        ({"identifiers": [APP]}, OTHER_KEY,
         (403, "auth/rights:no_application_rights", {"uid": "app1"})),
        ({"identifiers": [APP]}, None,
         (403, "auth/rights:no_application_rights", {"uid": "app1"})),
        ({"identifiers": [{}]}, USER_KEY, (400, "errors:validation",
         {"field": "identifiers[0]", "name": "StreamEventsRequestValidationError",
          "reason": "embedded message failed validation"})),
    ],
)  # fmt: skip
def test_refusals_stand_where_the_first_message_would(bench, body, key, expected):
    answer = bench.effects("POST", "/events", body, key=key, headers=SSE)[0]
    assert answer.content_type == "text/event-stream"
    assert answer.document.endswith(b"}\n\n")
    error = json.loads(answer.document)["error"]
    (details,) = error["details"]
    name = f"{details['namespace']}:{details['name']}".removeprefix("pkg/")
    assert (answer.status, name, details.get("attributes", {})) == expected


def test_no_json_is_refused_before_there_is_a_stream(bench):
    assert bench.refused("POST", "/events", b"{,}", headers=SSE)[:2] == (400, 3)


@pytest.mark.parametrize(
    "expression", ["(a+)+$", "(.|.)*x", ".*.*.*x", "(?=a)", r"(a)\1", "x" * 300, "[z-a]"]
)
def test_expressions_that_could_take_for_ever_are_none(expression):
    with pytest.raises(Exception, match="invalid regexp"):
        matching([f"/{expression}/"])


@pytest.mark.parametrize(
    ("expression", "count"),
    [("^js\\.join\\.", 2), ("^as\\.up\\.[a-z.]*forward$", 5), ("(?:js|as)\\.end_device\\.", 8)],
)
def test_ordinary_expressions(expression, count):
    assert len(matching([f"/{expression}/"])) == count


def test_a_closed_stream_hears_nothing(bench):
    stream = bench.listen({"identifiers": [APP]})
    bench.core.closed(stream.stream_id)
    assert heard(add_device(bench), stream) == []


def test_without_a_store_there_is_no_past(bench):
    effects = bench.effects("POST", "/events", {"identifiers": [APP], "tail": 5})
    assert isinstance(effects[0], OpenStream)
    assert dict(effects[0].headers)["X-Warning"] == "Events storage is not enabled"
    assert bench.refused("GET", "/events/related?correlation_id=abc") == (
        400, "events/grpc:storage_disabled", {},
    )  # fmt: skip


def test_the_past(with_policy):
    bench = with_policy(events_kept=3)
    bench.application()
    for number in range(4):
        bench.wait(1)
        add_device(bench, f"dev{number}")
    for body, count in (
        ({"tail": 2}, 2),
        ({"tail": 9}, 3),
        ({"after": "2024-01-31T12:00:03Z"}, 1),
        ({"tail": 9, "names": ["application.update"]}, 0),
    ):
        effects = bench.effects("POST", "/events", {"identifiers": [APP], **body})
        assert len(heard(effects, effects[0])) == count
    stream = bench.listen({"identifiers": [APP]})
    effects = add_device(bench, "dev9")
    (document,) = [each for each in effects if isinstance(each, StreamDocument)]
    event = json.loads(document.document)["result"]
    assert document.stream_ids[-1] == stream.stream_id
    target = f"/events/related?correlation_id={event['correlation_ids'][0]}"
    assert bench.get(target) == (200, {"events": [event]})
    hidden = bench.get(target, key=OTHER_KEY)[1]["events"][0]
    assert "authentication" not in hidden
    assert hidden["name"] == "end_device.create"
