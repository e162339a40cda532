"""What becomes of downlinks that a gateway has taken when the process ends."""

from __future__ import annotations

import random
from typing import Any

import pytest

from simulators.platforms.things_stack.core import Core
from tests.simulators.platforms.things_stack.conftest import Bench
from tests.simulators.platforms.things_stack.radio import Air, abp_session, add_abp
from tests.simulators.platforms.things_stack.test_class_a import SETTLED, item, kinds, push

SESSION = abp_session()


@pytest.fixture
def air(bench: Bench) -> Air:
    bench.application()
    add_abp(bench, mac_settings=SETTLED)
    return Air(bench)


def taken(air: Air, **more: Any) -> None:
    """A gateway has taken an item; what it will tell is not known yet."""
    push(air, item(1, **more))
    air.send(SESSION.protect_uplink(0, 1, b"x"))
    air.wait(1)
    assert len(air.downlinks) == 1


def restarted(air: Air) -> Air:
    """The same deployment in a new process."""
    bench = air.bench
    bench.core = Core(bench.connection, random.Random(9), policy=bench.policy)
    air = Air(bench)
    bench.core.resume(bench.now_us)
    return air


def test_an_item_in_the_air_is_told_as_failed(air: Air) -> None:
    taken(air)

    after = restarted(air)

    (up,) = after.ups
    assert (up.kind, up.message["downlink"]["f_cnt"]) == ("downlink_failed", 1)
    assert up.message["error"]["name"] == "transmission"
    assert up.message["error"]["attributes"] == {"result": "UNKNOWN_ERROR"}
    assert kinds(restarted(after)) == []


@pytest.mark.parametrize("result", ["SUCCESS", "TOO_LATE"])
def test_what_a_gateway_has_told_is_not_told_again(air: Air, result: str) -> None:
    taken(air)
    air.bench.core.stack.network.handle_tx_ack(air.downlinks[0], result, air.bench.now_us)

    assert kinds(restarted(air)) == []


def test_a_gateway_that_tells_nothing_is_believed_after_five_seconds(air: Air) -> None:
    taken(air)
    air.wait(5)

    assert kinds(restarted(air)) == []


def test_a_confirmed_item_is_told_of_by_its_device(air: Air) -> None:
    taken(air, confirmed=True)

    after = restarted(air)

    assert kinds(after) == []
    after.send(SESSION.protect_uplink(1, 1, b"x"))
    assert kinds(after) == ["downlink_nack", "uplink_message"]


def test_nothing_is_told_of_a_device_that_is_gone(air: Air) -> None:
    taken(air)
    air.bench.delete("/ns/applications/app1/devices/dev1")

    assert kinds(restarted(air)) == []
