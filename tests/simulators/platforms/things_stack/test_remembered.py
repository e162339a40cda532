"""Devices that are not at hand: what is remembered of them is what their table holds."""

from __future__ import annotations

import tracemalloc
import weakref
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.platforms.things_stack.application_server import remembered, server
from simulators.platforms.things_stack.application_server.device import Devices
from simulators.platforms.things_stack.application_server.formatters import chosen
from simulators.platforms.things_stack.application_server.remembered import Remembered
from simulators.platforms.things_stack.database import Database, open_database
from simulators.platforms.things_stack.device_table import DeviceRow
from tests.simulators.platforms.things_stack.traffic import (
    ADDRESS,
    APP_S_KEY,
    KEY_ID,
    Traffic,
    add_device,
    encrypted,
    with_keys,
)

OTHER_KEY = bytes(range(32, 48))
IDS = {"device_id": "dev1", "application_ids": {"application_id": "app1"}}
USUAL = {
    "ids": IDS | {"dev_addr": ADDRESS},
    "created_at": "2024-01-31T12:00:00Z",
    "session": {"dev_addr": ADDRESS, "keys": {"app_s_key": {"key": APP_S_KEY.hex().upper()}}},
}
FORMATTERS = {"up_formatter": "FORMATTER_CAYENNELPP"}


def devices(**limits: int) -> Devices:
    """An empty table; of its devices none stays at hand."""
    connection = open_database(None, server.TABLES)
    table = Devices(Database(connection))
    weakref.finalize(table, connection.close)  # by whoever is the last
    table.limit = 0
    table.remembered = Remembered(**limits)
    return table


def stored(table: Devices, document: dict[str, Any], device_id: str = "dev1") -> DeviceRow:
    row = DeviceRow(0, "app1", device_id, deepcopy(document))
    table.write("", row)
    return row


def reads(table: Devices, device_id: str = "dev1") -> list[str]:
    """What is read for an uplink of a device."""
    found: list[str] = []
    table.database.connection.set_trace_callback(found.append)
    device = table.device("", "app1", device_id)
    assert device is not None
    session = device.session_in_use
    chosen(device.settings, {}, "up_formatter")
    if session is not None:
        device.cipher(session)
    table.database.connection.set_trace_callback(None)
    return found


# --- what is remembered is what is stored

_hex = st.sampled_from(["", "0", "26001234", "2600123g", "26 01 12 34", "2600abcd", "2600ABCD00"])
_key = st.sampled_from(["", "00" * 16, "AB" * 16, "ab" * 16, "AB" * 15, "AB" * 17, "x" * 32])
_some_key = st.fixed_dictionaries(
    {}, optional={"key": _key, "kek_label": st.just("k"), "encrypted_key": st.just("AA==")}
)
_keys = st.fixed_dictionaries(
    {},
    optional={
        "session_key_id": st.sampled_from(["", KEY_ID, "é", "x" * 2048]),
        "app_s_key": _some_key,
        "f_nwk_s_int_key": _some_key,
    },
)
_session = st.fixed_dictionaries(
    {},
    optional={
        "dev_addr": _hex,
        "keys": _keys,
        "last_a_f_cnt_down": st.sampled_from([0, 1, 0xFFFF_FFFF]),
        "started_at": st.just("2024-01-31T12:00:00Z"),
    },
)
_usual = st.fixed_dictionaries(
    {
        "dev_addr": st.just("2600ABCD"),
        "keys": st.fixed_dictionaries(
            {"app_s_key": st.just({"key": "AB" * 16})},
            optional={"session_key_id": st.sampled_from([KEY_ID, "é", "x" * 90])},
        ),
    },
    optional={"last_a_f_cnt_down": st.sampled_from([1, 0xFFFF_FFFF])},
)
_documents = st.fixed_dictionaries(
    {"ids": st.just(IDS)},
    optional={
        "session": st.one_of(_session, _usual),
        "pending_session": _usual,
        "formatters": st.sampled_from([{}, FORMATTERS, {"up_formatter_parameter": "é"}]),
        "version_ids": st.sampled_from([{}, {"brand_id": "acme"}]),
        "skip_payload_crypto_override": st.booleans(),
        "attributes": st.just({"a": "b"}),
    },
)


@settings(max_examples=150, deadline=None)
@given(document=_documents)
def test_a_remembered_device_is_the_one_that_is_stored(document: dict[str, Any]) -> None:
    table = devices()
    stored(table, document)
    for _ in range(3):
        device = table.device("", "app1", "dev1")
        assert device is not None
        assert device.session_in_use == document.get("session")
        for name in ("formatters", "version_ids"):
            assert device.settings.get(name) == document.get(name)
            assert (name in device.settings) == (name in document)
        assert (device.application_id, device.device_id) == ("app1", "dev1")
        assert device.document == document
        assert device.session_in_use is device.document.get("session")


