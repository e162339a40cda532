"""Class B and C, and multicast: what is sent without being asked."""

from __future__ import annotations

import base64
import random
from typing import Any

import pytest

from simulators.lorawan.class_b import ping_slots_us
from simulators.lorawan.frames import ACK, CLASS_B
from simulators.lorawan.gps_time import to_unix_us
from simulators.lorawan.modulation import Lora
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.gateway_server.downstream import ScheduleError
from simulators.platforms.things_stack.times import time_text, unix_us
from tests.simulators.platforms.things_stack.conftest import Bench
from tests.simulators.platforms.things_stack.radio import (
    ADDRESS,
    Air,
    abp_session,
    add_abp,
    state_of,
)
from tests.simulators.platforms.things_stack.test_class_a import SETTLED, item, kinds, push

SECOND_US = 1_000_000
TOKEN = base64.b64encode(b"gtw1").decode()
GATEWAY = {"gateway_ids": {"gateway_id": "gtw2"}}


@pytest.fixture
def air(bench: Bench) -> Air:
    bench.application()
    return Air(bench)


def listening(air: Air, **more: Any) -> None:
    """A device of class C that the network has heard."""
    settings = SETTLED | more.pop("mac_settings", {})
    add_abp(air.bench, mac_settings=settings, supports_class_c=True, **more)
    air.send(abp_session().protect_uplink(0, 1, b"x"))
    air.wait(10)
    assert air.downlinks == []


def refused(air: Air, *items: dict[str, Any]) -> str:
    with pytest.raises(StackError) as error:
        push(air, *items)
    return error.value.name.removeprefix("pkg/networkserver:")


def test_class_c_is_sent_to_at_once(air: Air) -> None:
    listening(air)

    push(air, item(1))
    air.wait(0)

    (downlink,) = air.downlinks
    assert abp_session().open_downlink(downlink.phy, 1).frm_payload == b"on"
    assert downlink.request == {
        "class": "CLASS_C",
        "rx2_data_rate": {
            "lora": {"bandwidth": 125000, "spreading_factor": 12, "coding_rate": "4/5"}
        },
        "rx2_frequency": "869525000",
        "downlink_paths": [{"uplink_token": TOKEN}],
        "frequency_plan_id": "EU_863_870",
    }


def test_items_of_class_c_follow_each_other_after_a_second(air: Air) -> None:
    listening(air)

    push(air, item(1), item(2), item(3))
    air.wait(1.5)

    assert len(air.downlinks) == 2


def test_the_second_counts_from_when_the_gateway_sends(air: Air) -> None:
    """A gateway that is busy sends later: what follows must not pile up there."""
    listening(air)
    air.lead_us = 5 * SECOND_US

    push(air, item(1), item(2))
    air.wait(5.9)
    assert len(air.downlinks) == 1

    air.wait(0.2)
    assert len(air.downlinks) == 2


def test_what_comes_while_the_windows_of_an_uplink_are_open_goes_into_them(air: Air) -> None:
    listening(air)
    air.send(abp_session().protect_uplink(1, 1, b"x"))

    push(air, item(1))
    air.wait(0)

    assert "rx1_frequency" in air.downlinks[0].request


def test_a_confirmed_item_waits_for_its_answer(air: Air) -> None:
    listening(air)
    push(air, item(1, confirmed=True), item(2, confirmed=True))
    air.wait(250)
    assert len(air.downlinks) == 1

    air.send(abp_session().protect_uplink(1, 1, b"x", f_ctrl=ACK))
    air.wait(1)

    assert kinds(air) == ["uplink_message", "downlink_ack", "uplink_message"]
    assert len(air.downlinks) == 2


def test_a_confirmed_item_that_nobody_answers_is_given_up_after_five_minutes(air: Air) -> None:
    listening(air)
    push(air, item(1, confirmed=True), item(2, confirmed=True))

    air.wait(301)

    assert kinds(air) == ["uplink_message", "downlink_nack"]
    assert len(air.downlinks) == 2


def test_an_item_is_sent_at_its_time(air: Air) -> None:
    listening(air)
    at = time_text(air.bench.now_us + 60 * SECOND_US)

    push(air, item(1, class_b_c={"absolute_time": at, "gateways": [GATEWAY]}))
    air.wait(57)
    assert air.downlinks == []
    air.wait(1)

    request = air.downlinks[0].request
    assert request["absolute_time"] == at
    assert request["downlink_paths"] == [{"fixed": GATEWAY}]


