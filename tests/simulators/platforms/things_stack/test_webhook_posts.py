"""What webhooks are sent, and what comes back by them."""

from __future__ import annotations

import random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.clock import VirtualClock
from simulators.platforms.effects import Post
from simulators.platforms.memory import MemoryTransport
from simulators.platforms.things_stack.application_server.uri_templates import expand
from simulators.platforms.things_stack.application_server.webhook_posts import target
from simulators.platforms.things_stack.core import Core
from tests.simulators.platforms.things_stack.conftest import USER_KEY
from tests.simulators.platforms.things_stack.traffic import (
    ALL_IDS,
    IDS,
    METADATA,
    SETTINGS,
    SIMULATED,
    add_device,
    encrypted,
)

HOOK = "/as/webhooks/app1/hook1"
BACK = "/as/applications/app1/webhooks/hook1/devices/dev1/down"
ITEM = {"f_port": 42, "frm_payload": "vu8="}


def add_hook(bench, hook_id="hook1", **more):
    webhook = {"base_url": "https://example.com/hook", "format": "json", "uplink_message": {}}
    webhook |= more
    body = {"webhook": {"ids": {"webhook_id": hook_id}, **webhook}}
    body["field_mask"] = {"paths": list(webhook)}
    bench.made(f"/as/webhooks/app1/{hook_id}", body, method="PUT")


def posts(traffic):
    """All posts since the last time somebody looked."""
    outbox = traffic.bench.core.stack.outbox
    found = [each for each in outbox if type(each) is Post]
    outbox[:] = [each for each in outbox if type(each) is not Post]
    return found


@pytest.fixture
def hooked(bench, traffic):
    add_device(bench)
    add_hook(bench)
    traffic.events()
    return traffic


def test_uplink_is_posted(bench, hooked):
    hooked.uplink(encrypted(b"\x01", 7))
    (post,) = posts(hooked)
    assert (post.url, post.timeout_s) == ("https://example.com/hook", 5.0)
    assert dict(post.headers) == {
        "Content-Type": "application/json",
        "User-Agent": "TheThingsStack/3.32.1 (linux/amd64)",
        "X-Tts-Domain": "thingrig",
    }
    up = orjson.loads(post.body)
    assert len(up.pop("correlation_ids")) == 2
    assert up == {
        "end_device_ids": ALL_IDS,
        "received_at": "2024-01-31T12:00:00Z",
        "uplink_message": {
            "f_port": 1,
            "f_cnt": 7,
            "frm_payload": "AQ==",
            "rx_metadata": METADATA,
            "settings": SETTINGS,
            "received_at": "2024-01-31T11:59:59.800Z",
        },
    }


def test_simulated_uplink_is_posted(hooked):
    hooked.ask("POST", "/as/applications/app1/devices/dev1/up/simulate", SIMULATED)
    (post,) = posts(hooked)
    up = orjson.loads(post.body)
    assert up["simulated"] is True
    assert up["end_device_ids"] == IDS
    assert up["uplink_message"] == SIMULATED["uplink_message"]


def test_only_what_a_webhook_names_is_posted(bench, hooked):
    add_hook(bench, "hook2", downlink_queued={"path": "queued"})
    hooked.push(ITEM)
    (post,) = posts(hooked)
    assert post.url == "https://example.com/hook/queued"
    assert orjson.loads(post.body)["downlink_queued"]["frm_payload"] == "vu8="


def test_every_webhook_is_called(bench, hooked):
    add_hook(bench, "hook2", base_url="http://other.example.com")
    hooked.uplink(encrypted(b"\x01", 7))
    urls = [post.url for post in posts(hooked)]
    assert urls == ["https://example.com/hook", "http://other.example.com"]


def test_paused_webhook_is_not_called(bench, hooked):
    add_hook(bench, paused=True)
    hooked.uplink(encrypted(b"\x01", 7))
    assert posts(hooked) == []
    add_hook(bench, paused=False)
    hooked.uplink(encrypted(b"\x01", 8), f_cnt=8)
    assert len(posts(hooked)) == 1


def test_deleted_webhook_is_not_called(bench, hooked):
    hooked.uplink(encrypted(b"\x01", 7))
    posts(hooked)
    bench.delete(HOOK)
    hooked.uplink(encrypted(b"\x01", 8), f_cnt=8)
    assert posts(hooked) == []


