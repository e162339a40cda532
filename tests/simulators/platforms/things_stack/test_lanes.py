"""Messages of one device keep their order, whatever each has to wait for."""

from __future__ import annotations

from simulators.platforms.things_stack.application_server.lanes import MOST_WAITING, Lanes

DEV1 = {"device_id": "dev1", "application_ids": {"application_id": "app1"}}
DEV2 = {"device_id": "dev2", "application_ids": {"application_id": "app1"}}


class Script:
    """Something that ends when the test says so."""

    def __call__(self, go_on):
        self.end = lambda now_us: go_on({}, now_us)


def test_jobs_of_a_device_wait_and_others_do_not():
    lanes, script, done = Lanes(), Script(), []
    lanes.hold("", DEV1, script, lambda outcome, now_us: done.append(("first", now_us)))
    lanes.in_order("", DEV1, lambda now_us: done.append(("second", now_us)), 1)
    lanes.in_order("", DEV2, lambda now_us: done.append(("other", now_us)), 2)
    lanes.in_order("tenant2", DEV1, lambda now_us: done.append(("another", now_us)), 3)
    assert done == [("other", 2), ("another", 3)]
    script.end(4)
    assert done[2:] == [("first", 4), ("second", 4)]
    lanes.in_order("", DEV1, lambda now_us: done.append(("third", now_us)), 5)
    assert done[4:] == [("third", 5)]


def test_a_job_that_has_to_wait_keeps_those_behind_it_waiting():
    lanes, first, second, done = Lanes(), Script(), Script(), []
    lanes.hold("", DEV1, first, lambda outcome, now_us: done.append("first"))

    def another(now_us):
        lanes.hold("", DEV1, second, lambda outcome, now_us: done.append("second"))

    lanes.in_order("", DEV1, another, 1)
    lanes.in_order("", DEV1, lambda now_us: done.append("third"), 1)
    first.end(2)
    assert done == ["first"]
    lanes.in_order("", DEV1, lambda now_us: done.append("fourth"), 3)
    second.end(4)
    assert done == ["first", "second", "third", "fourth"]


def test_what_ends_at_once_holds_nobody_up():
    lanes, done = Lanes(), []
    lanes.hold("", DEV1, lambda go_on: go_on({}, 1), lambda outcome, now_us: done.append(1))
    lanes.in_order("", DEV1, lambda now_us: done.append(2), 2)
    assert done == [1, 2]


def test_not_any_number_waits():
    lanes, script = Lanes(), Script()
    lanes.hold("", DEV1, script, lambda outcome, now_us: None)
    taken = [lanes.in_order("", DEV1, lambda now_us: None, 1) for _ in range(MOST_WAITING + 1)]
    assert taken == [True] * MOST_WAITING + [False]
