"""Class A: what a device hears in the windows after its uplinks."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import ACK, ADR, ADR_ACK_REQ, DataFrame
from simulators.lorawan.mac_commands import (
    DevStatusAns,
    DevStatusReq,
    LinkCheckAns,
    LinkCheckReq,
    MacCommand,
    RXTimingSetupAns,
    RXTimingSetupReq,
    encode,
    parse,
)
from simulators.platforms.things_stack.errors import StackError
from tests.simulators.platforms.things_stack.conftest import Bench
from tests.simulators.platforms.things_stack.radio import Air, abp_session, add_abp, state_of

# A device whom the network has nothing to tell.
SETTLED = {
    "desired_rx1_delay": 1,
    "rx2_data_rate_index": 0,
    "factory_preset_frequencies": [
        868100000, 868300000, 868500000, 867100000, 867300000, 867500000, 867700000, 867900000,
    ],
    "adr": {"disabled": {}},
    "status_time_periodicity": "0s",
    "status_count_periodicity": 0,
}  # fmt: skip


@pytest.fixture
def air(bench: Bench) -> Air:
    bench.made("/users/user1/applications", {"application": {"ids": {"application_id": "app1"}}})
    return Air(bench)


def commands(frame: DataFrame) -> list[MacCommand]:
    """The MAC commands of a downlink that is read already."""
    told = frame.frm_payload if frame.f_port == 0 else frame.f_opts
    return parse(told, is_uplink=False).commands


def heard(air: Air, session: Session, f_cnt: int, **options: Any) -> DataFrame:
    """The last downlink, read by the device."""
    return session.open_downlink(air.downlinks[-1].phy, f_cnt, **options)


def item(f_cnt: int, payload: bytes = b"on", **more: Any) -> dict[str, Any]:
    """An item of the queue, encrypted with the key of the devices of this module."""
    secret = abp_session().encrypt_payload(payload, f_cnt, is_uplink=False, f_port=1)
    return {"f_cnt": f_cnt, "f_port": 1, "frm_payload": base64.b64encode(secret).decode(), **more}


def push(air: Air, *items: dict[str, Any]) -> None:
    bench = air.bench
    network = bench.core.stack.network
    network.push("", "app1", "dev1", list(items), bench.now_us)
    network.flush()


def kinds(air: Air) -> list[str]:
    return [up.kind for up in air.ups]


def test_a_settled_device_is_left_alone(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)

    air.send(abp_session().protect_uplink(0, 1, b"x"))
    air.wait(10)

    assert air.downlinks == []


def test_a_confirmed_uplink_is_acknowledged(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)
    session = abp_session()

    air.send(session.protect_uplink(0, 1, b"x", is_confirmed=True))

    frame = heard(air, session, 0)
    assert (frame.ack, frame.f_port, frame.f_opts) == (True, None, b"")


def test_both_windows_are_asked_for(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)

    air.send(abp_session().protect_uplink(0, 1, b"x", is_confirmed=True))

    assert air.downlinks[0].request == {
        "rx1_delay": 1,
        "rx1_data_rate": {
            "lora": {"bandwidth": 125000, "spreading_factor": 7, "coding_rate": "4/5"}
        },
        "rx1_frequency": "868100000",
        "rx2_data_rate": {
            "lora": {"bandwidth": 125000, "spreading_factor": 12, "coding_rate": "4/5"}
        },
        "rx2_frequency": "869525000",
        "downlink_paths": [{"uplink_token": base64.b64encode(b"gtw1").decode()}],
        "frequency_plan_id": "EU_863_870",
        "priority": "HIGHEST",
    }


def test_a_device_that_asks_for_a_sign_of_life_gets_one(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)
    session = abp_session()

    air.send(session.protect_uplink(0, 1, b"x", f_ctrl=ADR | ADR_ACK_REQ))

    assert heard(air, session, 0).ack is False


def test_network_frames_count_from_0(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)
    session = abp_session()

    for f_cnt in range(3):
        air.send(session.protect_uplink(f_cnt, 1, b"x", is_confirmed=True))
        air.wait(5)

    for f_cnt, downlink in enumerate(air.downlinks):
        assert session.open_downlink(downlink.phy, f_cnt).ack


def test_an_item_goes_out_with_its_own_counter(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)
    session = abp_session()
    push(air, item(1))

    air.send(session.protect_uplink(0, 1, b"x"))

    frame = heard(air, session, 1)
    assert (frame.f_port, frame.frm_payload, frame.f_pending) == (1, b"on", False)
    assert bench.core.stack.network.queue("", "app1", "dev1") == []


def test_more_items_are_announced(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)
    session = abp_session()
    push(air, item(1), item(2, b"off"))

    air.send(session.protect_uplink(0, 1, b"x"))

    assert heard(air, session, 1).f_pending


def test_an_item_that_comes_before_rx1_still_goes_into_it(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED | {"rx1_delay": 5, "desired_rx1_delay": 5})
    session = abp_session()
    air.send(session.protect_uplink(0, 1, b"x"))
    air.wait(3)

    push(air, item(1))
    air.wait(1)

    assert heard(air, session, 1).frm_payload == b"on"


def test_what_no_gateway_can_send_stays(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)
    session = abp_session()
    push(air, item(1))
    air.refusal = StackError("pkg/gatewayserver:schedule")
    air.send(session.protect_uplink(0, 1, b"x"))
    air.refusal = None

    air.send(session.protect_uplink(1, 1, b"x"))

    assert heard(air, session, 1).frm_payload == b"on"


def test_a_confirmed_item_is_told_to_be_acknowledged_before_the_uplink(
    bench: Bench, air: Air
) -> None:
    add_abp(bench, mac_settings=SETTLED)
    session = abp_session()
    push(air, item(1, confirmed=True))
    air.send(session.protect_uplink(0, 1, b"x"))
    air.wait(5)

    air.send(session.protect_uplink(1, 1, b"x", f_ctrl=ACK))

    assert kinds(air) == ["uplink_message", "downlink_ack", "uplink_message"]
    assert air.ups[1].message == item(1, confirmed=True)


def test_the_gateway_s_word_becomes_a_message(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)
    push(air, item(1), item(2))
    network = bench.core.stack.network
    air.send(abp_session().protect_uplink(0, 1, b"x"))
    network.handle_tx_ack(air.downlinks[-1], "SUCCESS", bench.now_us)
    air.wait(5)
    air.send(abp_session().protect_uplink(1, 1, b"x"))

    network.handle_tx_ack(air.downlinks[-1], "TOO_LATE", bench.now_us)

    assert kinds(air) == ["uplink_message", "downlink_sent", "uplink_message", "downlink_failed"]
    error = air.ups[-1].message["error"]
    assert (error["name"], error["attributes"]) == ("transmission", {"result": "TOO_LATE"})


def test_a_network_frame_that_takes_a_counter_makes_the_queue_void(bench: Bench, air: Air) -> None:
    """Items for class C are not sent in class A, but their counters are shared until 1.0.4."""
    add_abp(bench, mac_settings=SETTLED, supports_class_c=True)
    later = {"absolute_time": "2024-01-31T13:00:00Z"}
    push(air, item(0, class_b_c=later), item(1, class_b_c=later))

    air.send(abp_session().protect_uplink(0, 1, b"x", is_confirmed=True))

    (up,) = [each for each in air.ups if each.kind == "downlink_queue_invalidated"]
    assert [each["f_cnt"] for each in up.message["downlinks"]] == [0, 1]
    assert bench.core.stack.network.queue("", "app1", "dev1") == []


def test_counters_of_1_1_are_two(bench: Bench, air: Air) -> None:
    add_abp(bench, version="MAC_V1_1", phy_version="PHY_V1_1_REV_B", mac_settings=SETTLED)
    session = abp_session(is_1_1=True)
    push(air, item(7))
    air.send(session.protect_uplink(0, 1, b"x", tx_dr=5))
    air.wait(5)

    air.send(session.protect_uplink(1, 1, b"x", is_confirmed=True, tx_dr=5))

    first, second = air.downlinks
    assert session.open_downlink(first.phy, 7).frm_payload == b"on"
    assert session.open_downlink(second.phy, 0, conf_f_cnt=1).ack


def test_a_link_check_is_answered(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)
    session = abp_session()
    phy = session.protect_uplink(0, 1, b"x", f_opts=encode(LinkCheckReq()))
    air.hear(phy, snr=-2.5)
    air.hear(phy, gateway="gtw2", snr=4.5)

    air.wait(0.25)

    assert commands(heard(air, session, 0)) == [LinkCheckAns(12, 2)]


def test_the_delay_of_rx1_changes_with_the_answer(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED | {"desired_rx1_delay": 3})
    session = abp_session()
    air.send(session.protect_uplink(0, 1, b"x"))
    assert commands(heard(air, session, 0)) == [RXTimingSetupReq(3)]
    air.wait(5)

    air.send(session.protect_uplink(1, 1, b"x", f_opts=encode(RXTimingSetupAns())))
    air.wait(5)

    assert air.downlinks[-1].request["rx1_delay"] == 3
    assert commands(heard(air, session, 1)) == []
    assert state_of(bench)["mac_state"]["current_parameters"]["rx1_delay"] == 3


def test_negative_margins_are_read_wrongly(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED | {"status_count_periodicity": 1})
    session = abp_session()
    air.send(session.protect_uplink(0, 1, b"x"))
    assert commands(heard(air, session, 0)) == [DevStatusReq()]
    air.wait(5)

    air.send(session.protect_uplink(1, 1, b"x", f_opts=encode(DevStatusAns(254, -20))))

    state = state_of(bench)
    assert (state["battery_percentage"], state["downlink_margin"]) == (1.0, -13)
    assert state["last_dev_status_received_at"] == "2024-01-31T12:00:05.250Z"


STATES = [
    pytest.param({"queued_responses": [{"cid": "CID_RELAY_CONF"}]}, id="foreign-answer"),
    pytest.param({"current_parameters": {"rx2_data_rate_index": 14}}, id="no-such-data-rate"),
    pytest.param({"desired_parameters": {"rx1_delay": 3}}, id="half-a-state"),
    pytest.param({"current_parameters": {"max_eirp": 0}}, id="no-power"),
]


@pytest.mark.parametrize("state", STATES)
def test_a_state_that_a_caller_has_set_breaks_nothing(
    bench: Bench, air: Air, state: dict[str, Any]
) -> None:
    add_abp(bench, mac_settings=SETTLED)
    names = [
        f"mac_state.{name}" + (f".{next(iter(value))}" if isinstance(value, dict) else "")
        for name, value in state.items()
    ]
    ids = {"device_id": "dev1", "application_ids": {"application_id": "app1"}}
    body = {"end_device": {"ids": ids, "mac_state": state}, "field_mask": {"paths": names}}
    bench.made("/ns/applications/app1/devices/dev1", body, method="PUT")
    session = abp_session()

    air.send(session.protect_uplink(0, 1, b"x", is_confirmed=True))

    assert heard(air, session, 0).ack


def test_a_frequency_that_no_command_can_carry_is_not_asked_for(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED | {"desired_rx2_frequency": 869_525_001})

    air.send(abp_session().protect_uplink(0, 1, b"x"))

    assert air.downlinks == []


def test_settings_may_change_without_a_counter_used_twice(bench: Bench, air: Air) -> None:
    add_abp(bench, mac_settings=SETTLED)
    session = abp_session()
    air.send(session.protect_uplink(0, 1, b"x", is_confirmed=True))
    air.wait(5)
    ids = {"device_id": "dev1", "application_ids": {"application_id": "app1"}}
    settings = {"mac_settings": SETTLED | {"status_count_periodicity": 500}}
    mask = {"field_mask": {"paths": ["mac_settings.status_count_periodicity"]}}
    body = {"end_device": {"ids": ids, **settings}, **mask}
    bench.made("/ns/applications/app1/devices/dev1", body, method="PUT")

    air.send(session.protect_uplink(1, 1, b"x", is_confirmed=True))

    assert heard(air, session, 1).ack
