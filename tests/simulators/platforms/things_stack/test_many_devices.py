"""What a registered device costs: as a row, and when it talks after a long time."""

from __future__ import annotations

import random

import pytest

from simulators.lorawan.mac_commands import LinkADRAns, encode
from simulators.platforms.things_stack.bulk import BulkDevice, Kind, load
from tests.simulators.platforms.things_stack.radio import (
    APP_KEY,
    NWK_KEY,
    Air,
    abp_session,
    state_of,
)
from tests.simulators.platforms.things_stack.test_class_a import SETTLED

COUNT = 40


@pytest.fixture
def many(bench):
    """Devices that are alike, and an application server that was asked for one of them."""
    bench.application()
    devices = [
        BulkDevice(f"dev{number}", f"{number:016X}", f"{0x26000000 + number:08X}", NWK_KEY, APP_KEY)
        for number in range(COUNT)
    ]
    load(bench.core.stack, "app1", devices, Kind(mac_settings=SETTLED), now_us=bench.now_us)
    return bench


def _hear(bench, number, f_cnt=1):
    """An uplink of a device, from the Network Server to the application's message."""
    session = abp_session(f"{0x26000000 + number:08X}")
    before = len(bench.messages)
    error = Air.hear(bench.air, session.protect_uplink(f_cnt, 1, b"hello"))
    bench.air.wait(0.25)
    assert (error, len(bench.messages)) == (None, before + 1)


@pytest.fixture
def whole(many):
    """The same, with all servers at work and one device in memory: the first."""
    application, gateways = many.core.stack.application, many.core.stack.gateways
    handle_up, schedule = application.handle_up, gateways.schedule
    many.air = Air(many)
    application.handle_up, gateways.schedule = handle_up, schedule
    many.messages = []
    application.outputs.others.append(lambda *told: many.messages.append(told))
    application.devices.limit = many.core.stack.network.devices.memory.limit = 1
    many.core.stack.network.devices.memory.most_guests = 0
    for f_cnt in (1, 2):  # the first uplink tells the data rate, which is part of the state
        for number in (1, 2, 0):
            _hear(many, number, f_cnt)
    return many


def _statements(bench, act):
    found = []
    bench.core.stack.connection.set_trace_callback(found.append)
    act()
    bench.core.stack.connection.set_trace_callback(None)
    return [each for each in found if not each.startswith("BEGIN")]


def test_a_device_that_is_at_rest_costs_a_write(whole):
    """What the servers need of it is remembered."""
    _hear(whole, 1, f_cnt=3)
    _hear(whole, 0, f_cnt=3)
    found = _statements(whole, lambda: _hear(whole, 1, f_cnt=4))
    assert [each.split()[0] for each in found] == ["INSERT"]


def test_a_device_that_is_not_remembered_costs_three_reads_and_a_write(whole):
    """What the Identity Server has said is remembered all the same."""
    devices = whole.core.stack.application.devices
    devices.save(devices.device("", "app1", "dev1"))
    assert devices.device("", "app1", "dev2")  # and dev1 goes
    whole.core.stack.network.devices.resting.clear()
    found = _statements(whole, lambda: _hear(whole, 1, f_cnt=3))
    assert [each.split()[0] for each in found] == ["SELECT", "SELECT", "SELECT", "INSERT"]


def test_a_device_in_memory_costs_a_write(whole):
    found = _statements(whole, lambda: _hear(whole, 0, f_cnt=3))
    assert [each.split()[0] for each in found] == ["INSERT"]


def test_a_server_that_starts_reads_once_where_the_newest_rows_are(whole):
    """Before it is ready, and not when the first device talks."""
    whole.core.forget()
    tables = ("ns_traffic", "is_seen")
    scans = [f"SELECT seq, number, length(value) FROM {name} ORDER BY seq" for name in tables]
    found = _statements(whole, lambda: whole.core.resume(whole.now_us))
    assert sorted(set(scans) & set(found)) == sorted(scans)
    found = _statements(whole, lambda: _hear_and_flush(whole))
    assert not set(scans) & set(found)
    assert any(each.startswith("INSERT INTO is_seen") for each in found)


def _hear_and_flush(bench):
    _hear(bench, 0, f_cnt=3)
    bench.wait(11)
    bench.core.timer(0, bench.now_us)


