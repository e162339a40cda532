"""The queue of downlinks as applications see it, in front of a Network Server that only stores."""

from __future__ import annotations

import base64

import pytest

from simulators.platforms.things_stack.errors import StackError
from tests.simulators.platforms.things_stack.traffic import (
    ADDRESS,
    ALL_IDS,
    APP_S_KEY,
    KEY_ID,
    add_device,
    downlink,
    encrypted,
    with_keys,
)

OTHER_KEY = bytes(range(32, 48))
ITEM = {"f_port": 42, "frm_payload": "vu8="}
DOWN = "/as/applications/app1/devices/dev1/down"


def join(traffic, session_key_id=KEY_ID, **message):
    traffic.take("join_accept", {"session_key_id": session_key_id, **message})


def session(bench, name="session"):
    document = bench.get(f"/as/applications/app1/devices/dev1?field_mask={name}")[1]
    return document.get(name)


# --- push, replace, list


def test_first_item_has_counter_1_and_is_encrypted(bench, traffic):
    add_device(bench)
    assert traffic.push(ITEM) == (200, {})
    (item,) = traffic.queue.items
    correlation_ids = item.pop("correlation_ids")
    assert [each.split(":")[0] for each in correlation_ids] == ["as", "rpc"]
    assert item["frm_payload"] != "vu8="
    assert downlink(item) == b"\xbe\xef"
    assert {name: item[name] for name in item if name != "frm_payload"} == {
        "f_cnt": 1,
        "f_port": 42,
    }


def test_payload_is_encrypted_as_a_foreign_library_does_it(bench, traffic):
    # By npm lora-packet: AppSKey 101112...1F, DevAddr 26001234, FCntDown 1, FPort 42, BEEF.
    add_device(bench)
    traffic.push(ITEM)
    assert base64.b64decode(traffic.queue.items[0]["frm_payload"]).hex() == "1326"


def test_counters_go_on(bench, traffic):
    add_device(bench)
    traffic.push(ITEM, {"f_port": 1, "frm_payload": "AQ=="})
    traffic.push({"f_port": 2, "frm_payload": "Ag=="})
    assert traffic.queue.counters() == [(1, b"\xbe\xef"), (2, b"\x01"), (3, b"\x02")]
    assert session(bench)["last_a_f_cnt_down"] == 3


def test_replaced_items_have_new_counters(bench, traffic):
    add_device(bench)
    traffic.push(ITEM, ITEM)
    assert traffic.push(ITEM, how="replace") == (200, {})
    assert traffic.queue.counters() == [(3, b"\xbe\xef")]


def test_nothing_replaces_everything(bench, traffic):
    add_device(bench)
    traffic.push(ITEM)
    assert traffic.push(how="replace") == (200, {})
    assert traffic.queue.items == []


def test_queue_is_listed_plain(bench, traffic):
    add_device(bench)
    assert bench.get(DOWN) == (200, {})
    traffic.push(ITEM | {"priority": "NORMAL", "correlation_ids": ["my-order-17"]})
    status, document = bench.get(DOWN)
    assert status == 200
    (item,) = document["downlinks"]
    correlation_ids = item.pop("correlation_ids")
    assert correlation_ids[0].startswith("as:downlink:")
    assert correlation_ids[1] == "my-order-17"
    assert item == {"f_cnt": 1, "f_port": 42, "frm_payload": "vu8=", "priority": "NORMAL"}


def test_items_say_which_session_they_are_for(bench, traffic):
    add_device(bench, key=None)
    with_keys(bench, {KEY_ID: APP_S_KEY})
    join(traffic)
    traffic.push(ITEM)
    (item,) = traffic.queue.items
    assert item["session_key_id"] == KEY_ID
    assert downlink(item) == b"\xbe\xef"
    assert bench.get(DOWN)[1]["downlinks"][0]["session_key_id"] == KEY_ID


def test_pending_session_has_the_same_items(bench, traffic):
    add_device(bench)
    with_keys(bench, {KEY_ID: OTHER_KEY})
    traffic.push(ITEM)
    join(traffic)
    traffic.push(ITEM)
    _, current, pending = traffic.queue.items
    assert (current["f_cnt"], downlink(current)) == (2, b"\xbe\xef")
    assert (pending["f_cnt"], downlink(pending, OTHER_KEY)) == (1, b"\xbe\xef")
    assert pending["session_key_id"] == KEY_ID
    assert [each["f_cnt"] for each in bench.get(DOWN)[1]["downlinks"]] == [1, 2]