def test_webhook_adds_its_own_headers(bench, hooked):
    bench.core.located("http://127.0.0.1:1885")
    headers = {"Authorization": "key 1", "content-type": "text/plain"}
    add_hook(bench, headers=headers, downlink_api_key="NNSXS.KEY")
    hooked.uplink(encrypted(b"\x01", 7))
    (post,) = posts(hooked)
    back = f"http://127.0.0.1:1885/api/v3{BACK}"
    assert dict(post.headers) == {
        "Authorization": "key 1",
        "Content-Type": "application/json",
        "User-Agent": "TheThingsStack/3.32.1 (linux/amd64)",
        "X-Tts-Domain": "thingrig",
        "X-Downlink-Apikey": "NNSXS.KEY",
        "X-Downlink-Push": f"{back}/push",
        "X-Downlink-Replace": f"{back}/replace",
    }


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["up.uplink_message.frm_payload"], {"uplink_message": {"frm_payload": "AQ=="}}),
        (
            ["end_device_ids.device_id", "up.uplink_message.f_port", "up.join_accept"],
            {"end_device_ids": {"device_id": "dev1"}, "uplink_message": {"f_port": 1}},
        ),
        (["up.join_accept"], {}),
    ],
)
def test_mask_of_a_webhook_trims_its_messages(bench, hooked, paths, expected):
    add_hook(bench, field_mask={"paths": paths})
    hooked.uplink(encrypted(b"\x01", 7))
    assert orjson.loads(posts(hooked)[0].body) == expected


# --- where


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("https://example.com", "", "https://example.com"),
        ("https://example.com/a", "up", "https://example.com/a/up"),
        ("https://example.com/a/", "up", "https://example.com/a/up"),
        ("https://example.com/a", "/up", "https://example.com/a/up"),
        ("https://example.com/a/", "//up", "https://example.com/a/up"),
        ("https://example.com/a?b=1", "", "https://example.com/a?b=1"),
        ("https://example.com/a?b=1", "up", "https://example.com/a/up"),
        ("https://example.com/a", "?c=2", "https://example.com/a?c=2"),
        ("https://example.com/{applicationID}", "{deviceID}", "https://example.com/app1/dev1"),
        ("https://example.com/{appID}", "{devID}/{devEUI}", "https://example.com/app1/dev1/70B3D57ED0000001"),
        ("https://example.com", "{/joinEUI,appEUI,devAddr}", "https://example.com/0000000000000001/0000000000000001/26001234"),
        ("https://example.com", "up{?devID,unknown}", "https://example.com/up?devID=dev1"),
    ],
)  # fmt: skip
def test_where_a_webhook_is_called(base, path, expected):
    assert target(base, path, ALL_IDS) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [  # RFC 6570, section 3.2
        ("{var}", "value"),
        ("{hello}", "Hello%20World%21"),
        ("{+hello}", "Hello%20World!"),
        ("{+path}/here", "/foo/bar/here"),
        ("{#x,hello,y}", "#1024,Hello%20World!,768"),
        ("{x,empty}", "1024,"),
        ("{var:3}", "val"),
        ("X{.var:3}", "X.val"),
        ("{/var,x}/here", "/value/1024/here"),
        ("{;x,y,empty}", ";x=1024;y=768;empty"),
        ("{?x,y,undef}", "?x=1024&y=768"),
        ("{?x,y,empty}", "?x=1024&y=768&empty="),
        ("?fixed=yes{&x}", "?fixed=yes&x=1024"),
        ("{undef}", ""),
        ("{?undef}", ""),
    ],
)
def test_templates_are_expanded(template, expected):
    values = {
        "var": "value", "hello": "Hello World!", "path": "/foo/bar", "x": "1024", "y": "768",
        "empty": "",
    }  # fmt: skip
    assert expand(template, values) == expected


@pytest.mark.parametrize("template", ["{", "a}", "{a b}", "{}", "{{a}}"])
def test_what_is_no_template(template):
    with pytest.raises(ValueError, match="expected a"):
        expand(template, {})


# --- how it ended


@pytest.mark.parametrize("status", [200, 202, 299])
def test_any_success_is_success(bench, hooked, status):
    hooked.uplink(encrypted(b"\x01", 7))
    (post,) = posts(hooked)
    hooked.events()
    bench.core.stack.application.posted(post.number, status, "", bench.now_us)
    assert hooked.events() == []


@pytest.mark.parametrize(
    ("status", "said", "more", "told"),
    [
        (302, "", {"status_code": 302}, {"body": ""}),
        (404, "who?", {"status_code": 404}, {"body": "who?"}),
        (None, "no answer within 5 s", {}, {"error": "no answer within 5 s"}),
    ],
)
def test_failure_is_told_and_not_repeated(bench, hooked, status, said, more, told):
    hooked.uplink(encrypted(b"\x01", 7))
    (post,) = posts(hooked)
    hooked.events()
    bench.core.stack.application.posted(post.number, status, said, bench.now_us)
    bench.core.stack.application.posted(post.number, status, said, bench.now_us)
    (event,) = hooked.events()
    assert event["name"] == "as.webhook.fail"
    assert event["identifiers"] == [{"device_ids": ALL_IDS}]
    assert event["data"]["name"] == "request"
    attributes = {"webhook_id": "hook1", "url": "https://example.com/hook"}
    assert event["data"]["attributes"] == attributes | more
    assert event["data"]["details"][0]["value"] == told
    assert posts(hooked) == []


