"""Uplinks of a device: frames, windows, repetitions, as literals on a virtual clock."""

from __future__ import annotations

import pytest

from simulators.devices.lorawan.state import Abp
from simulators.devices.lorawan.uplinks import Outcome, UplinkResult
from simulators.devices.lorawan.windows import Timing
from simulators.lorawan.crypto import FOptsCipher, Session
from simulators.lorawan.frames import DataFrame, decode
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.versions import MacVersion

from .network import ABP, DEV_ADDR, KEYS, OTAA, RX2_HZ, Bench, network_session
from .scripted_radio import SF7, SF12

# FCnt 0, ADR, port 15, "hello"; and "hi there!" as downlink 0 on port 15: published vectors.
HELLO = bytes.fromhex("4002c3d4528000000fae02735368a5ef4fcc")
HI_THERE = bytes.fromhex("6002c3d4520000000ff899fded6d0e20374949b4782e")


def test_an_uplink_is_the_published_frame() -> None:
    bench = Bench()

    result = bench.uplink(b"hello", f_port=15)

    assert result == UplinkResult(Outcome.SENT, 0, 1)
    assert [each.payload for each in bench.radio.sent] == [HELLO]
    sent = bench.radio.sent[0]
    assert sent.frequency_hz in (868_100_000, 868_300_000, 868_500_000)
    assert (sent.modulation, sent.power_dbm) == (SF7, 16.0)


def test_windows_open_one_and_two_seconds_after_the_uplink() -> None:
    bench = Bench(timing=Timing(rx_error_us=0, tolerance_ppm=0))

    bench.uplink(b"hello", f_port=15)

    sent = bench.radio.sent[0]
    rx1, rx2 = bench.radio.windows
    # Six symbols in the middle of the preamble: 1024 µs each at SF7, 32 768 µs at SF12.
    assert rx1 == (sent.end_us + 1_001_024, sent.end_us + 1_007_168, sent.frequency_hz, SF7)
    assert rx2 == (sent.end_us + 2_032_768, sent.end_us + 2_229_376, RX2_HZ, SF12)
    assert bench.clock.now_us() == sent.end_us + 2_229_376


def test_a_downlink_in_rx1_keeps_rx2_shut() -> None:
    bench = Bench()
    bench.answer_in_rx1(HI_THERE)

    bench.uplink(b"hello", f_port=15)

    assert bench.seen == [(15, b"hi there!")]
    assert len(bench.radio.windows) == 1


def test_a_downlink_in_rx2_is_taken() -> None:
    bench = Bench()
    bench.answer_in_rx2(HI_THERE)

    bench.uplink(b"hello", f_port=15)

    assert bench.seen == [(15, b"hi there!")]


def test_a_frame_for_somebody_else_in_rx1_does_not_close_rx2() -> None:
    bench = Bench()
    bench.answer_in_rx1(HI_THERE.replace(b"\x52", b"\x53", 1))

    bench.uplink(b"hello", f_port=15)

    assert bench.seen == []
    assert bench.node.tally.ignored == 1
    assert len(bench.radio.windows) == 2


@pytest.mark.parametrize(
    ("late_us", "heard"), [(0, True), (20, True), (-20, True), (21, False), (-21, False)]
)
def test_a_picky_device_hears_what_is_within_20_us(late_us: int, heard: bool) -> None:
    bench = Bench(timing=Timing(accept_us=20))
    bench.answer_in_rx1(HI_THERE, late_us=late_us)

    bench.uplink(b"hello", f_port=15)

    assert bool(bench.seen) is heard


@pytest.mark.parametrize(
    ("late_us", "heard"), [(9_000, True), (-9_000, True), (14_000, False), (-14_000, False)]
)
def test_a_usual_device_hears_what_is_within_10_ms(late_us: int, heard: bool) -> None:
    bench = Bench()
    bench.answer_in_rx1(HI_THERE, late_us=late_us)

    bench.uplink(b"hello", f_port=15)

    assert bool(bench.seen) is heard


def test_a_crystal_that_is_far_off_misses_its_windows() -> None:
    good = Bench(drift_ppm=40, timing=Timing(rx_error_us=0, tolerance_ppm=50))
    bad = Bench(drift_ppm=5000, timing=Timing(rx_error_us=0, tolerance_ppm=50))
    for bench in (good, bad):
        bench.answer_in_rx1(HI_THERE)
        bench.uplink(b"hello", f_port=15)

    assert (good.seen, bad.seen) == ([(15, b"hi there!")], [])