def test_a_time_that_is_too_near_is_refused(air: Air) -> None:
    listening(air)
    at = time_text(air.bench.now_us + 2 * SECOND_US)

    assert refused(air, item(1, class_b_c={"absolute_time": at})) == "downlink_expired"


def test_what_no_gateway_can_send_is_tried_again(air: Air) -> None:
    listening(air)
    air.refusal = StackError("pkg/gatewayserver:schedule")
    push(air, item(1))
    air.wait(3)

    air.refusal = None
    air.wait(1)

    assert abp_session().open_downlink(air.downlinks[0].phy, 1).frm_payload == b"on"


def test_an_item_for_class_c_waits_while_the_device_is_in_class_a(bench: Bench, air: Air) -> None:
    """So do those behind it, whose counters are larger; answers go out."""
    add_abp(bench, mac_settings=SETTLED)
    push(air, item(1, class_b_c={"gateways": [GATEWAY]}), item(2, b"off"))

    air.send(abp_session().protect_uplink(0, 1, b"x"))
    assert air.downlinks == []

    air.send(abp_session().protect_uplink(1, 1, b"x", is_confirmed=True))
    assert abp_session().open_downlink(air.downlinks[0].phy, 0).f_port is None


def test_a_frame_of_class_c_tells_of_no_others(air: Air) -> None:
    """Who listens always need not be told to send."""
    listening(air)

    push(air, item(1), item(2))
    air.wait(0)

    assert not abp_session().open_downlink(air.downlinks[0].phy, 1).f_pending


def test_class_b_is_sent_to_in_its_ping_slots(bench: Bench, air: Air) -> None:
    settings = SETTLED | {"ping_slot_periodicity": "PING_EVERY_32S"}
    add_abp(bench, mac_settings=settings, supports_class_b=True)
    air.send(abp_session().protect_uplink(0, 1, b"x", f_ctrl=CLASS_B))
    air.wait(10)

    push(air, item(1))
    air.wait(0)

    request = air.downlinks[0].request
    assert request["class"] == "CLASS_B"
    assert request["rx2_frequency"] == "869525000"
    assert request["rx2_data_rate"]["lora"]["spreading_factor"] == 9
    at_us = unix_us(request["absolute_time"])
    beacon_s = (to_gps_s(at_us)) // 128 * 128
    slots = [to_unix_us(each) for each in ping_slots_us(beacon_s, ADDRESS, 5)]
    assert at_us in slots
    assert bench.now_us + 2 * SECOND_US <= at_us < bench.now_us + 66 * SECOND_US


def to_gps_s(at_us: int) -> int:
    return at_us // SECOND_US - 315_964_800 + 18


class Group:
    """A multicast group of class C; nobody answers there."""

    def __init__(self, air: Air) -> None:
        self.air = air
        add_abp(air.bench, mac_settings=SETTLED, supports_class_c=True, multicast=True)

    def refusal(self, *items: dict[str, Any]) -> str:
        return refused(self.air, *items)


def test_a_group_is_sent_to_through_the_gateways_that_an_item_names(air: Air) -> None:
    Group(air)

    push(air, item(1, class_b_c={"gateways": [GATEWAY]}))
    air.wait(0)

    assert air.downlinks[0].request["downlink_paths"] == [{"fixed": GATEWAY}]
    frame = abp_session().open_downlink(air.downlinks[0].phy, 1)
    assert (frame.frm_payload, frame.adr, frame.f_opts) == (b"on", False, b"")


def test_a_group_confirms_nothing(air: Air) -> None:
    confirmed = item(1, confirmed=True, class_b_c={"gateways": [GATEWAY]})

    assert Group(air).refusal(confirmed) == "confirmed_multicast_downlink"


def test_a_group_needs_a_gateway(air: Air) -> None:
    assert Group(air).refusal(item(1)) == "no_downlink_path"


def refuse_paths(air: Air, cause: str) -> None:
    """Let gateways refuse everything for that reason, as the Gateway Server tells it."""
    path = StackError("pkg/gatewayserver:schedule_path", {"gateway_uid": "gtw2"},
                      cause=StackError(cause))  # fmt: skip
    air.refusal = ScheduleError("pkg/gatewayserver:schedule", [path])


