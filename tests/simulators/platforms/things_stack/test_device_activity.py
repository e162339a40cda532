"""What the Identity Server knows of devices that talk: activated, last seen, where."""

from __future__ import annotations

import pytest

from simulators.platforms.things_stack.database import open_database
from simulators.platforms.things_stack.tables_of_servers import TABLES
from tests.simulators.platforms.things_stack.test_traffic_survival import reopened
from tests.simulators.platforms.things_stack.traffic import (
    SIMULATED,
    Traffic,
    add_device,
    encrypted,
)

DEVICES = "/applications/app1/devices"
DEVICE = f"{DEVICES}/dev1"
FIELDS = "activated_at,last_seen_at,locations"
GPS = {"up_formatter": "FORMATTER_CAYENNELPP"}
# A position as CayenneLPP has it: channel 1, 52.5, 4.25, 12 m.
POSITION = bytes.fromhex("018808 02c8 00a6 04 0004b0".replace(" ", ""))
PLACE = {"latitude": 52.5, "longitude": 4.25, "altitude": 12, "source": "SOURCE_GPS"}


@pytest.fixture
def known(bench, traffic):
    """A device on both servers."""
    bench.made(DEVICES, {"end_device": {"ids": {"device_id": "dev1"}}})
    add_device(bench, formatters=GPS)
    traffic.events()
    return traffic


def shown(bench, fields=FIELDS):
    document = bench.made(f"{DEVICE}?field_mask={fields}", None, method="GET")
    return {name: value for name, value in document.items() if name not in ("ids", "created_at")}


def flush(bench):
    bench.wait(10)
    bench.core.timer(0, bench.now_us)


def uplink(traffic, f_cnt, payload=b"", at="2024-01-31T11:59:59.800Z"):
    traffic.uplink(encrypted(payload, f_cnt), f_cnt, received_at=at)


def changes(traffic):
    """Which fields of devices those who listen were told to have changed."""
    events = [each for each in traffic.events() if each["name"] == "end_device.update"]
    return [each["data"]["value"] for each in events]


def test_device_that_never_talked_is_neither_activated_nor_seen(bench, known):
    assert shown(bench) == {"updated_at": "2024-01-31T12:00:00Z"}


def test_first_uplink_activates_a_device(bench, known):
    bench.wait(1)
    uplink(known, 1)
    assert changes(known) == [["activated_at"]]
    assert shown(bench) == {
        "updated_at": "2024-01-31T12:00:01Z",
        "activated_at": "2024-01-31T12:00:01Z",
        "last_seen_at": "2024-01-31T11:59:59.800Z",
    }
    bench.wait(1)
    uplink(known, 2)
    assert changes(known) == []
    assert shown(bench, "activated_at")["activated_at"] == "2024-01-31T12:00:01Z"


def test_devices_are_seen_within_ten_seconds(bench, known):
    uplink(known, 1)
    uplink(known, 2, at="2024-01-31T12:00:03Z")
    uplink(known, 3, at="2024-01-31T12:00:04Z")
    assert shown(bench, "last_seen_at")["last_seen_at"] == "2024-01-31T11:59:59.800Z"
    flush(bench)
    assert shown(bench, "last_seen_at")["last_seen_at"] == "2024-01-31T12:00:04Z"


def test_a_device_is_never_seen_earlier_than_before(bench, known):
    body = {"end_device": {"last_seen_at": "2030-01-01T00:00:00Z"}, "field_mask": "last_seen_at"}
    bench.made(DEVICE, body, method="PUT")
    uplink(known, 1)
    uplink(known, 2)
    flush(bench)
    assert shown(bench, "last_seen_at")["last_seen_at"] == "2030-01-01T00:00:00Z"


def test_join_is_a_sign_of_life_but_no_activation(bench, known):
    message = {"session_key_id": "AQ==", "app_s_key": {"key": "0" * 31 + "1"},
               "received_at": "2024-01-31T12:00:00.500Z"}  # fmt: skip
    known.take("join_accept", message)
    flush(bench)
    assert shown(bench) == {
        "updated_at": "2024-01-31T12:00:00Z",
        "last_seen_at": "2024-01-31T12:00:00.500Z",
    }


def test_made_up_uplink_is_no_sign_of_life(bench, known):
    known.ask("POST", "/as/applications/app1/devices/dev1/up/simulate", SIMULATED)
    flush(bench)
    assert shown(bench) == {"updated_at": "2024-01-31T12:00:00Z"}


def test_device_that_is_registered_after_it_talked_is_activated_by_the_next_uplink(bench, traffic):
    add_device(bench)
    uplink(traffic, 1)
    bench.made(DEVICES, {"end_device": {"ids": {"device_id": "dev1"}}})
    assert "activated_at" not in shown(bench)
    uplink(traffic, 2)
    assert "activated_at" in shown(bench)