@settings(max_examples=50, deadline=None)
@given(session=_usual)
def test_a_device_of_the_usual_form_is_read_once(session: dict[str, Any]) -> None:
    table = devices()
    stored(table, USUAL | {"session": session, "formatters": FORMATTERS})
    assert [len(reads(table)) for _ in range(3)] == [1, 0, 0]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"pending_session": USUAL["session"]}, id="two sessions"),
        pytest.param({"session": {"dev_addr": ADDRESS, "keys": {}}}, id="no key"),
        pytest.param(
            {"session": {"dev_addr": ADDRESS, "keys": {"app_s_key": {"encrypted_key": "AA=="}}}},
            id="wrapped key",
        ),
        pytest.param(
            {
                "session": USUAL["session"]
                | {"keys": USUAL["session"]["keys"] | {"session_key_id": "x" * 2048}}
            },
            id="long id of a key",
        ),
    ],
)
def test_a_device_of_another_form_is_read_each_time(change: dict[str, Any]) -> None:
    """What the Identity Server has said of it is remembered all the same."""
    table = devices()
    stored(table, USUAL | change)
    assert [len(reads(table)) for _ in range(2)] == [1, 1]
    table.limit = 1
    device = table.device("", "app1", "dev1")
    assert device is not None
    device.is_activated, device.locations = True, {}
    stored(table, USUAL, "dev2")
    assert table.device("", "app1", "dev2")
    again = table.device("", "app1", "dev1")
    assert again is not None
    assert again is not device
    assert (again.is_activated, again.locations) == (True, {})


# --- what changes a device


def test_what_is_stored_anew_is_read() -> None:
    table = devices()
    row = stored(table, USUAL)
    reads(table)
    row.document["formatters"] = FORMATTERS
    table.write("", row)
    device = table.device("", "app1", "dev1")
    assert device is not None
    assert device.settings["formatters"] == FORMATTERS


def test_a_session_that_traffic_changes_is_read_anew() -> None:
    table = devices()
    stored(table, USUAL)
    reads(table)
    device = table.device("", "app1", "dev1")
    assert device is not None
    device.document["session"]["last_a_f_cnt_down"] = 5
    assert reads(table) == []  # it was not saved
    table.save(device)
    again = table.device("", "app1", "dev1")
    assert again is not None
    assert again.document["session"]["last_a_f_cnt_down"] == 5
    assert reads(table) == []


def test_a_deleted_device_is_unknown() -> None:
    """Whoever still works with it changes nothing any more."""
    table = devices()
    row = stored(table, USUAL)
    reads(table)
    device = table.device("", "app1", "dev1")
    assert device is not None
    table.delete(row)
    assert table.device("", "app1", "dev1") is None
    assert device.ids == IDS
    table.save(device)
    assert table.device("", "app1", "dev1") is None


def test_a_device_that_was_deleted_and_added_again_is_the_new_one() -> None:
    table = devices()
    row = stored(table, USUAL)
    reads(table)
    table.delete(row)
    stored(table, {"ids": IDS})
    device = table.device("", "app1", "dev1")
    assert device is not None
    assert device.session_in_use is None


def test_nothing_outlives_a_transaction_that_was_rolled_back() -> None:
    table = devices()
    stored(table, USUAL)
    table.database.connection.commit()
    with_other = USUAL["session"] | {"dev_addr": "2600ABCD"}
    row = table.find("app1", "dev1")
    assert row is not None
    row.document["session"] = with_other
    table.write("", row)
    reads(table)
    table.database.connection.rollback()
    table.forget()
    assert len(table.remembered) == 0
    device = table.device("", "app1", "dev1")
    assert device is not None


def test_devices_of_the_same_name_in_two_applications_are_two() -> None:
    table = devices()
    stored(table, USUAL)
    table.write("eu1", DeviceRow(0, "app1@eu1", "dev1", {"ids": IDS, "formatters": FORMATTERS}))
    for _ in range(2):
        here, there = table.device("", "app1", "dev1"), table.device("eu1", "app1@eu1", "dev1")
        assert here is not None
        assert there is not None
        assert (here.session_in_use, there.session_in_use) == (USUAL["session"], None)
        assert (there.tenant, there.application_id) == ("eu1", "app1")


# --- through the API


@pytest.fixture
def told(bench: Any) -> Traffic:
    """A device that talked, of which no more is in memory than what is remembered."""
    bench.application()
    bench.core.stack.application.devices.limit = 0
    add_device(bench)
    traffic = Traffic(bench)
    traffic.uplink(encrypted(b"\x01\x67\x00\xf8", 1), f_cnt=1)
    assert "decoded_payload" not in traffic.up()["uplink_message"]
    return traffic


