"""Messages that wait for a script when the process ends: the next process goes on with them."""

from __future__ import annotations

import random

import pytest

from simulators.platforms.things_stack.application_server.lanes import MOST_WAITING
from simulators.platforms.things_stack.core import Core
from tests.simulators.platforms.things_stack.traffic import (
    SIMULATED,
    Traffic,
    add_device,
    encrypted,
)

SUM = "function decodeUplink({ bytes }) { return { data: { sum: bytes[0] } }; }"
UP = {"up_formatter": "FORMATTER_JAVASCRIPT", "up_formatter_parameter": SUM}
LAST = "function decodeDownlink({ bytes }) { return { data: { last: bytes[1] } }; }"
DOWN = {"down_formatter": "FORMATTER_JAVASCRIPT", "down_formatter_parameter": LAST}


def restarted(bench, traffic):
    """Another process with the same database, the same network, and nobody who listens."""
    queue = traffic.queue
    bench.core = Core(bench.connection, random.Random(9), policy=bench.policy)
    after = Traffic(bench)
    after.queue.items = queue.items
    bench.core.stack.outbox += bench.core.resume(bench.now_us)
    return after


def sums(traffic):
    ups = [up["uplink_message"] for up in traffic.ups()]
    return [(up["f_cnt"], up["decoded_payload"]["sum"]) for up in ups]


def test_uplinks_are_decoded_in_order_by_the_next_process(bench, traffic):
    add_device(bench, formatters=UP)
    for f_cnt in (7, 8, 9):
        traffic.uplink(encrypted(bytes([f_cnt]), f_cnt), f_cnt)
    after = restarted(bench, traffic)
    assert after.ups() == []
    bench.run_scripts()
    assert traffic.ups() == []
    assert sums(after) == [(7, 7), (8, 8), (9, 9)]


def test_message_is_the_one_that_it_would_have_been(bench, traffic):
    add_device(bench, formatters=UP)
    traffic.uplink(encrypted(b"\x05", 7))
    after = restarted(bench, traffic)
    bench.wait(60)
    bench.run_scripts()
    message = after.up()
    assert message["received_at"] == "2024-01-31T12:00:00Z"
    assert message["correlation_ids"][0] == "gs:uplink:1"
    assert len(message["correlation_ids"]) == 2
    assert message["uplink_message"]["frm_payload"] == "BQ=="


def test_made_up_uplink_is_not_lost(bench, traffic):
    add_device(bench, formatters=UP)
    traffic.ask("POST", "/as/applications/app1/devices/dev1/up/simulate", SIMULATED)
    after = restarted(bench, traffic)
    bench.run_scripts()
    message = after.up()
    assert message["simulated"] is True
    assert message["uplink_message"]["decoded_payload"] == {"sum": 1}


def test_what_has_gone_out_does_not_go_out_again(bench, traffic):
    add_device(bench, formatters=UP)
    for f_cnt in (7, 8):
        traffic.uplink(encrypted(bytes([f_cnt]), f_cnt), f_cnt)
    bench.run_scripts()
    after = restarted(bench, traffic)
    bench.run_scripts()
    assert after.ups() == []


@pytest.mark.parametrize("times", [1, 3])
def test_any_number_of_kills_loses_nothing(bench, traffic, times):
    add_device(bench, formatters=UP)
    for f_cnt in (7, 8):
        traffic.uplink(encrypted(bytes([f_cnt]), f_cnt), f_cnt)
    for _ in range(times):
        traffic = restarted(bench, traffic)
    bench.run_scripts()
    assert sums(traffic) == [(7, 7), (8, 8)]


def test_item_is_not_queued_twice_for_one_nack(bench, traffic):
    """It was queued again before the script began, and only the message about it is missing."""
    add_device(bench, formatters=DOWN)
    traffic.push({"f_port": 42, "frm_payload": "vu8=", "confirmed": True})
    (item,) = traffic.queue.items
    traffic.queue.items = []
    bench.run_scripts()
    traffic.ups()
    traffic.take("downlink_nack", item)
    assert traffic.queue.counters() == [(2, b"\xbe\xef")]
    after = restarted(bench, traffic)
    bench.run_scripts()
    nacks = [up["downlink_nack"] for up in after.ups() if "downlink_nack" in up]
    assert [nack["decoded_payload"] for nack in nacks] == [{"last": 0xEF}]
    assert after.queue.counters() == [(2, b"\xbe\xef")]


def test_caller_is_told_when_too_many_wait(bench, traffic):
    """One is at its script, and a thousand wait: the next is refused, and none of them is lost."""
    add_device(bench, formatters=UP)
    path = "/as/applications/app1/devices/dev1/up/simulate"
    answers = [traffic.ask("POST", path, SIMULATED) for _ in range(MOST_WAITING + 2)]
    assert {status for status, _ in answers[:-1]} == {200}
    status, document = answers[-1]
    assert (status, document["code"]) == (429, 8)
    assert document["details"][0]["name"] == "buffer_full"
    bench.run_scripts()
    assert len(traffic.ups()) == MOST_WAITING + 1
    assert traffic.ask("POST", path, SIMULATED) == (200, {})
