"""When devices were last seen: which time is kept, and the order of lists."""

from __future__ import annotations

import pytest

from simulators.platforms.things_stack.database import open_database
from simulators.platforms.things_stack.tables_of_servers import TABLES
from tests.simulators.platforms.things_stack.test_traffic_survival import reopened

DEVICES = "/applications/app1/devices"
NAMES = ["dev1", "dev2", "dev3", "dev4"]


@pytest.fixture
def several(bench):
    bench.application()
    for name in NAMES:
        bench.made(DEVICES, {"end_device": {"ids": {"device_id": name}}})
    return bench


def see(bench, **seconds):
    devices = bench.core.stack.identity.devices
    devices.see(
        [
            (devices.number("", "app1", name), f"2024-01-31T12:00:{second:02}Z")
            for name, second in seconds.items()
        ]
    )


def listed(bench, order="last_seen_at"):
    target = f"{DEVICES}?order={order}&field_mask=last_seen_at"
    return bench.made(target, None, method="GET")["end_devices"]


def seconds(bench):
    """Of every device, in the order of their ids."""
    return [
        int(device["last_seen_at"][17:19]) if "last_seen_at" in device else None
        for device in listed(bench, "device_id")
    ]


def test_devices_are_listed_by_time_and_first_those_that_were_never_seen(several):
    see(several, dev3=1, dev1=2)
    see(several, dev4=3)
    see(several, dev3=4)
    ids = [each["ids"]["device_id"] for each in listed(several)]
    assert ids == ["dev2", "dev1", "dev4", "dev3"]
    ids = [each["ids"]["device_id"] for each in listed(several, "-last_seen_at")]
    assert ids == ["dev3", "dev4", "dev1", "dev2"]


def test_an_earlier_time_than_that_of_others_counts(several):
    """What is told later may have happened earlier."""
    see(several, dev1=9)
    see(several, dev2=5, dev3=6)
    see(several, dev2=4, dev3=7)
    assert seconds(several) == [9, 5, 7, None]


def test_the_latest_time_is_forgotten_with_its_device(several):
    see(several, dev1=9)
    several.delete(f"{DEVICES}/dev1")
    several.made(DEVICES, {"end_device": {"ids": {"device_id": "dev0"}}})
    see(several, dev2=5)
    assert seconds(several) == [None, 5, None, None]


def test_a_time_that_is_taken_away_is_gone(several):
    see(several, dev1=9, dev2=9)
    body = {"end_device": {}, "field_mask": {"paths": ["last_seen_at"]}}
    several.made(f"{DEVICES}/dev1", body, method="PUT")
    assert seconds(several) == [None, 9, None, None]


def test_devices_have_numbers_and_others_have_none(several):
    devices = several.core.stack.identity.devices
    numbers = [devices.number("", "app1", name) for name in NAMES]
    assert all(numbers)
    assert len(set(numbers)) == len(NAMES)
    assert devices.number("", "app1", "dev9") == 0
    assert devices.number("", "app9", "dev1") == 0
    assert devices.number("other", "app1", "dev1") == 0


def test_times_outlive_the_process_and_a_transaction_that_fails(several, tmp_path):
    see(several, dev1=5, dev2=5)
    several.connection.commit()
    stored = open_database(tmp_path / "state.db", TABLES)
    several.connection.backup(stored)
    stored.close()
    after = reopened(tmp_path / "state.db")
    see(after, dev1=7)
    after.connection.rollback()
    after.core.forget()
    assert seconds(after) == [5, 5, None, None]
    see(after, dev1=6, dev2=4)
    assert seconds(after) == [6, 5, None, None]
    after.connection.close()