def test_first_attempt_of_a_confirmed_item_is_counted(bench, traffic):
    add_device(bench)
    traffic.push(ITEM | {"confirmed": True, "confirmed_retry": {"attempt": 5, "max_attempts": 3}})
    (item,) = bench.get(DOWN)[1]["downlinks"]
    assert item["confirmed_retry"] == {"attempt": 1, "max_attempts": 3}


def test_application_is_told_what_is_queued(bench, traffic):
    add_device(bench)
    traffic.events()
    traffic.push(ITEM)
    up = traffic.up()
    correlation_ids = up.pop("correlation_ids")
    assert up == {
        "end_device_ids": {
            "device_id": "dev1",
            "application_ids": {"application_id": "app1"},
            "dev_addr": ADDRESS,
        },
        "received_at": "2024-01-31T12:00:00Z",
        "downlink_queued": {
            "f_port": 42,
            "f_cnt": 1,
            "frm_payload": "vu8=",
            "correlation_ids": correlation_ids,
        },
    }
    receive, forward = traffic.events()
    assert receive["name"] == "as.down.data.receive"
    assert receive["data"]["frm_payload"] == "vu8="
    assert receive["data"]["@type"] == "type.googleapis.com/ttn.lorawan.v3.ApplicationDownlink"
    assert forward["name"] == "as.down.data.forward"
    assert forward["data"]["frm_payload"] != "vu8="
    assert forward["data"]["f_cnt"] == 1


# --- what is refused


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"f_port": 1}, "no_payload"),
        ({"f_port": 1, "frm_payload": ""}, "no_payload"),
        ({"frm_payload": "AQ=="}, "no_f_port"),
        ({"f_port": 0, "frm_payload": "AQ=="}, "no_f_port"),
        ({"decoded_payload": {"bytes": [1, 2, 3]}}, "no_f_port"),
        ({"f_port": 1, "decoded_payload": {"bytes": [1, 2, 3]}}, "no_payload"),
        ({"f_port": 224, "frm_payload": "AQ=="}, "validation"),
        ({"f_port": 256, "frm_payload": "AQ=="}, "validation"),
        (ITEM | {"correlation_ids": ["x" * 101]}, "validation"),
        (ITEM | {"confirmed_retry": {"max_attempts": 33}}, "downlink_max_retries_invalid"),
    ],
)
def test_refused_items(bench, traffic, item, expected):
    add_device(bench)
    assert traffic.push(item) == (400, expected)
    assert traffic.queue.items == []
    assert "last_a_f_cnt_down" not in session(bench)


@pytest.mark.parametrize("port", [1, 223, 225, 255])
def test_ports_that_are_taken(bench, traffic, port):
    add_device(bench)
    assert traffic.push({"f_port": port, "frm_payload": "AQ=="}) == (200, {})


def test_trailing_comma_is_no_json(bench, traffic):
    add_device(bench)
    body = b'{"downlinks":[{"frm_payload":"vu8=","f_port":42,}]}'
    status, document = bench.post(f"{DOWN}/push", body)
    assert status == 400
    assert document == {
        "code": 3,
        "message": "invalid character '}' looking for beginning of object key string",
    }


@pytest.mark.parametrize("how", ["push", "replace"])
def test_unknown_device_has_no_queue(traffic, how):
    assert traffic.push(ITEM, how=how) == (404, "device_not_found")


def test_device_that_has_not_joined_has_no_queue(bench, traffic):
    add_device(bench, key=None)
    assert traffic.push(ITEM) == (400, "no_device_session")
    assert traffic.push(how="replace") == (400, "no_device_session")


def test_application_is_told_what_is_not_queued(bench, traffic):
    add_device(bench)
    traffic.events()
    traffic.queue.errors = [StackError("pkg/networkserver:downlink_queue_capacity")]
    assert traffic.push(ITEM) == (429, "downlink_queue_capacity")
    failed = traffic.up()["downlink_failed"]
    assert failed["downlink"]["frm_payload"] == "vu8="
    assert (failed["error"]["name"], failed["error"]["code"]) == ("downlink_queue_capacity", 8)
    names = ["as.down.data.receive", "as.down.data.failed.forward", "as.down.data.drop"]
    assert traffic.names() == names