def test_reading_a_device_uses_indexes_alone(whole):
    """None of the statements looks at the rows of other devices."""
    connection = whole.core.stack.connection
    whole.core.stack.application.devices.remembered.clear()
    whole.core.stack.network.devices.resting.clear()
    found = _statements(whole, lambda: _hear(whole, 2, f_cnt=3))
    reads = [each for each in found if each.startswith("SELECT")]
    assert len(reads) == 5
    for statement in reads:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert plan
        assert not any(step.startswith("SCAN") for step in plan), plan


def test_a_place_is_looked_for_among_the_few_devices_that_have_one(whole):
    whole.core.forget()
    found = _statements(whole, lambda: _hear(whole, 0, f_cnt=3))
    (statement,) = [each for each in found if each.startswith("SELECT document FROM is_device")]
    plan = whole.core.stack.connection.execute(f"EXPLAIN QUERY PLAN {statement}")
    assert any("USING INDEX is_device_located" in row[3] for row in plan)


def test_what_the_identity_server_changes_is_asked_for_again(whole):
    """Also by a device that is not in memory."""
    device = {"ids": {"device_id": "dev1"}, "locations": {"user": {"latitude": 1.5}}}
    body = {"end_device": device, "field_mask": {"paths": ["locations"]}}
    whole.made("/applications/app1/devices/dev1", body, method="PUT")
    _hear(whole, 1, f_cnt=3)
    uplink = whole.messages[-1][3]["uplink_message"]
    assert uplink["locations"] == {"user": {"latitude": 1.5}}


def test_channels_that_are_alike_are_stored_once(many):
    count = many.core.stack.connection.execute("SELECT count(*) FROM ns_channels").fetchone()
    assert count == (1,)  # they begin with those that they are brought to


def test_a_device_takes_less_than_three_kilobytes_of_its_servers_rows(many):
    total = 0
    for table in ("ns_device", "as_device", "is_device"):
        names = [
            row[1] for row in many.core.stack.connection.execute(f"PRAGMA table_info({table})")
        ]
        sizes = " + ".join(f"ifnull(length({name}), 0)" for name in names)
        query = f"SELECT sum({sizes}) FROM {table}"
        total += many.core.stack.connection.execute(query).fetchone()[0]
    assert total / COUNT < 3000


def test_a_device_that_changes_a_channel_changes_it_for_itself(whole):
    devices = whole.core.stack.network.devices
    devices.memory.limit = 2
    first, second = (devices.by_id("app1", name) for name in ("dev0", "dev1"))
    lists = [each.mac_state["current_parameters"]["channels"] for each in (first, second)]
    assert lists[0] is lists[1]
    request = {"link_adr_req": {"channel_mask": [True, False], "nb_trans": 1}}
    first.mac_state["pending_requests"] = [{"cid": "CID_LINK_ADR", **request}]
    answer = encode(LinkADRAns(True, True, True))
    session = abp_session("26000000")
    whole.air.send(session.protect_uplink(4, 1, b"x", f_opts=answer))
    on = [
        [
            each.get("enable_uplink", False)
            for each in state["mac_state"]["current_parameters"]["channels"]
        ]
        for state in (state_of(whole, "dev0"), state_of(whole, "dev1"), first.state, second.state)
    ]
    assert on[0] == on[2] == [True, *[False] * (len(on[0]) - 1)]
    assert on[1] == on[3] == [True] * len(on[1])


def test_a_rolled_back_list_of_channels_is_written_again(many):
    """Its number went with the transaction."""
    devices = many.core.stack.network.devices
    many.core.stack.connection.commit()
    device = devices.by_id("app1", "dev0")
    odd = str(random.Random(0).randrange(863_000_000, 870_000_000))
    device.mac_state["current_parameters"]["channels"] = [{"uplink_frequency": odd}]
    device.save()
    devices.flush()
    many.core.stack.connection.rollback()
    many.core.forget()
    for name in ("dev1", "dev2"):
        device = devices.by_id("app1", name)
        device.mac_state["current_parameters"]["channels"] = [{"uplink_frequency": odd}]
        device.save()
        devices.flush()
        found = state_of(many, name)["mac_state"]["current_parameters"]["channels"]
        assert found == [{"uplink_frequency": odd}]
