"""Packages, the storage integration of hosted deployments, and where MQTT would be."""

from __future__ import annotations

import base64

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.platforms.things_stack.policy import Policy
from tests.simulators.platforms.things_stack.conftest import NOON_US, SECOND_US, Bench
from tests.simulators.platforms.things_stack.traffic import (
    ALL_IDS,
    IDS,
    Traffic,
    add_device,
    encrypted,
)

DEFAULT = "/as/applications/app1/packages/associations/100"
OF_DEVICE = "/as/applications/app1/devices/dev1/packages/associations/100"
STORED = "/as/applications/app1/packages/storage/uplink_message"
STORED_OF_DEVICE = "/as/applications/app1/devices/dev1/packages/storage/uplink_message"
SSE = {"Accept": "text/event-stream"}
MASK = {"paths": ["package_name"]}


def switch_on(bench, target=DEFAULT):
    name = "default" if target == DEFAULT else "association"
    body = {name: {"package_name": "storage-integration"}, "field_mask": MASK}
    return bench.put(target, body)


@pytest.fixture
def hosted(with_policy):
    bench = with_policy(storage_integration=True)
    bench.application()
    add_device(bench)
    return Traffic(bench)


@pytest.fixture(scope="module")
def asked():
    """A deployment that stores, with an application."""
    bench = Bench(policy=Policy(password_cost=1, storage_integration=True))
    bench.application()
    yield bench
    bench.close()


def stored(bench, target=STORED, **options):
    """Status and messages of an answer."""
    status, body = bench.get(target, headers=SSE, **options)
    parts = body.split(b"\n\n")
    assert parts.pop() == b""
    return status, [orjson.loads(part)["result"] for part in parts]


def three_uplinks(traffic):
    for number in range(1, 4):
        traffic.uplink(encrypted(bytes((number,)), number), f_cnt=number)
        traffic.bench.wait(60)


def counters(ups):
    return [up["uplink_message"]["f_cnt"] for up in ups]


# --- packages


def test_package_is_switched_on_for_an_application(bench):
    bench.application()
    expected = {
        "ids": {"application_ids": {"application_id": "app1"}, "f_port": 100},
        "created_at": "2024-01-31T12:00:00Z",
        "updated_at": "2024-01-31T12:00:00Z",
        "package_name": "storage-integration",
    }
    assert switch_on(bench) == (200, expected)
    assert bench.get(f"{DEFAULT}?field_mask=package_name") == (200, expected)
    listed = bench.get("/as/applications/app1/packages/associations?field_mask=package_name")
    assert listed == (200, {"defaults": [expected]})
    assert bench.headers["X-Total-Count"] == "1"


def test_package_is_switched_on_for_a_device(bench):
    bench.application()
    status, document = switch_on(bench, OF_DEVICE)
    assert (status, document["ids"]) == (200, {"end_device_ids": IDS, "f_port": 100})
    _, listed = bench.get("/as/applications/app1/devices/dev1/packages/associations")
    assert [one["ids"] for one in listed["associations"]] == [document["ids"]]
    assert bench.get("/as/applications/app1/packages/associations") == (200, {})


def test_package_is_switched_off(bench):
    bench.application()
    for target in (DEFAULT, OF_DEVICE):
        switch_on(bench, target)
        assert bench.delete(target) == (200, {})
        assert bench.refused("GET", target) == (404, "redis:not_found", {})
        assert bench.delete(target) == (200, {})


@pytest.mark.parametrize("port", ["0", "256"])
def test_ports_that_packages_cannot_have(bench, port):
    bench.application()
    target = f"/as/applications/app1/packages/associations/{port}"
    body = {"default": {"package_name": "storage-integration"}, "field_mask": MASK}
    assert bench.refused("PUT", target, body)[:2] == (400, "errors:validation")


def test_packages_need_their_right(bench):
    bench.application()
    key = bench.key("applications/app1", "RIGHT_APPLICATION_TRAFFIC_READ")
    targets = [DEFAULT, "/as/applications/app1/devices/dev1/packages"]
    for target in targets:
        status, _, attributes = bench.refused("GET", target, key=key)
        assert status == 403
        assert attributes["missing"] == ["RIGHT_APPLICATION_SETTINGS_PACKAGES"]


def test_packages_are_listed(bench, hosted):
    target = "/as/applications/app1/devices/dev1/packages"
    package = {"name": "storage-integration", "default_f_port": 100}
    assert hosted.bench.get(target) == (200, {"packages": [package]})
    bench.application()
    assert bench.get(target) == (200, {})


# --- storage