def test_address_that_is_none_is_told(bench, hooked):
    add_hook(bench, base_url="https://example.com/{devID")
    hooked.uplink(encrypted(b"\x01", 7))
    assert posts(hooked) == []
    assert hooked.names()[-1] == "as.webhook.fail"


# --- a process that ends before it knows


def restarted(bench):
    """The posts that another process begins with."""
    core = Core(bench.connection, random.Random(9), policy=bench.policy)
    return [each for each in core.resume(bench.now_us) if isinstance(each, Post)], core


def test_what_was_on_its_way_is_sent_once_more(bench, hooked):
    for f_cnt in (7, 8, 9):
        hooked.uplink(encrypted(b"\x01", f_cnt), f_cnt)
    first, second, third = posts(hooked)
    bench.core.stack.application.posted(first.number, 200, "", bench.now_us)
    bench.core.stack.application.posted(second.number, 500, "", bench.now_us)
    again, core = restarted(bench)
    assert again == [third]
    core.posted(third.number, 200, "", bench.now_us)
    assert restarted(bench)[0] == []


def test_number_of_a_call_is_not_used_again_while_it_lasts(bench, hooked):
    hooked.uplink(encrypted(b"\x01", 7))
    (before,) = posts(hooked)
    again, core = restarted(bench)
    bench.core = core
    hooked.uplink(encrypted(b"\x01", 8), 8)
    (new,) = posts(hooked)
    assert new.number > before.number == again[0].number


# --- downlinks that come back


def test_webhook_pushes_a_downlink(bench, hooked):
    status, document = bench.post(f"{BACK}/push", {"downlinks": [ITEM]})
    assert (status, document) == (200, None)
    assert hooked.queue.counters() == [(1, b"\xbe\xef")]


def test_webhook_replaces_the_queue(bench, hooked):
    bench.post(f"{BACK}/push", {"downlinks": [ITEM]})
    bench.post(f"{BACK}/replace", {"downlinks": [{"f_port": 1, "frm_payload": "AQ=="}]})
    assert hooked.queue.counters() == [(2, b"\x01")]
    bench.post(f"{BACK}/replace", {})
    assert hooked.queue.items == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "applicationserver/io/web:decode_body", {})),
        (b'{"downlinks": 1}', (400, "applicationserver/io/web:decode_body", {})),
        ({"downlinks": [{"f_port": 224}]}, (400, "applicationserver/io/web:validate_body", {})),
        ({"downlinks": [{"f_port": 1}]}, (400, "applicationserver:no_payload", {})),
    ],
)
def test_what_webhooks_cannot_push(bench, hooked, body, expected):
    assert bench.refused("POST", f"{BACK}/push", body) == expected


def test_unknown_webhook_pushes_nothing(bench, hooked):
    bench.delete(HOOK)
    expected = (404, "applicationserver/io/web:webhook_not_found", {})
    assert bench.refused("POST", f"{BACK}/push", {"downlinks": [ITEM]}) == expected


def test_paused_webhook_pushes_nothing(bench, hooked):
    add_hook(bench, paused=True)
    assert bench.post(f"{BACK}/push", {"downlinks": [ITEM]}) == (406, None)
    assert hooked.queue.items == []


def test_webhook_needs_the_right_to_push(bench, hooked):
    key = bench.key("applications/app1", "RIGHT_APPLICATION_TRAFFIC_READ")
    status, name, _ = bench.refused("POST", f"{BACK}/push", {"downlinks": [ITEM]}, key=key)
    assert (status, name) == (403, "auth/rights:insufficient_application_rights")


# --- on the virtual clock


def test_harness_answers_webhooks_in_virtual_time(hooked):
    clock = VirtualClock()
    transport = MemoryTransport(hooked.bench.core, clock, latency_s=0.1)
    seen = []

    def answer(post):
        seen.append((clock.now_us(), orjson.loads(post.body)["uplink_message"]["f_cnt"]))
        return 503

    transport.on_post = answer
    channel = transport.channel("tester")
    channel.authorize(f"Bearer {USER_KEY}")
    path = "/api/v3/as/applications/app1/devices/dev1/up/simulate"
    event = channel.request("POST", path, SIMULATED)
    ended = []
    hooked.bench.core.stack.application.posted = lambda *how: ended.append(how[1:3])
    clock.play(1)
    assert event.value.status == 200
    assert seen == [(100_000, 7)]
    assert ended == [(503, "")]


# --- what may come of anything


@given(st.text(max_size=64), st.text(max_size=64))
def test_any_address_is_one_or_refused(base, path):
    for text in (base, f"https://example.com/{base}", f"http://{base}"):
        try:
            found = target(text, path, ALL_IDS)
        except ValueError:
            continue
        assert isinstance(found, str)
