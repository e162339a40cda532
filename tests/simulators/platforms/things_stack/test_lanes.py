"""Messages of one device keep their order, whatever each has to wait for."""

from __future__ import annotations

import pytest

from simulators.platforms.things_stack.application_server import lanes as lanes_module
from simulators.platforms.things_stack.application_server.lanes import MOST_WAITING
from simulators.platforms.things_stack.application_server.waiting_store import (
    TABLES,
    WaitingStore,
)
from simulators.platforms.things_stack.database import Database, open_database

DEV1 = {"device_id": "dev1", "application_ids": {"application_id": "app1"}}
DEV2 = {"device_id": "dev2", "application_ids": {"application_id": "app1"}}


class Lanes(lanes_module.Lanes):
    """Lanes whose jobs are known by what they do at last."""

    def __init__(self, store):
        super().__init__(store)
        self.store = store

    def put(self, tenant, ids, name, job, now_us):
        return self.in_order(tenant, ids, job, lambda: {"name": name}, now_us)

    def kept(self):
        """What a later process would find."""
        found = self.store.take_all()
        for is_begun, document in found:
            self.store.add(document, is_begun=is_begun)
        return [(document["name"], is_begun) for is_begun, document in found]


@pytest.fixture
def lanes():
    connection = open_database(None, TABLES)
    yield Lanes(WaitingStore(Database(connection)))
    connection.close()


class Script:
    """Something that ends when the test says so."""

    def __call__(self, go_on):
        self.end = lambda now_us: go_on({}, now_us)


def noting(done, name):
    return lambda now_us: done.append((name, now_us))


def test_jobs_of_a_device_wait_and_others_do_not(lanes):
    script, done = Script(), []
    lanes.hold("", DEV1, script, lambda outcome, now_us: done.append(("first", now_us)))
    lanes.put("", DEV1, "second", noting(done, "second"), 1)
    lanes.put("", DEV2, "other", noting(done, "other"), 2)
    lanes.put("tenant2", DEV1, "another", noting(done, "another"), 3)
    assert done == [("other", 2), ("another", 3)]
    script.end(4)
    assert done[2:] == [("first", 4), ("second", 4)]
    lanes.put("", DEV1, "third", noting(done, "third"), 5)
    assert done[4:] == [("third", 5)]


def test_what_waits_is_kept_until_it_is_done(lanes):
    first, second, done = Script(), Script(), []

    def hold(script, name):
        return lambda now_us: lanes.hold(
            "", DEV1, script, lambda outcome, now_us: done.append(name)
        )

    lanes.put("", DEV1, "first", hold(first, "first"), 1)
    lanes.put("", DEV1, "second", hold(second, "second"), 1)
    lanes.put("", DEV1, "third", noting(done, "third"), 1)
    assert lanes.kept() == [("first", True), ("second", False), ("third", False)]


def test_a_job_that_has_to_wait_keeps_those_behind_it_waiting(lanes):
    first, second, done = Script(), Script(), []
    lanes.put(
        "", DEV1, "first",
        lambda now_us: lanes.hold("", DEV1, first, lambda outcome, now_us: done.append("first")),
        0,
    )  # fmt: skip

    def another(now_us):
        lanes.hold("", DEV1, second, lambda outcome, now_us: done.append("second"))

    lanes.put("", DEV1, "second", another, 1)
    lanes.put("", DEV1, "third", lambda now_us: done.append("third"), 1)
    first.end(2)
    assert done == ["first"]
    lanes.put("", DEV1, "fourth", lambda now_us: done.append("fourth"), 3)
    rows = lanes.store._database.all("SELECT is_begun, document FROM as_waiting ORDER BY number")
    assert [is_begun for is_begun, _ in rows] == [1, 0, 0]
    second.end(4)
    assert done == ["first", "second", "third", "fourth"]
    assert lanes.kept() == []


def test_what_ends_at_once_holds_nobody_up_and_is_not_kept(lanes):
    done = []

    def at_once(now_us):
        lanes.hold("", DEV1, lambda go_on: go_on({}, 1), lambda outcome, now_us: done.append(1))

    lanes.put("", DEV1, "first", at_once, 1)
    lanes.put("", DEV1, "second", lambda now_us: done.append(2), 2)
    assert done == [1, 2]
    assert lanes.kept() == []


def test_not_any_number_waits(lanes):
    script = Script()
    lanes.hold("", DEV1, script, lambda outcome, now_us: None)
    taken = [lanes.put("", DEV1, "", lambda now_us: None, 1) for _ in range(MOST_WAITING + 1)]
    assert taken == [True] * MOST_WAITING + [False]