def test_formatters_and_versions_that_are_set_hold_from_then_on(bench: Any, told: Traffic) -> None:
    add_device(bench, key=None, formatters=FORMATTERS, version_ids={"brand_id": "acme"})
    told.uplink(encrypted(b"\x01\x67\x00\xf8", 2), f_cnt=2)
    uplink = told.up()["uplink_message"]
    assert uplink["decoded_payload"] == {"temperature_1": 24.8}
    assert uplink["version_ids"] == {"brand_id": "acme"}
    add_device(bench, key=None, formatters={"up_formatter": "FORMATTER_NONE"})
    told.uplink(encrypted(b"\x01\x67\x00\xf8", 3), f_cnt=3)
    assert "decoded_payload" not in told.up()["uplink_message"]


def test_a_key_that_is_set_holds_from_then_on(bench: Any, told: Traffic) -> None:
    add_device(bench, key=OTHER_KEY)
    told.uplink(encrypted(b"hello", 2, OTHER_KEY), f_cnt=2)
    assert told.up()["uplink_message"]["frm_payload"] == "aGVsbG8="


def test_an_override_that_is_set_holds_from_then_on(bench: Any, told: Traffic) -> None:
    """Of a device whose key is wrapped, as a Join Server elsewhere tells it."""
    wrapped = {"encrypted_key": "AAAA", "kek_label": "k"}
    told.take("join_accept", {"session_key_id": KEY_ID, "app_s_key": wrapped})
    told.ups()
    for f_cnt, is_skipped in enumerate((True, False, True)):
        body = {
            "end_device": {"skip_payload_crypto_override": is_skipped},
            "field_mask": {"paths": ["skip_payload_crypto_override"]},
        }
        bench.made("/as/applications/app1/devices/dev1", body, method="PUT")
        told.uplink(encrypted(b"hello", f_cnt), f_cnt=f_cnt, session_key_id=KEY_ID)
        keys = [up["uplink_message"]["app_s_key"] for up in told.ups()]
        assert keys == ([wrapped] if is_skipped else [])


def test_a_session_that_begins_with_a_join_is_remembered_when_it_is_used(
    bench: Any, told: Traffic
) -> None:
    with_keys(bench, {KEY_ID: OTHER_KEY})
    told.take("join_accept", {"session_key_id": KEY_ID})
    told.ups()
    for f_cnt in (0, 1, 2):
        payload = encrypted(b"hello", f_cnt, OTHER_KEY)
        told.uplink(payload, f_cnt=f_cnt, session_key_id=KEY_ID)
        assert told.up()["uplink_message"]["frm_payload"] == "aGVsbG8="
    _, traits = bench.core.stack.application.devices.remembered.recall("app1.dev1")
    assert traits is not None


def test_a_deleted_device_is_heard_no_more(bench: Any, told: Traffic) -> None:
    bench.made("/as/applications/app1/devices/dev1", None, method="DELETE")
    told.uplink(encrypted(b"hello", 2), f_cnt=2)
    assert told.ups() == []


# --- bounds


def test_the_oldest_go_first() -> None:
    records = Remembered(limit=32)
    for number in range(40):
        records.add(f"app1.dev{number}", USUAL)
        assert len(records) <= 32
    known = [number for number in range(40) if records.recall(f"app1.dev{number}")[1]]
    assert known == list(range(40 - len(known), 40))
    assert len(known) >= 28


def test_what_too_many_have_of_their_own_is_forgotten_with_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remembered, "MOST_SHARED_BYTES", 5000)
    records = Remembered()
    for number in range(20):
        own = {"brand_id": f"brand{number}"}
        key = f"app1.dev{number}"
        records.add(key, USUAL | {"version_ids": own})
        _, traits = records.recall(key)
        assert traits is not None
        assert traits.settings == {"version_ids": own}
        assert len(records) <= 5
    assert len(records) > 0


@pytest.mark.parametrize(
    ("more", "most"), [({}, 210), ({"session_key_id": KEY_ID}, 240)], ids=["personalized", "joined"]
)
def test_a_record_takes_less_than_250_bytes(more: dict[str, str], most: int) -> None:
    """With its key and its share of the index, at the size for which the index is least full."""
    count = 11_000
    session = USUAL["session"] | {"keys": USUAL["session"]["keys"] | more}
    records = Remembered()
    document = USUAL | {"session": session, "formatters": FORMATTERS}
    tracemalloc.start()
    for number in range(count):
        records.add(f"app1.eui-70b3d57ed{number:07x}", document)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / count < most