HOPELESS = [
    pytest.param({"gateways": [GATEWAY]}, "pkg/gatewayserver:not_connected", "fixed_paths"),
    pytest.param({}, "pkg/gatewayserver/scheduling:conflict", "absolute_time"),
]


@pytest.mark.parametrize(("more", "cause", "name"), HOPELESS)
def test_what_can_never_be_sent_like_that_fails(
    air: Air, more: dict[str, Any], cause: str, name: str
) -> None:
    listening(air)
    refuse_paths(air, cause)
    at = {} if more else {"absolute_time": time_text(air.bench.now_us + 3 * SECOND_US)}
    push(air, item(1, class_b_c=more | at))

    air.wait(1)

    assert kinds(air) == ["uplink_message", "downlink_failed"]
    assert air.ups[-1].message["error"]["name"] == name


def test_a_session_without_counters_is_quiet(bench: Bench, air: Air) -> None:
    session = {"session": {"last_n_f_cnt_down": 0xFFFF_FFFF}}
    add_abp(bench, mac_settings=SETTLED)
    ids = {"device_id": "dev1", "application_ids": {"application_id": "app1"}}
    mask = {"paths": ["session.last_n_f_cnt_down"]}
    body = {"end_device": {"ids": ids, **session}, "field_mask": mask}
    bench.made("/ns/applications/app1/devices/dev1", body, method="PUT")

    air.send(abp_session().protect_uplink(0, 1, b"x", is_confirmed=True))

    assert air.downlinks == []


# --- the queue itself


def test_counters_rise(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)
    push(air, item(5))

    with pytest.raises(StackError) as error:
        push(air, item(5))

    assert error.value.attributes == {"f_cnt": 5, "min_f_cnt": 6}
    told = {"dev_addr": ADDRESS, "session_key_id": "", "min_f_cnt_down": 0}
    assert error.value.queue == told  # type: ignore[attr-defined]


def test_items_of_another_session_are_refused(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)

    assert refused(air, item(1, session_key_id="AZL3uUe8vk2Tq1x5p0ZyVw==")) == "unknown_session"


def test_a_payload_that_no_frame_holds_is_refused(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)

    with pytest.raises(StackError) as error:
        push(air, item(1, bytes(243)))

    assert error.value.attributes == {"length": 243, "max": 242}


def test_a_payload_that_these_windows_do_not_hold_fails_later(bench: Bench, air: Air) -> None:
    """The first window is as slow as the uplink, the second one slower still."""
    add_abp(bench, mac_settings=SETTLED)
    push(air, item(1, bytes(60)), item(2))

    air.send(abp_session().protect_uplink(0, 1, b"x"), modulation=Lora(12, 125_000))

    failed = next(up for up in air.ups if up.kind == "downlink_failed")
    error = failed.message["error"]
    assert (error["name"], error["attributes"]) == (
        "application_downlink_too_long",
        {"length": 60, "max": 51},
    )
    assert abp_session().open_downlink(air.downlinks[0].phy, 2).frm_payload == b"on"


def test_a_full_queue_takes_nothing_more(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)
    many = [{"f_cnt": f_cnt, "f_port": 1} for f_cnt in range(1, 10_001)]
    push(air, *many)

    assert refused(air, item(10_001)) == "downlink_queue_capacity"


def test_replacing_takes_back_what_waits(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)
    push(air, item(1), item(2))
    network = bench.core.stack.network

    network.replace("", "app1", "dev1", [item(1, b"new")], bench.now_us)

    assert network.queue("", "app1", "dev1") == [item(1, b"new")]


def test_work_for_class_c_goes_on_in_another_process(air: Air) -> None:
    """What is planned has a row; a server that begins finds it there."""
    bench = air.bench
    listening(air)
    at = time_text(bench.now_us + 60 * SECOND_US)
    push(air, item(1, class_b_c={"absolute_time": at}))
    bench.core = Core(bench.connection, random.Random(9), policy=bench.policy)
    successor = Air(bench)

    bench.core.resume(bench.now_us)
    successor.wait(60)

    assert successor.downlinks[0].request["absolute_time"] == at
    assert state_of(bench)["session"]["last_n_f_cnt_down"] == 1