@pytest.mark.parametrize("first", [0, 1])
def test_the_first_counter_is_a_choice(first: int) -> None:
    bench = Bench(first_f_cnt=first)

    results = [bench.uplink(f_port=1).f_cnt for _ in range(3)]

    assert results == [first, first + 1, first + 2]


@pytest.mark.parametrize(
    ("version", "data_rates", "outcome"),
    [
        pytest.param(MacVersion.V1_0_2, [7, 7, 8, 8, 9, 9, 10, 10], "not acknowledged", id="1.0.2"),
        pytest.param(MacVersion.V1_0_3, [7, 7, 8, 8, 9, 9, 10, 10], "not acknowledged", id="1.0.3"),
        pytest.param(MacVersion.V1_0_4, [7, 7, 7], "not acknowledged", id="1.0.4"),
    ],
)
def test_a_confirmed_uplink_is_repeated_as_its_version_says(
    version: MacVersion, data_rates: list[int], outcome: str
) -> None:
    bench = Bench(version=version)
    bench.node.parameters.nb_trans = 3

    result = bench.uplink(b"hello", f_port=15, is_confirmed=True)

    assert [each.modulation.spreading_factor for each in bench.radio.sent] == data_rates
    assert {each.payload for each in bench.radio.sent} == {bench.radio.sent[0].payload}
    assert (result.outcome.value, result.transmissions) == (outcome, len(data_rates))
    gaps_us = [
        later.start_us - sooner.end_us
        for sooner, later in zip(bench.radio.sent, bench.radio.sent[1:], strict=False)
    ]
    assert all(3_000_000 <= gap_us <= 5_000_000 for gap_us in gaps_us)


def test_an_acknowledgement_ends_the_repetitions() -> None:
    bench = Bench()
    bench.answer_in_rx1(network_session().protect_downlink(0, f_ctrl=0x20))

    result = bench.uplink(b"hello", f_port=15, is_confirmed=True)

    assert result == UplinkResult(Outcome.ACKNOWLEDGED, 0, 1)
    assert bench.node.tally.acknowledged == 1


def test_a_downlink_without_acknowledgement_does_not_end_a_confirmed_uplink() -> None:
    bench = Bench(confirmed_tries=2)
    bench.answer_in_rx1(HI_THERE)

    result = bench.uplink(b"hello", f_port=15, is_confirmed=True)

    assert result == UplinkResult(Outcome.NOT_ACKNOWLEDGED, 0, 2)


def test_any_downlink_ends_the_repetitions_of_an_unconfirmed_uplink() -> None:
    bench = Bench()
    bench.node.parameters.nb_trans = 3
    bench.answer_in_rx1(HI_THERE)

    assert bench.uplink(b"hello", f_port=15).transmissions == 1
    assert bench.uplink(b"hello", f_port=15).transmissions == 3


def test_a_confirmed_downlink_is_acknowledged_once_in_the_next_uplink() -> None:
    bench = Bench()
    bench.answer_in_rx1(network_session().protect_downlink(0, 3, b"!", is_confirmed=True))

    for _ in range(3):
        bench.uplink()

    assert [bench.opened(number).ack for number in range(3)] == [False, True, False]


def test_a_repeated_confirmed_downlink_is_dropped() -> None:
    bench = Bench()
    confirmed = network_session().protect_downlink(0, 3, b"!", is_confirmed=True)
    for _ in range(2):
        bench.answer_in_rx1(confirmed)
        bench.uplink()

    assert bench.seen == [(3, b"!")]
    assert bench.node.tally.ignored == 1


def test_a_payload_that_is_too_long_is_not_sent() -> None:
    bench = Bench(data_rate=0)

    assert bench.uplink(bytes(52), f_port=1) == UplinkResult(Outcome.TOO_LONG)
    assert bench.uplink(bytes(51), f_port=1).outcome is Outcome.SENT
    assert [len(each.payload) for each in bench.radio.sent] == [64]


def test_without_a_session_nothing_is_sent() -> None:
    bench = Bench(OTAA)

    assert bench.uplink(b"hello", f_port=15) == UplinkResult(Outcome.NOT_JOINED)
    assert bench.radio.sent == []


