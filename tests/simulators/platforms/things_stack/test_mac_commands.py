"""MAC commands one by one: what the network asks, what it makes of answers, what it answers."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from simulators.lorawan.frames import CLASS_B
from simulators.lorawan.mac_commands import (
    ADRParamSetupAns,
    ADRParamSetupReq,
    BeaconFreqAns,
    BeaconFreqReq,
    BeaconTimingReq,
    DeviceModeConf,
    DeviceModeInd,
    DeviceTimeAns,
    DeviceTimeReq,
    DlChannelAns,
    DlChannelReq,
    DutyCycleAns,
    DutyCycleReq,
    LinkADRAns,
    LinkADRReq,
    LinkCheckAns,
    LinkCheckReq,
    MacCommand,
    NewChannelAns,
    NewChannelReq,
    PingSlotChannelAns,
    PingSlotChannelReq,
    PingSlotInfoAns,
    PingSlotInfoReq,
    RejoinParamSetupAns,
    RejoinParamSetupReq,
    ResetConf,
    ResetInd,
    RXParamSetupAns,
    RXParamSetupReq,
    RXTimingSetupAns,
    RXTimingSetupReq,
    TxParamSetupAns,
    TxParamSetupReq,
    encode,
    parse,
)
from simulators.platforms.effects import StreamDocument
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.network_server.mac import documents
from tests.simulators.platforms.things_stack.conftest import Bench
from tests.simulators.platforms.things_stack.radio import Air, abp_session, add_abp, state_of
from tests.simulators.platforms.things_stack.test_class_a import SETTLED

Document = dict[str, Any]


class Talk:
    """A device and the network that talk in MAC commands."""

    def __init__(
        self,
        bench: Bench,
        *,
        version: str = "MAC_V1_0_3",
        phy_version: str = "PHY_V1_0_3_REV_A",
        where: tuple[Any, ...] = (),
        settled: Document = SETTLED,
        mac_settings: Document | None = None,
        **more: Any,
    ) -> None:
        bench.application()
        self.bench = bench
        self.air = Air(bench)
        self.is_1_1 = version == "MAC_V1_1"
        self.session = abp_session(is_1_1=self.is_1_1)
        self.where = where
        self.f_cnt = 0
        settings = settled | (mac_settings or {})
        add_abp(bench, version=version, phy_version=phy_version, mac_settings=settings, **more)

    def say(self, *commands: MacCommand, f_ctrl: int = 0) -> list[MacCommand]:
        """Send commands, and return those that come back."""
        told = b"".join(map(encode, commands))
        options: Document = {"f_opts": told} if len(told) <= 15 else {}
        port, payload = (1, b"x") if options else (0, told)
        phy = self.session.protect_uplink(
            self.f_cnt, port, payload, f_ctrl=f_ctrl, **options, tx_dr=5 if self.is_1_1 else 0
        )
        count = len(self.air.downlinks)
        assert self.air.send(phy, *self.where) is None
        self.air.wait(10)
        self.f_cnt += 1
        return self._read(self.air.downlinks[-1].phy) if len(self.air.downlinks) > count else []

    def _read(self, phy: bytes) -> list[MacCommand]:
        f_cnt = int.from_bytes(phy[6:8], "little")
        frame = self.session.open_downlink(phy, f_cnt)
        told = frame.frm_payload if frame.f_port == 0 else frame.f_opts
        return parse(told, is_uplink=False).commands

    @property
    def state(self) -> Document:
        found: Document = state_of(self.bench)["mac_state"]
        return found

    @property
    def current(self) -> Document:
        found: Document = self.state["current_parameters"]
        return found

    def change(self, **desired: Any) -> None:
        """What the network shall bring the device to, beside what settings can say."""
        network = self.bench.core.stack.network
        device = network.devices.by_id("app1", "dev1")
        assert device is not None
        device.mac_state["desired_parameters"].update(desired)
        device.save()
        network.flush()


# --- requests: what differs, what is asked, what is answered, what holds then

REQUESTS = [
    pytest.param(
        {"max_duty_cycle": "DUTY_CYCLE_16"},
        DutyCycleReq(4), DutyCycleAns(), id="duty-cycle",
    ),
    pytest.param(
        {"rx2_data_rate_index": 3, "rx1_data_rate_offset": 2},
        RXParamSetupReq(3, 2, 869_525_000), RXParamSetupAns(True, True, True), id="rx-param-setup",
    ),
    pytest.param({"rx1_delay": 7}, RXTimingSetupReq(7), RXTimingSetupAns(), id="rx-timing-setup"),
    pytest.param(
        {"adr_ack_limit_exponent": "ADR_ACK_LIMIT_32"},
        ADRParamSetupReq(5, 5), ADRParamSetupAns(), id="adr-param-setup",
    ),
    pytest.param(
        {
            "rejoin_time_periodicity": "REJOIN_TIME_3",
            "rejoin_count_periodicity": "REJOIN_COUNT_64",
        },
        RejoinParamSetupReq(2, 3), RejoinParamSetupAns(True), id="rejoin-param-setup",
    ),
    pytest.param(
        {"adr_nb_trans": 2},
        LinkADRReq(15, 15, 0xFF, 2, 0), LinkADRAns(True, True, True), id="link-adr",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("desired", "request_", "answer"), REQUESTS)
def test_a_parameter_changes_when_the_device_says_so(
    bench: Bench, desired: Document, request_: MacCommand, answer: MacCommand
) -> None:
    talk = Talk(bench, version="MAC_V1_1", phy_version="PHY_V1_1_REV_B")
    talk.say()
    talk.change(**desired)
    # What ADR chooses follows the device until it is asked.
    asked = talk.say() if "adr_nb_trans" not in desired else _asked_of_adr(talk)

    assert asked == [request_]
    assert talk.current.items().isdisjoint(desired.items())
    talk.say(answer)

    assert desired.items() <= talk.current.items()
    assert "pending_requests" not in talk.state


def _asked_of_adr(talk: Talk) -> list[MacCommand]:
    path = "/ns/applications/app1/devices/dev1"
    settings = {"adr": {"static": {"data_rate_index": 5, "nb_trans": 2}}}
    body = {
        "end_device": {
            "ids": {"device_id": "dev1", "application_ids": {"application_id": "app1"}},
            "mac_settings": SETTLED | settings,
        },
        "field_mask": {"paths": ["mac_settings.adr"]},
    }
    talk.bench.made(path, body, method="PUT")
    return talk.say(f_ctrl=0x80)


def test_an_unanswered_request_is_asked_again(bench: Bench) -> None:
    talk = Talk(bench, mac_settings={"desired_rx1_delay": 3})
    assert talk.say() == [RXTimingSetupReq(3)]

    assert talk.say() == [RXTimingSetupReq(3)]

    assert talk.current["rx1_delay"] == 1


def test_what_was_asked_can_be_read(bench: Bench) -> None:
    talk = Talk(bench, mac_settings={"desired_rx1_delay": 3})
    talk.say()

    names = ("pending_requests", "recent_downlinks", "queued_responses")
    mask = ",".join(f"mac_state.{name}" for name in names)
    status, document = bench.get(f"/ns/applications/app1/devices/dev1?field_mask={mask}")

    (downlink,) = document["mac_state"].pop("recent_downlinks")
    assert (status, document["mac_state"]) == (
        200, {"pending_requests": [{"cid": "CID_RX_TIMING_SETUP",
                                    "rx_timing_setup_req": {"delay": 3}}]},
    )  # fmt: skip
    assert downlink["payload"] == {"m_hdr": {"m_type": "UNCONFIRMED_DOWN"}, "mac_payload": {}}


def test_a_repeated_answer_is_no_news_and_makes_the_network_speak(bench: Bench) -> None:
    """What is desired meanwhile waits: its answer would look the same."""
    talk = Talk(bench, mac_settings={"desired_rx1_delay": 3})
    talk.say()
    talk.say(RXTimingSetupAns())
    talk.change(rx1_delay=4)
    count = len(talk.air.downlinks)

    assert talk.say(RXTimingSetupAns()) == []
    assert len(talk.air.downlinks) == count + 1

    assert talk.say() == [RXTimingSetupReq(4)]


def test_a_refused_rx2_frequency_is_not_asked_for_again(bench: Bench) -> None:
    talk = Talk(bench, mac_settings={"desired_rx2_frequency": 868_100_000})
    assert talk.say() == [RXParamSetupReq(0, 0, 868_100_000)]

    assert talk.say(RXParamSetupAns(False, True, True)) == []

    assert talk.state["rejected_frequencies"] == ["868100000"]
    assert talk.current["rx2_frequency"] == "869525000"
    assert talk.say() == []


def _without_channels() -> Document:
    kept = ("status_time_periodicity", "status_count_periodicity", "adr", "desired_rx1_delay")
    return {name: SETTLED[name] for name in kept}


FREQUENCIES = (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)


def test_channels_are_added(bench: Bench) -> None:
    talk = Talk(bench, settled=_without_channels())
    expected = [NewChannelReq(3 + n, each, 0, 5) for n, each in enumerate(FREQUENCIES)]
    assert talk.say() == expected

    talk.say(*[NewChannelAns(True, True)] * 5)

    assert talk.current["channels"] == talk.state["desired_parameters"]["channels"]
    assert talk.say() == []


def test_a_channel_that_the_device_does_not_take_is_left_out(bench: Bench) -> None:
    talk = Talk(bench, settled=_without_channels())
    talk.say()

    talk.say(
        NewChannelAns(True, True), NewChannelAns(False, True), NewChannelAns(True, False),
        NewChannelAns(True, True), NewChannelAns(True, True),
    )  # fmt: skip

    assert talk.state["rejected_frequencies"] == ["867300000"]
    ranges = {"867500000": {"ranges": [{"max_data_rate_index": 5}]}}
    assert talk.state["rejected_data_rate_ranges"] == ranges
    assert talk.say() == []


def test_rx1_moves_to_another_channel(bench: Bench) -> None:
    talk = Talk(bench)
    talk.say()
    channels = [dict(each) for each in talk.state["desired_parameters"]["channels"]]
    channels[1]["downlink_frequency"] = "868500000"
    talk.change(channels=channels)
    assert talk.say() == [DlChannelReq(1, 868_500_000)]

    talk.say(DlChannelAns(True, True))

    assert talk.current["channels"][1]["downlink_frequency"] == "868500000"


@pytest.mark.parametrize("version", ["MAC_V1_0_1", "MAC_V1_0_2"])
def test_masks_of_a_plan_with_72_channels_form_a_block(bench: Bench, version: str) -> None:
    settled = {
        "status_time_periodicity": "0s", "status_count_periodicity": 0, "desired_rx1_delay": 1,
        "use_adr": False,
    }  # fmt: skip
    talk = Talk(
        bench, version=version, phy_version="PHY_V1_0_2_REV_B", where=(903_900_000,),
        settled=settled, plan="US_902_928_FSB_2",
    )  # fmt: skip
    assert talk.say() == [LinkADRReq(0, 3, 2, 1, 7), LinkADRReq(0, 3, 0xFF00, 1, 0)]

    talk.say(*[LinkADRAns(True, True, True)] * 2)

    on = [n for n, each in enumerate(talk.current["channels"]) if each.get("enable_uplink")]
    assert on == [*range(8, 16), 65]
    # The block names data rate and power, too, so ADR looks at what comes from now on.
    assert talk.state["last_adr_change_f_cnt_up"] == 1
    assert talk.say() == []


def test_dwell_times_are_told_in_asia(bench: Bench) -> None:
    settled = {
        "status_time_periodicity": "0s", "status_count_periodicity": 0, "desired_rx1_delay": 1,
        "use_adr": False, "uplink_dwell_time": True, "downlink_dwell_time": True,
    }  # fmt: skip
    talk = Talk(
        bench, phy_version="PHY_V1_0_3_REV_A", where=(923_200_000,), settled=settled,
        plan="AS_923_NDT",
    )  # fmt: skip
    assert TxParamSetupReq(5, False, False) in talk.say()

    talk.say(TxParamSetupAns())

    assert (talk.current["uplink_dwell_time"], talk.current["downlink_dwell_time"]) == (
        False,
        False,
    )


def test_a_device_of_class_b_is_told_where_to_listen(bench: Bench) -> None:
    talk = Talk(
        bench, supports_class_b=True,
        mac_settings={
            "ping_slot_periodicity": "PING_EVERY_8S", "desired_ping_slot_frequency": 868_300_000,
            "desired_beacon_frequency": 868_500_000,
        },
    )  # fmt: skip
    assert talk.say() == [BeaconFreqReq(868_500_000), PingSlotChannelReq(868_300_000, 3)]

    talk.say(BeaconFreqAns(True), PingSlotChannelAns(True, True))

    assert talk.current["beacon_frequency"] == "868500000"
    assert talk.current["ping_slot_frequency"] == "868300000"


# --- what devices ask


def test_the_time_is_that_of_the_uplink(bench: Bench) -> None:
    """2024-01-31T12:00:00Z is second 1 390 737 618 of GPS time, with 18 leap seconds."""
    talk = Talk(bench)

    assert talk.say(DeviceTimeReq()) == [DeviceTimeAns(1_390_737_618, 0)]


def test_after_an_answer_that_nobody_asked_for_nothing_is_read(bench: Bench) -> None:
    talk = Talk(bench)

    assert talk.say(LinkCheckReq(), NewChannelAns(True, True), DeviceTimeReq()) == [
        LinkCheckAns(17, 1)
    ]


def test_what_a_repetition_asks_is_answered_again(bench: Bench) -> None:
    """The device repeats, since it has not heard the answer; what it answers itself is no news."""
    talk = Talk(bench, mac_settings={"desired_rx1_delay": 3})
    told = b"".join(map(encode, (DeviceTimeReq(), RXTimingSetupAns())))
    phy = talk.session.protect_uplink(0, 1, b"x", is_confirmed=True, f_opts=told)
    for _ in range(2):
        assert talk.air.send(phy) is None
        talk.air.wait(2)

    answers = [talk._read(each.phy)[0] for each in talk.air.downlinks]
    assert answers == [DeviceTimeAns(1_390_737_618, 0), DeviceTimeAns(1_390_737_620, 64)]


def test_an_answer_that_nobody_could_send_is_not_sent_later(bench: Bench) -> None:
    talk = Talk(bench)
    talk.air.refusal = StackError("pkg/gatewayserver:schedule")
    assert talk.say(LinkCheckReq()) == []
    talk.air.refusal = None

    assert talk.say(DeviceTimeReq()) == [DeviceTimeAns(1_390_737_628, 64)]


def test_ping_slots_are_noted(bench: Bench) -> None:
    talk = Talk(
        bench, supports_class_b=True, mac_settings={"ping_slot_periodicity": "PING_EVERY_1S"}
    )

    assert talk.say(PingSlotInfoReq(4)) == [PingSlotInfoAns()]

    assert talk.state["ping_slot_periodicity"] == "PING_EVERY_16S"


def test_a_bit_in_uplinks_tells_of_class_b(bench: Bench) -> None:
    talk = Talk(
        bench, supports_class_b=True, mac_settings={"ping_slot_periodicity": "PING_EVERY_1S"}
    )

    talk.say(f_ctrl=CLASS_B)
    assert talk.state["device_class"] == "CLASS_B"
    talk.say()

    assert "device_class" not in talk.state


def test_a_deprecated_question_is_not_answered(bench: Bench) -> None:
    talk = Talk(bench)

    talk.say(BeaconTimingReq())

    assert talk.air.downlinks == []


def test_a_device_of_1_1_that_lost_all_starts_again(bench: Bench) -> None:
    talk = Talk(
        bench, version="MAC_V1_1", phy_version="PHY_V1_1_REV_B",
        mac_settings={"desired_rx1_delay": 3},
    )  # fmt: skip
    talk.say()
    talk.say(RXTimingSetupAns())
    assert talk.current["rx1_delay"] == 3

    assert talk.say(ResetInd(1)) == [ResetConf(1), RXTimingSetupReq(3)]

    assert talk.current["rx1_delay"] == 1


@pytest.mark.parametrize(("number", "name"), [(2, "CLASS_C"), (0, None)], ids=["C", "A"])
def test_a_device_of_1_1_tells_its_class(bench: Bench, number: int, name: str | None) -> None:
    talk = Talk(bench, version="MAC_V1_1", phy_version="PHY_V1_1_REV_B", supports_class_c=True)

    assert talk.say(DeviceModeInd(number)) == [DeviceModeConf(number)]

    assert talk.state.get("device_class") == name


def test_a_class_that_a_device_may_not_have_is_not_confirmed(bench: Bench) -> None:
    talk = Talk(bench, version="MAC_V1_1", phy_version="PHY_V1_1_REV_B")

    assert talk.say(DeviceModeInd(2)) == [DeviceModeConf(0)]


# --- events


def test_those_who_listen_hear_of_commands(bench: Bench) -> None:
    talk = Talk(bench, mac_settings={"desired_rx1_delay": 3})
    ids = {"device_ids": {"device_id": "dev1", "application_ids": {"application_id": "app1"}}}
    bench.effects("POST", "/events", {"identifiers": [ids], "names": ["/^ns.mac|^ns.down/"]})
    told: list[Document] = []
    outbox = bench.core.stack.outbox
    core_timer = bench.core.timer

    def timer(key: int, now_us: int) -> Any:
        effects = core_timer(key, now_us)
        told.extend(orjson.loads(e.document)["result"] for e in effects if _is_event(e))
        return effects

    bench.core.timer = timer  # type: ignore[method-assign]
    talk.say()
    talk.say(RXTimingSetupAns())
    assert list(outbox) == []

    assert [each["name"] for each in told] == [
        "ns.down.data.schedule.attempt",
        "ns.down.data.schedule.success",
        "ns.mac.rx_timing_setup.request",
        "ns.mac.rx_timing_setup.answer",
        "ns.down.data.schedule.attempt",
        "ns.down.data.schedule.success",
    ]
    assert told[2]["data"] == {
        "@type": "type.googleapis.com/ttn.lorawan.v3.MACCommand.RxTimingSetupReq",
        "delay": 3,
    }


def _is_event(effect: Any) -> bool:
    return isinstance(effect, StreamDocument)


# --- commands as documents

DOCUMENTS = [
    (LinkADRReq(2, 5, 0x8001, 1, 0), {
        "cid": "CID_LINK_ADR",
        "link_adr_req": {
            "data_rate_index": 5, "tx_power_index": 2, "nb_trans": 1,
            "channel_mask": [True, *[False] * 14, True],
        },
    }),
    (NewChannelReq(3, 867_100_000, 0, 5), {
        "cid": "CID_NEW_CHANNEL",
        "new_channel_req": {
            "channel_index": 3, "frequency": "867100000", "max_data_rate_index": 5,
        },
    }),
    (DutyCycleReq(4), {
        "cid": "CID_DUTY_CYCLE", "duty_cycle_req": {"max_duty_cycle": "DUTY_CYCLE_16"},
    }),
    (TxParamSetupReq(13, True, False), {
        "cid": "CID_TX_PARAM_SETUP",
        "tx_param_setup_req": {"max_eirp_index": "DEVICE_EIRP_30", "uplink_dwell_time": True},
    }),
    (DeviceTimeAns(1_390_737_618, 128), {
        "cid": "CID_DEVICE_TIME", "device_time_ans": {"time": "2024-01-31T12:00:00.500Z"},
    }),
    (ResetConf(1), {"cid": "CID_RESET", "reset_conf": {"minor_version": "MINOR_1"}}),
    (DeviceModeConf(2), {"cid": "CID_DEVICE_MODE", "device_mode_conf": {"class": "CLASS_C"}}),
    (PingSlotInfoAns(), {"cid": "CID_PING_SLOT_INFO"}),
]  # fmt: skip


@pytest.mark.parametrize(("command", "document"), DOCUMENTS)
def test_commands_are_messages_of_the_api(command: MacCommand, document: Document) -> None:
    assert documents.document(command) == document
    assert documents.command(document) == command