def test_open_source_server_stores_nothing(bench, traffic):
    add_device(bench)
    switch_on(bench)
    traffic.uplink(encrypted(b"\x01", 7))
    for target in (STORED, STORED_OF_DEVICE, f"{STORED}/count"):
        assert bench.refused("GET", target) == (404, 5, "Not Found")


@pytest.mark.parametrize("target", [DEFAULT, OF_DEVICE])
def test_messages_are_stored_once_that_is_switched_on(hosted, target):
    hosted.uplink(encrypted(b"\x01", 1), f_cnt=1)
    assert hosted.bench.get(STORED, headers=SSE) == (200, b"")
    switch_on(hosted.bench, target)
    hosted.ups()
    hosted.uplink(encrypted(b"\x02", 2), f_cnt=2)
    up = hosted.up()
    assert stored(hosted.bench) == (200, [up])
    assert stored(hosted.bench, STORED_OF_DEVICE) == (200, [up])
    other = STORED_OF_DEVICE.replace("dev1", "dev2")
    assert stored(hosted.bench, other) == (200, [])


def test_without_an_event_stream_each_message_is_a_line(hosted):
    switch_on(hosted.bench)
    three_uplinks(hosted)
    lines = hosted.bench.get(STORED)[1].split(b"\n")
    assert [orjson.loads(line)["result"]["uplink_message"]["f_cnt"] for line in lines[:-1]] == [
        1,
        2,
        3,
    ]
    assert lines[-1] == b""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3]),
        ("order=received_at", [1, 2, 3]),
        ("order=-received_at", [3, 2, 1]),
        ("limit=2", [1, 2]),
        ("limit=1&order=-received_at", [3]),
        ("after=2024-01-31T12:00:30Z", [2, 3]),
        ("after=2024-01-31T12:01:00Z", [3]),
        ("before=2024-01-31T12:01:00Z", [1]),
        ("after=2024-01-31T12:00:30Z&before=2024-01-31T12:01:30%2B00:00", [2]),
        ("last=90s", [3]),
        ("last=2m1s", [2, 3]),
        ("last=1h30m", [1, 2, 3]),
        ("f_port=1", [1, 2, 3]),
        ("f_port=2", []),
    ],
)
def test_what_is_asked_for(hosted, query, expected):
    switch_on(hosted.bench)
    three_uplinks(hosted)
    status, ups = stored(hosted.bench, f"{STORED}?{query}")
    assert (status, counters(ups)) == (200, expected)


def pages(bench, target):
    """The counters of each page, following the tokens, which ask for all that was asked before."""
    found = []
    path = target.partition("?")[0]
    while target:
        status, ups = stored(bench, target)
        assert status == 200
        found.append(counters(ups))
        token = bench.headers.get("X-Continuation-Token")
        target = token and f"{path}?continuation_token={token}&limit=1000&f_port=99"
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [[1, 2, 3]]),
        ("limit=3", [[1, 2, 3]]),
        ("limit=2", [[1, 2], [3]]),
        ("limit=1", [[1], [2], [3]]),
        ("limit=1&order=-received_at", [[3], [2], [1]]),
        ("limit=1&last=2m1s", [[2], [3]]),
        ("limit=1&before=2024-01-31T12:01:30Z", [[1], [2]]),
        ("limit=2&f_port=1", [[1, 2], [3]]),
        ("limit=2&f_port=2", [[]]),
    ],
)
@pytest.mark.parametrize("target", [STORED, STORED_OF_DEVICE])
def test_pages_follow_each_other(hosted, target, query, expected):
    switch_on(hosted.bench)
    three_uplinks(hosted)
    assert pages(hosted.bench, f"{target}?{query}") == expected


@pytest.mark.parametrize("order", ["received_at", "-received_at"])
def test_no_message_is_lost_between_pages(hosted, order):
    """Even where several came at once, and others come while somebody reads."""
    switch_on(hosted.bench)
    for f_cnt in (1, 2, 3, 4):
        hosted.uplink(encrypted(b"\x01", f_cnt), f_cnt=f_cnt)
    _, ups = stored(hosted.bench, f"{STORED}?limit=2&order={order}")
    first = counters(ups)
    token = hosted.bench.headers["X-Continuation-Token"]
    hosted.bench.wait(1)
    hosted.uplink(encrypted(b"\x01", 5), f_cnt=5)
    _, ups = stored(hosted.bench, f"{STORED}?continuation_token={token}")
    found = first + counters(ups)
    assert found == ([1, 2, 3, 4] if order == "received_at" else [4, 3, 2, 1])


def test_mask_holds_for_later_pages(hosted):
    switch_on(hosted.bench)
    three_uplinks(hosted)
    stored(hosted.bench, f"{STORED}?limit=2&field_mask=up.uplink_message.f_port")
    token = hosted.bench.headers["X-Continuation-Token"]
    _, (up,) = stored(hosted.bench, f"{STORED}?continuation_token={token}")
    assert up["uplink_message"] == {"f_port": 1}