def test_strict_off_time_spaces_uplinks() -> None:
    bench = Bench(duty_cycle="off-time")

    for _ in range(3):
        bench.uplink(b"hello", f_port=15)

    # The default channels share a sub-band of 1 %.
    starts = [each.start_us for each in bench.radio.sent]
    airtime_us = bench.radio.sent[0].end_us
    assert starts == [0, 100 * airtime_us, 200 * airtime_us]


def test_a_limit_over_all_channels_is_kept() -> None:
    bench = Bench()
    bench.node.parameters.max_duty_exponent = 10

    for _ in range(2):
        bench.uplink(b"hello", f_port=15)

    assert bench.radio.sent[1].start_us == 1024 * bench.radio.sent[0].end_us


def test_a_data_rate_that_is_no_longer_offered_gives_way() -> None:
    bench = Bench(data_rate=6)

    bench.uplink(b"hello", f_port=15)

    assert bench.radio.sent[0].modulation == SF7


def test_a_counter_that_is_used_up_ends_the_session() -> None:
    bench = Bench(first_f_cnt=0xFFFF_FFFF)

    outcomes = [bench.uplink(b"hello", f_port=15).outcome for _ in range(2)]

    assert outcomes == [Outcome.SENT, Outcome.COUNTER_USED_UP]


def test_without_a_channel_nothing_is_sent() -> None:
    bench = Bench()
    bench.node.parameters.enabled = 0

    result = bench.uplink(b"hello", f_port=15)

    assert (result.outcome, bench.radio.sent) == (Outcome.NO_CHANNEL, [])


def test_a_device_of_1_1_signs_each_repetition_for_its_channel() -> None:
    """As published: FCnt 1, ADR, FOpts RekeyInd, port 1 "hi", data rate 5, channel 2."""
    keys = SessionKeys(
        bytes.fromhex("2df79c048a3ce10fde9bbb53f38c822a"),
        bytes.fromhex("66e5ce396a0bc88705c7ac81dafdc7ae"),
        bytes.fromhex("a8e105a24bc52a5e4eaaa27014660cd8"),
        bytes.fromhex("ed3bc36591434d8a5437860bb831ee38"),
    )
    bench = Bench(Abp(DEV_ADDR, keys), version=MacVersion.V1_1, first_f_cnt=1)
    bench.node.queue.confirm(0x01)
    bench.node.queue.put(bytes.fromhex("0b01"))
    bench.node.parameters.enabled = 0b100

    bench.uplink(b"hi", f_port=1)

    assert bench.radio.sent[0].payload.hex() == "4002c3d4528201001696012a4720918233"


@pytest.mark.parametrize("cipher", FOptsCipher)
def test_options_are_encrypted_in_either_form_of_1_1(cipher: FOptsCipher) -> None:
    bench = Bench(version=MacVersion.V1_1, f_opts_cipher=cipher)

    bench.uplink()

    phy = bench.radio.sent[0].payload
    networks = [Session(DEV_ADDR, KEYS, is_1_1=True, f_opts_cipher=each) for each in FOptsCipher]
    plain = [each.plain(decoded(phy), 0).f_opts.hex() for each in networks]
    assert [each == "0101" for each in plain] == [each is cipher for each in FOptsCipher]


def decoded(phy: bytes) -> DataFrame:
    frame = decode(phy)
    assert isinstance(frame, DataFrame)
    return frame


def test_the_energy_of_an_uplink_is_accounted_by_state() -> None:
    bench = Bench(timing=Timing(rx_error_us=0, tolerance_ppm=0))

    bench.uplink(b"hello", f_port=15)

    report = bench.node.energy_report()
    # 18 bytes at SF7; two windows of six symbols; the radio wakes up three times for 3 ms.
    assert report.transmit_s == 0.051456
    assert report.receive_s == pytest.approx(0.006144 + 0.196608)
    assert report.standby_s == pytest.approx(0.009)
    total_s = report.sleep_s + report.standby_s + report.receive_s + report.transmit_s
    assert total_s == pytest.approx(bench.clock.now_us() / 1e6)


def test_identity_of_the_bench_is_the_published_one() -> None:
    assert ABP == (DEV_ADDR, KEYS, "0000000000000000")
