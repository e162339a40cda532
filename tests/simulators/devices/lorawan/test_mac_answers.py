"""MAC commands from the network: what the device does, what it answers, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.devices.lorawan.mac_queue import STICKY, MacQueue
from simulators.lorawan.mac_commands import (
    ADRParamSetupReq,
    BeaconFreqReq,
    DeviceTimeReq,
    DevStatusReq,
    DlChannelReq,
    DutyCycleReq,
    LinkADRReq,
    LinkCheckReq,
    MacCommand,
    NewChannelReq,
    PingSlotChannelReq,
    RejoinParamSetupReq,
    RXParamSetupReq,
    RXTimingSetupReq,
    TxParamSetupReq,
    encode,
)
from simulators.lorawan.versions import MacVersion

from .network import ABP, Bench, Trace

ALL = (MacVersion.V1_0_1, MacVersion.V1_0_2, MacVersion.V1_0_3, MacVersion.V1_0_4, MacVersion.V1_1)


def settled(version: MacVersion = MacVersion.V1_0_3, **options: Any) -> Bench:
    """A device whose ResetInd, in 1.1, has been confirmed."""
    bench = Bench(ABP, version=version, **options)
    bench.node.queue.confirm(0x01)
    return bench


def answers(bench: Bench, *commands: MacCommand, f_cnt: int = 0) -> str:
    """What the device answers in the uplink after the one that brought the commands."""
    bench.command(*[encode(each) for each in commands], f_cnt=f_cnt)
    return bench.uplink_options().hex()


def link_adr(data_rate: int = 5, power: int = 1, mask: int = 7, nb: int = 1, cntl: int = 0) -> Any:
    return LinkADRReq(power, data_rate, mask, nb, cntl)


@pytest.mark.parametrize(
    ("commands", "answer"),
    [
        pytest.param([DutyCycleReq(4)], "04", id="DutyCycle"),
        pytest.param([DevStatusReq()], "06ff05", id="DevStatus"),
        pytest.param([RXTimingSetupReq(5)], "08", id="RXTimingSetup"),
        pytest.param([RXParamSetupReq(3, 2, 869_525_000)], "0507", id="RXParamSetup"),
        pytest.param([RXParamSetupReq(3, 2, 915_000_000)], "0506", id="RX2 frequency refused"),
        pytest.param([RXParamSetupReq(9, 2, 869_525_000)], "0505", id="RX2 data rate refused"),
        pytest.param([RXParamSetupReq(3, 7, 869_525_000)], "0503", id="RX1 offset refused"),
        pytest.param([NewChannelReq(3, 867_100_000, 0, 5)], "0703", id="NewChannel"),
        pytest.param([NewChannelReq(3, 915_000_000, 0, 5)], "0702", id="frequency refused"),
        pytest.param([NewChannelReq(3, 867_100_000, 5, 0)], "0701", id="data rates refused"),
        pytest.param([NewChannelReq(1, 867_100_000, 0, 5)], "0700", id="default channel refused"),
        pytest.param([NewChannelReq(16, 867_100_000, 0, 5)], "0700", id="no such channel"),
        pytest.param([DlChannelReq(1, 869_100_000)], "0a03", id="DlChannel"),
        pytest.param([DlChannelReq(5, 869_100_000)], "0a01", id="DlChannel without uplink"),
        pytest.param([DlChannelReq(1, 915_000_000)], "0a02", id="DlChannel frequency refused"),
        pytest.param([TxParamSetupReq(5, True, True)], "", id="TxParamSetup outside its regions"),
        pytest.param([PingSlotChannelReq(869_525_000, 3)], "1103", id="PingSlotChannel"),
        pytest.param([PingSlotChannelReq(0, 3)], "1103", id="the region's ping slots"),
        pytest.param([PingSlotChannelReq(915_000_000, 9)], "1100", id="ping slots refused"),
        pytest.param([BeaconFreqReq(869_525_000)], "1301", id="BeaconFreq"),
        pytest.param([BeaconFreqReq(915_000_000)], "1300", id="BeaconFreq refused"),
        pytest.param(
            [DevStatusReq(), RXTimingSetupReq(1), DutyCycleReq(0)], "06ff050804", id="in order"
        ),
        pytest.param([link_adr()], "0307", id="LinkADR"),
        pytest.param([link_adr(mask=0b1000)], "0306", id="undefined channel"),
        pytest.param([link_adr(mask=0)], "0306", id="no channel left"),
        pytest.param([link_adr(cntl=5)], "0306", id="unknown ChMaskCntl"),
        pytest.param([link_adr(mask=0, cntl=6)], "0307", id="all channels on"),
        pytest.param([link_adr(data_rate=6)], "0305", id="no such data rate"),
        pytest.param([link_adr(power=8)], "0303", id="no such power"),
        pytest.param([link_adr(data_rate=6, power=9, mask=0)], "0300", id="nothing right"),
    ],
)
def test_commands_and_their_answers(commands: list[MacCommand], answer: str) -> None:
    assert answers(settled(), *commands) == answer


@pytest.mark.parametrize(
    ("version", "answer"),
    [
        (MacVersion.V1_0_1, "030703060307"),
        (MacVersion.V1_0_2, "030603060306"),
        (MacVersion.V1_0_3, "030603060306"),
        (MacVersion.V1_0_4, "030603060306"),
        (MacVersion.V1_1, "0306"),
    ],
)
def test_a_block_with_a_bad_mask_is_judged_as_its_version_says(
    version: MacVersion, answer: str
) -> None:
    """Singly up to 1.0.1; then as a block, with identical answers; in 1.1 with one."""
    bench = settled(version)

    told = answers(bench, link_adr(), link_adr(mask=0b1000), link_adr(data_rate=3))

    assert told == answer
    changed = 3 if version is MacVersion.V1_0_1 else 5
    assert bench.node.parameters.data_rate == changed


@pytest.mark.parametrize("version", ALL)
def test_masks_add_up_and_the_last_request_has_the_rest(version: MacVersion) -> None:
    bench = settled(version, region_name="US915", data_rate=0)

    answers(
        bench,
        link_adr(data_rate=0, power=0, mask=0, cntl=7),
        link_adr(data_rate=2, power=5, mask=0xFF00, nb=2, cntl=0),
    )

    parameters = bench.node.parameters
    # Up to 1.0.1 the first request, which leaves no channel, is refused by itself.
    all_but_8 = (1 << 72) - 1 & ~0xFF
    assert parameters.enabled == (all_but_8 if version is MacVersion.V1_0_1 else 0xFF00)
    assert (parameters.data_rate, parameters.tx_power, parameters.nb_trans) == (2, 5, 2)


@pytest.mark.parametrize(
    ("version", "answer", "kept"),
    [
        (MacVersion.V1_0_3, "0301", False),
        (MacVersion.V1_0_4, "0307", True),
        (MacVersion.V1_1, "0307", True),
    ],
)
def test_fifteen_keeps_what_there_is_from_1_0_4_on(
    version: MacVersion, answer: str, kept: bool
) -> None:
    bench = settled(version)
    bench.node.parameters.tx_power = 2

    assert answers(bench, link_adr(data_rate=15, power=15, mask=1, nb=0)) == answer
    parameters = bench.node.parameters
    assert (parameters.data_rate, parameters.tx_power, parameters.nb_trans) == (5, 2, 1)
    assert parameters.enabled == (1 if kept else 7)


def test_us915_keeps_two_channels_to_hop_in() -> None:
    """One narrow channel alone is refused; one wide channel will do."""
    narrow = answers(
        settled(region_name="US915", data_rate=0),
        link_adr(data_rate=0, power=0, mask=0, cntl=7),
        link_adr(data_rate=0, power=0, mask=0x0100, cntl=0),
    )
    wide = answers(settled(region_name="US915", data_rate=0), link_adr(data_rate=4, mask=2, cntl=7))

    assert (narrow, wide) == ("03050305", "0307")


def test_us915_switches_banks() -> None:
    bench = settled(region_name="US915", data_rate=0)

    assert answers(bench, link_adr(data_rate=3, mask=0b10, cntl=5)) == "0307"
    assert bench.node.parameters.enabled == 0xFF << 8 | 1 << 65


def test_without_adr_only_the_channels_are_taken() -> None:
    bench = settled(adr=False, data_rate=3)

    assert answers(bench, link_adr(data_rate=5, power=5, mask=1, nb=3)) == "0307"
    parameters = bench.node.parameters
    assert (parameters.data_rate, parameters.tx_power, parameters.nb_trans) == (3, 0, 1)
    assert parameters.enabled == 1


def test_a_second_block_is_left_out_by_choice() -> None:
    requests = (link_adr(), DevStatusReq(), link_adr(data_rate=3))

    assert answers(settled(), *requests) == "030706ff050307"
    assert answers(settled(first_link_adr_block_only=True), *requests) == "030706ff05"


@pytest.mark.parametrize("command", [NewChannelReq(3, 923_300_000, 0, 3), DlChannelReq(1, 0)])
def test_fixed_plans_do_not_answer_what_they_do_not_have(command: MacCommand) -> None:
    assert answers(settled(region_name="US915"), command) == ""


def test_as923_takes_dwell_times_and_power() -> None:
    bench = settled(region_name="AS923", data_rate=2)

    assert answers(bench, TxParamSetupReq(2, True, False)) == "09"
    parameters = bench.node.parameters
    assert (parameters.uplink_dwell, parameters.downlink_dwell) == (True, False)
    assert parameters.max_eirp_dbm == 12
    assert bench.radio.sent[-1].power_dbm == 12


def test_a_dwell_time_raises_a_data_rate_that_is_too_slow() -> None:
    bench = settled(region_name="AS923", data_rate=2)
    answers(bench, TxParamSetupReq(5, False, False))
    bench.node.parameters.data_rate = 0

    answers(bench, TxParamSetupReq(5, True, True), f_cnt=1)

    assert bench.node.parameters.data_rate == 2


def test_windows_follow_once_the_answer_is_sent() -> None:
    bench = settled()
    answers(bench, RXTimingSetupReq(3), RXParamSetupReq(3, 2, 869_525_000))

    sent, (rx1, rx2) = bench.radio.sent[-1], bench.radio.windows[-2:]

    assert sent.end_us + 2_900_000 < rx1.open_us < sent.end_us + 3_000_000
    assert (rx1.modulation.spreading_factor, rx2.modulation.spreading_factor) == (9, 9)
    assert rx2.frequency_hz == 869_525_000


def test_a_channel_is_answered_where_the_network_said() -> None:
    bench = settled()
    answers(bench, DlChannelReq(0, 869_100_000))
    bench.node.parameters.enabled = 1

    bench.uplink()

    assert bench.radio.sent[-1].frequency_hz == 868_100_000
    assert bench.radio.windows[-2].frequency_hz == 869_100_000


def test_a_new_channel_is_used_and_can_be_taken_away() -> None:
    bench = settled()
    answers(bench, NewChannelReq(3, 867_100_000, 0, 5))
    bench.node.parameters.enabled = 0b1000
    bench.uplink()
    used_hz = bench.radio.sent[-1].frequency_hz

    answers(bench, NewChannelReq(3, 0, 0, 5), f_cnt=1)

    assert used_hz == 867_100_000
    assert bench.node.parameters.enabled == 0b111  # the default ones, for none was left


@pytest.mark.parametrize(
    ("version", "command", "answer"),
    [
        (MacVersion.V1_0_1, DlChannelReq(1, 869_100_000), ""),
        (MacVersion.V1_0_2, DlChannelReq(1, 869_100_000), "0a03"),
        (MacVersion.V1_0_4, ADRParamSetupReq(3, 4), ""),
        (MacVersion.V1_1, ADRParamSetupReq(3, 4), "0c"),
        (MacVersion.V1_0_4, RejoinParamSetupReq(1, 2), ""),
        (MacVersion.V1_1, RejoinParamSetupReq(1, 2), "0f01"),
    ],
)
def test_commands_of_later_versions_are_unknown(
    version: MacVersion, command: MacCommand, answer: str
) -> None:
    assert answers(settled(version), command) == answer


def test_adr_parameters_are_powers_of_two() -> None:
    bench = settled(MacVersion.V1_1)
    answers(bench, ADRParamSetupReq(3, 4))

    assert (bench.node.parameters.adr_ack_limit, bench.node.parameters.adr_ack_delay) == (16, 8)


def test_reading_stops_at_an_unknown_command() -> None:
    bench = settled()
    bench.command(b"\x06", b"\x80", b"\x04\x03", f_cnt=0)

    assert bench.uplink_options().hex() == "06ff05"
    assert bench.node.parameters.max_duty_exponent == 0


@pytest.mark.parametrize(
    ("snr_db", "margin"), [(-1.0, "3f"), (-20.0, "2c"), (31.4, "1f"), (90.0, "1f"), (-90.0, "20")]
)
def test_the_margin_is_the_snr_in_twos_complement(snr_db: float, margin: str) -> None:
    bench = settled(battery=254)
    bench.radio.snr_db = snr_db

    assert answers(bench, DevStatusReq()) == f"06fe{margin}"


@pytest.mark.parametrize(
    ("sticky", "command", "repeated"),
    [
        ("spec", RXTimingSetupReq(1), True),
        ("spec", RXParamSetupReq(0, 0, 869_525_000), True),
        ("spec", DlChannelReq(0, 868_100_000), True),
        ("spec", DevStatusReq(), False),
        ("spec", PingSlotChannelReq(0, 3), False),
        ("loramac-node", PingSlotChannelReq(0, 3), True),
        ("loramac-node", RXTimingSetupReq(1), True),
        ("loramac-node", DevStatusReq(), False),
    ],
)
def test_some_answers_are_repeated_until_a_downlink(
    sticky: str, command: MacCommand, repeated: bool
) -> None:
    bench = settled(sticky=STICKY[sticky])
    first = answers(bench, command)
    second, third = (bench.uplink_options().hex() for _ in range(2))

    bench.command(f_cnt=1)

    assert second == third == (first if repeated else "")
    assert bench.uplink_options() == b""


def test_commands_on_port_0_are_carried_out_too() -> None:
    bench = settled()
    session = bench.node.session
    assert session is not None
    bench.answer_in_rx1(session.crypto.protect_downlink(0, 0, b"\x06\x04\x02"))
    bench.uplink()

    assert bench.uplink_options().hex() == "06ff0504"


def test_more_than_fifteen_bytes_go_first_in_a_frame_of_their_own() -> None:
    bench = settled()
    bench.command(*[encode(DevStatusReq())] * 6, f_cnt=0)

    bench.uplink(b"hello", f_port=15)

    own, data = bench.opened(-2), bench.opened(-1)
    assert (own.f_port, own.frm_payload.hex()) == (0, "06ff05" * 6)
    assert (own.f_cnt, data.f_cnt) == (1, 2)
    assert (data.f_port, data.frm_payload, data.f_opts) == (15, b"hello", b"")


def test_an_empty_uplink_becomes_that_frame() -> None:
    bench = settled()
    bench.command(*[encode(DevStatusReq())] * 6, f_cnt=0)
    before = len(bench.radio.sent)

    bench.uplink()

    assert len(bench.radio.sent) == before + 1
    assert bench.opened(-1).frm_payload.hex() == "06ff05" * 6


def test_answers_keep_their_order_over_several_frames() -> None:
    bench = settled(data_rate=0)
    for number in range(40):
        bench.node.queue.put(bytes((0x06, number, 5)))

    for _ in range(3):
        bench.uplink()

    told = b"".join(bench.opened(number).frm_payload for number in range(3))
    assert list(told[1::3]) == list(range(40))


def test_many_sticky_answers_are_repeated_in_a_frame_of_their_own() -> None:
    bench = settled()
    for _ in range(8):
        bench.node.queue.put(bytes.fromhex("0a03"))

    for _ in range(2):
        bench.uplink(b"hello", f_port=15)

    assert [bench.opened(number).f_port for number in range(4)] == [0, 15, 0, 15]


def test_a_network_that_asks_without_end_fills_no_memory() -> None:
    bench = settled()
    for f_cnt in range(4):
        bench.command(*[encode(DevStatusReq())] * 15, f_cnt=f_cnt)
        bench.node.queue.put(b"\x02")
    for _ in range(100):
        bench.node.queue.put(b"\x02")

    assert len(bench.node.queue) < 64 * 3


def test_what_does_not_fit_beside_the_payload_waits() -> None:
    bench = settled(data_rate=0)
    bench.command(*[encode(DevStatusReq())] * 3, f_cnt=0)

    bench.uplink(bytes(47), f_port=1)
    bench.uplink(bytes(47), f_port=1)

    assert [bench.opened(number).f_opts.hex() for number in (-2, -1)] == ["06ff05", "06ff05"]
    assert [len(each.payload) for each in bench.radio.sent[-2:]] == [63, 63]


def test_answers_to_questions_of_the_device() -> None:
    bench = settled()
    bench.node.request(LinkCheckReq())
    bench.node.request(DeviceTimeReq())
    asked = bench.uplink_options().hex()

    bench.command(bytes.fromhex("021403"), bytes.fromhex("0d0002964980"), f_cnt=0)

    assert asked == "020d"
    assert bench.node.link_check == (20, 3)
    time = bench.node.time
    assert time is not None
    # Of the end of the uplink that this one answered.
    assert time[:2] == (bench.radio.sent[-1].end_us, 1_234_567_680_500_000)


def test_commands_stand_in_the_trace_by_name() -> None:
    trace = Trace()
    bench = settled(trace=trace)

    answers(bench, DevStatusReq(), link_adr())

    told = [message["mac"] for _, _, _, message in trace.events if "mac" in message]
    assert told == [["DevStatusReq", "LinkADRReq"], ["DevStatusAns", "LinkADRAns"]]


def test_the_queue_takes_whole_commands_in_order() -> None:
    queue = MacQueue(STICKY["spec"])
    for command in ("06ff05", "0507", "0307", "08"):
        queue.put(bytes.fromhex(command))

    assert len(queue) == 8
    assert queue.take(6).hex() == "06ff050507"
    assert queue.take(15).hex() == "0507030708"
    assert queue.take(15).hex() == "050708"
    queue.downlink_came()
    assert queue.take(15) == b""