@pytest.mark.parametrize("token", ["x", "%ff", "AAAA", "kwECAw", "lwDAwMIKkMA="])
def test_tokens_of_somebody_else(hosted, token):
    status, body = hosted.bench.get(f"{STORED}?continuation_token={token}")
    assert status in (200, 400)
    assert status == 400 or body == b""


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.one_of(
        st.binary(max_size=40),
        st.lists(
            st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1)
            | st.lists(st.integers(0, 9) | st.text(max_size=3), max_size=3),
            min_size=5, max_size=8,
        ).map(msgspec.msgpack.encode),
    )
)  # fmt: skip
def test_any_token_is_one_or_refused(asked, content):
    token = base64.urlsafe_b64encode(content).decode()
    assert asked.get(f"{STORED}?continuation_token={token}")[0] in (200, 400)


def test_mask_trims_stored_messages(hosted):
    switch_on(hosted.bench)
    hosted.uplink(encrypted(b"\x01", 7))
    _, ups = stored(hosted.bench, f"{STORED}?field_mask=up.uplink_message.frm_payload")
    assert ups == [
        {
            "end_device_ids": ALL_IDS,
            "received_at": "2024-01-31T12:00:00Z",
            "uplink_message": {"frm_payload": "AQ=="},
        }
    ]


def test_stored_messages_are_counted(hosted):
    switch_on(hosted.bench)
    three_uplinks(hosted)
    assert hosted.bench.get(f"{STORED}/count") == (200, {"count": {"dev1": 3}})
    assert hosted.bench.get(f"{STORED_OF_DEVICE}/count?last=90s") == (200, {"count": {"dev1": 1}})
    joins = STORED.replace("uplink_message", "join_accept")
    assert hosted.bench.get(f"{joins}/count") == (200, {})


def test_messages_are_kept_for_thirty_days(hosted):
    switch_on(hosted.bench)
    hosted.uplink(encrypted(b"\x01", 7))
    hosted.bench.now_us = NOON_US + 30 * 86_400 * SECOND_US - 1
    assert len(stored(hosted.bench)[1]) == 1
    hosted.bench.now_us += 1
    assert stored(hosted.bench)[1] == []


@pytest.mark.parametrize(
    "query",
    ["order=f_cnt", "last=soon", "last=1h&after=2024-01-31T12:00:00Z", "limit=-1", "field_mask=x"],
)
def test_what_cannot_be_asked(hosted, query):
    status, body = hosted.bench.get(f"{STORED}?{query}")
    assert status == 400
    document = orjson.loads(body) if isinstance(body, bytes) else body
    assert "error" in document or "code" in document


def test_unknown_kinds_are_not_stored(hosted):
    target = STORED.replace("uplink_message", "nothing")
    assert hosted.bench.get(target)[0] == 400


def test_stored_messages_need_their_right(hosted):
    key = hosted.bench.key("applications/app1", "RIGHT_APPLICATION_INFO")
    assert hosted.bench.get(STORED, key=key)[0] == 403
    assert hosted.bench.get(f"{STORED}/count", key=key)[0] == 403


def test_tenants_do_not_see_each_others_messages():
    bench = Bench(
        policy=Policy(password_cost=1, tenants=("tenant1", "tenant2"), storage_integration=True)
    )
    for tenant in ("tenant1", "tenant2"):
        bench.application(headers={"Host": f"{tenant}.example.com"})
    add_device(bench)
    switch_on(bench)
    traffic = Traffic(bench)
    body = {"uplink_message": {"settings": {"data_rate": {"fsk": {}}, "frequency": "868000000"}}}
    traffic.ask("POST", "/as/applications/app1/devices/dev1/up/simulate", body)
    assert len(stored(bench)[1]) == 1
    status, found = bench.get(STORED, headers={"Host": "tenant2.example.com"})
    assert (status, found) == (200, b"")


# --- MQTT


def test_where_mqtt_would_be(bench):
    bench.application()
    assert bench.get("/as/applications/app1/mqtt-connection-info") == (
        200,
        {
            "public_address": "thingrig:1883",
            "public_tls_address": "thingrig:8883",
            "username": "app1",
        },
    )
    key = bench.key("applications/app1", "RIGHT_APPLICATION_TRAFFIC_READ")
    status, _, attributes = bench.refused(
        "GET", "/as/applications/app1/mqtt-connection-info", key=key
    )
    assert (status, attributes["missing"]) == (403, ["RIGHT_APPLICATION_INFO"])