def test_position_in_a_payload_is_kept_beside_others(bench, known):
    desk = {"latitude": 1.5, "source": "SOURCE_REGISTRY"}
    body = {"end_device": {"locations": {"user": desk}}, "field_mask": "locations"}
    bench.made(DEVICE, body, method="PUT")
    known.events()
    uplink(known, 1, POSITION)
    assert changes(known) == [["locations"], ["activated_at"]]
    assert shown(bench)["locations"] == {"user": desk, "frm-payload": PLACE}
    known.ups()
    uplink(known, 2)
    assert known.up()["uplink_message"]["locations"] == {"user": desk, "frm-payload": PLACE}


def test_devices_are_listed_by_when_they_were_seen(bench, known):
    bench.made(DEVICES, {"end_device": {"ids": {"device_id": "dev2"}}})
    uplink(known, 1)
    listed = bench.made(
        f"{DEVICES}?order=-last_seen_at&field_mask=last_seen_at", None, method="GET"
    )
    ids = [each["ids"]["device_id"] for each in listed["end_devices"]]
    assert ids == ["dev1", "dev2"]
    assert "last_seen_at" in listed["end_devices"][0]


def test_activated_devices_count_as_updated(bench, known):
    bench.wait(5)
    uplink(known, 1)
    body = {"filters": [{"updated_since": "2024-01-31T12:00:05Z"}]}
    found = bench.made(f"{DEVICES}/filter", body)
    assert len(found["end_devices"]) == 1


def test_nothing_is_left_of_a_deleted_device(bench, known):
    uplink(known, 1)
    bench.delete(DEVICE)
    bench.made(DEVICES, {"end_device": {"ids": {"device_id": "dev3"}}})
    document = bench.made(f"{DEVICES}/dev3?field_mask={FIELDS}", None, method="GET")
    assert "last_seen_at" not in document


@pytest.mark.parametrize("is_kept", [True, False], ids=["at hand", "remembered"])
@pytest.mark.parametrize("is_batch", [False, True], ids=["one", "batch"])
def test_what_was_to_be_told_of_a_deleted_device_is_told_of_no_other(
    bench, known, is_batch, is_kept
):
    """The new one has the number that the old one had."""
    bench.core.stack.application.devices.limit = 20 if is_kept else 0
    uplink(known, 1)
    uplink(known, 2, at="2024-01-31T12:00:03Z")
    if is_batch:
        bench.delete(f"{DEVICES}/batch?device_ids=dev1")
    else:
        bench.delete(DEVICE)
    bench.made(DEVICES, {"end_device": {"ids": {"device_id": "dev3"}}})
    uplink(known, 3, at="2024-01-31T12:00:04Z")  # the other servers still know dev1
    flush(bench)
    document = bench.made(f"{DEVICES}/dev3?field_mask={FIELDS}", None, method="GET")
    assert "last_seen_at" not in document
    bench.made(DEVICES, {"end_device": {"ids": {"device_id": "dev1"}}})
    uplink(known, 4, at="2024-01-31T12:00:05Z")
    uplink(known, 5, at="2024-01-31T12:00:06Z")
    flush(bench)
    assert shown(bench, "last_seen_at")["last_seen_at"] == "2024-01-31T12:00:06Z"


def test_devices_that_were_registered_in_vain_are_not_seen(bench, known, tmp_path):
    """The transaction fails in which they were registered, and others get their numbers."""
    bench.connection.commit()
    stored = open_database(tmp_path / "state.db", TABLES)
    bench.connection.backup(stored)
    stored.close()
    after = reopened(tmp_path / "state.db")
    after.made(DEVICES, {"end_device": {"ids": {"device_id": "dev2"}}})
    add_device(after, "dev2")
    for f_cnt in (1, 2):
        Traffic(after).take("uplink_message", {"f_cnt": f_cnt}, device_id="dev2")
    after.connection.rollback()
    after.core.forget()
    after.made(DEVICES, {"end_device": {"ids": {"device_id": "dev3"}}})
    flush(after)
    document = after.made(f"{DEVICES}/dev3?field_mask={FIELDS}", None, method="GET")
    assert "last_seen_at" not in document
    after.connection.close()


def test_normalized_messages_do_not_tell_where_a_device_is(bench, traffic):
    """They leave before the Identity Server is asked; made-up ones are asked for first."""
    text = "function decodeUplink() { return { data: { air: { temperature: 20 } } }; }"
    formatters = {"up_formatter": "FORMATTER_JAVASCRIPT", "up_formatter_parameter": text}
    desk = {"latitude": 1.5, "source": "SOURCE_REGISTRY"}
    device = {"ids": {"device_id": "dev1"}, "locations": {"user": desk}}
    bench.made(DEVICES, {"end_device": device})
    add_device(bench, formatters=formatters)
    uplink(traffic, 1, b"\x01")
    bench.run_scripts()
    traffic.ask("POST", "/as/applications/app1/devices/dev1/up/simulate", SIMULATED)
    bench.run_scripts()
    told = [
        (kind, "locations" in up[kind])
        for up in traffic.ups()
        for kind in ("uplink_normalized", "uplink_message")
        if kind in up
    ]
    assert told == [
        ("uplink_normalized", False), ("uplink_message", True),
        ("uplink_normalized", True), ("uplink_message", True),
    ]  # fmt: skip