@pytest.mark.parametrize(
    ("call", "right"),
    [
        (("POST", f"{DOWN}/push", {"downlinks": [ITEM]}), "RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE"),
        (("POST", f"{DOWN}/replace", {}), "RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE"),
        (("GET", DOWN), "RIGHT_APPLICATION_TRAFFIC_READ"),
    ],
)
def test_rights_come_before_the_device(bench, traffic, call, right):
    key = bench.key("applications/app1", "RIGHT_APPLICATION_INFO")
    status, name, attributes = bench.refused(*call, key=key)
    assert (status, name) == (403, "auth/rights:insufficient_application_rights")
    assert attributes["missing"] == [right]


# --- what the Network Server knows better


def refusal(**told):
    error = StackError("pkg/networkserver:f_cnt_too_low")
    error.queue = told
    return error


def test_counters_that_are_used_are_skipped(bench, traffic):
    add_device(bench)
    traffic.queue.errors = [refusal(dev_addr=ADDRESS, session_key_id="", min_f_cnt_down=10)]
    assert traffic.push(ITEM) == (200, {})
    assert traffic.queue.counters() == [(10, b"\xbe\xef")]


def test_session_is_rebuilt_from_what_the_network_server_knows(bench, traffic):
    add_device(bench, key=None)
    with_keys(bench, {KEY_ID: APP_S_KEY, "bmV3": OTHER_KEY})
    bench.core.stack.application.devices.device("", "app1", "dev1").ids.update(ALL_IDS)
    join(traffic)
    told = {"dev_addr": ADDRESS, "session_key_id": "bmV3", "min_f_cnt_down": 3}
    traffic.queue.errors = [refusal(**told)]
    assert traffic.push(ITEM) == (200, {})
    (item,) = traffic.queue.items
    assert (item["session_key_id"], item["f_cnt"]) == ("bmV3", 3)
    assert downlink(item, OTHER_KEY) == b"\xbe\xef"
    assert session(bench, "pending_session") is None


def test_tries_come_to_an_end(bench, traffic):
    add_device(bench)
    told = {"dev_addr": ADDRESS, "session_key_id": "", "min_f_cnt_down": 10}
    traffic.queue.errors = [refusal(**told) for _ in range(9)]
    assert traffic.push(ITEM)[1] == "f_cnt_too_low"


# --- what becomes of items


def queued(traffic, **more):
    """A confirmed item as the Network Server has it."""
    traffic.push(ITEM | {"confirmed": True, **more})
    traffic.ups()
    traffic.events()
    return traffic.queue.items.pop()


@pytest.mark.parametrize("kind", ["downlink_sent", "downlink_ack"])
def test_application_is_told_what_was_sent(bench, traffic, kind):
    add_device(bench)
    item = queued(traffic)
    traffic.take(kind, item)
    told = traffic.up()[kind]
    assert told == item | {"frm_payload": "vu8="}
    assert traffic.names() == [f"as.down.data.{kind[9:]}.forward"]


def test_application_is_told_what_failed(bench, traffic):
    add_device(bench)
    item = queued(traffic)
    error = StackError("pkg/networkserver:application_downlink_too_long", {"length": 9, "max": 8})
    traffic.take("downlink_failed", {"downlink": item, "error": error.details()})
    failed = traffic.up()["downlink_failed"]
    assert failed["downlink"]["frm_payload"] == "vu8="
    assert failed["error"]["attributes"] == {"length": 9, "max": 8}


def test_unacknowledged_item_is_pushed_again_with_a_new_counter(bench, traffic):
    add_device(bench)
    item = queued(traffic)
    traffic.push({"f_port": 1, "frm_payload": "AQ=="})
    traffic.ups()
    traffic.take("downlink_nack", item)
    assert traffic.queue.counters() == [(2, b"\x01"), (3, b"\xbe\xef")]
    assert traffic.queue.items[-1]["confirmed_retry"] == {"attempt": 2}
    (up,) = traffic.ups()
    assert up["downlink_nack"]["f_cnt"] == 1
    assert up["downlink_nack"]["confirmed_retry"] == {"attempt": 1}
    assert up["downlink_nack"]["frm_payload"] == "vu8="


def test_eighth_attempt_is_the_last_one(bench, traffic):
    add_device(bench)
    item = queued(traffic)
    for attempt in range(2, 9):
        traffic.take("downlink_nack", item)
        item = traffic.queue.items.pop()
        assert item["confirmed_retry"]["attempt"] == attempt
        assert item["f_cnt"] == attempt
    traffic.ups()
    traffic.take("downlink_nack", item)
    nack, failed = traffic.ups()
    assert nack["downlink_nack"]["f_cnt"] == 8
    error = failed["downlink_failed"]["error"]
    assert error["namespace"] == "pkg/applicationserver"
    assert error["name"] == "max_retries_reached"
    assert error["attributes"] == {"max_retries": 8}
    assert failed["downlink_failed"]["downlink"]["frm_payload"] == "vu8="
    assert traffic.queue.items == []


def test_application_chooses_how_often_to_try(bench, traffic):
    add_device(bench)
    item = queued(traffic, confirmed_retry={"max_attempts": 1})
    traffic.take("downlink_nack", item)
    assert [next(reversed(up)) for up in traffic.ups()] == ["downlink_nack", "downlink_failed"]


def test_invalidated_items_are_encrypted_anew_in_silence(bench, traffic):
    add_device(bench)
    traffic.push(ITEM, {"f_port": 1, "frm_payload": "AQ=="})
    traffic.ups()
    traffic.events()
    items, traffic.queue.items = traffic.queue.items, []
    traffic.take("downlink_queue_invalidated", {"downlinks": items, "last_f_cnt_down": 5})
    assert traffic.queue.counters() == [(6, b"\xbe\xef"), (7, b"\x01")]
    assert traffic.ups() == []
    assert traffic.names() == []


def test_waiting_items_go_over_to_a_new_session(bench, traffic):
    add_device(bench)
    with_keys(bench, {KEY_ID: OTHER_KEY})
    traffic.push(ITEM, ITEM)
    traffic.ups()
    join(traffic, invalidated_downlinks=list(traffic.queue.items))
    old = traffic.queue.items[:2]
    new = traffic.queue.items[2:]
    assert [each["f_cnt"] for each in old] == [1, 2]
    assert [(each["f_cnt"], downlink(each, OTHER_KEY)) for each in new] == [
        (1, b"\xbe\xef"),
        (2, b"\xbe\xef"),
    ]
    assert traffic.up()["join_accept"] == {"session_key_id": KEY_ID}
    assert session(bench, "pending_session")["last_a_f_cnt_down"] == 2


def test_items_of_an_unknown_session_are_dropped(bench, traffic):
    add_device(bench)
    traffic.events()
    traffic.take("downlink_sent", {"session_key_id": "b2xk", "f_port": 1, "f_cnt": 1})
    (drop,) = traffic.events()
    assert (drop["name"], drop["data"]["name"]) == ("as.down.data.drop", "unknown_session")


# --- where the application encrypts by itself


def skipping(bench):
    """A device whose key nobody here has, with a session all the same."""
    address = {"dev_addr": ADDRESS}
    body = {
        "end_device": {
            "ids": {"device_id": "dev1"},
            "session": address,
            "skip_payload_crypto_override": True,
        },
        "field_mask": {"paths": ["session.dev_addr", "skip_payload_crypto_override"]},
    }
    bench.made("/as/applications/app1/devices/dev1", body, method="PUT")


def test_application_that_holds_the_key_counts_and_encrypts(bench, traffic):
    skipping(bench)
    assert traffic.push(ITEM | {"f_cnt": 22}) == (200, {})
    (item,) = traffic.queue.items
    assert (item["f_cnt"], item["frm_payload"]) == (22, "vu8=")
    assert session(bench)["last_a_f_cnt_down"] == 22


def test_application_that_holds_the_key_is_told_of_invalid_items(bench, traffic):
    skipping(bench)
    message = {"downlinks": [ITEM | {"f_cnt": 3}], "last_f_cnt_down": 5}
    traffic.take("downlink_queue_invalidated", message)
    assert traffic.up()["downlink_queue_invalidated"] == message
    assert session(bench)["last_a_f_cnt_down"] == 5


def test_key_that_is_at_hand_is_used_whatever_shall_be_skipped(bench, traffic):
    add_device(bench, skip_payload_crypto_override=True)
    traffic.push(ITEM)
    assert traffic.queue.counters() == [(1, b"\xbe\xef")]
    traffic.ups()
    traffic.uplink(encrypted(b"\x01", 7))
    assert traffic.up()["uplink_message"]["frm_payload"] == "AQ=="
