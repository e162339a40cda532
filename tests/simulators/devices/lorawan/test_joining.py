"""Joins: the request, nonces per version, what a join accept sets, and why one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.devices.lorawan.join_report import JoinReport, Outcome
from simulators.lorawan.cf_list import ChannelMasks, Frequencies, encode_cf_list
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.join import open_request
from simulators.lorawan.keys import RootKeys
from simulators.lorawan.modulation import Lora, datr
from simulators.lorawan.versions import MacVersion

from .network import (
    ABP,
    APP_KEY,
    DEV_ADDR,
    DEV_EUI,
    JOIN_EUI,
    NWK_KEY,
    OTAA,
    OTAA_1_1,
    RX2_HZ,
    Bench,
    Trace,
    join_accept,
)
from .scripted_radio import SF7, SF12, Sent

JOIN_REQUEST_2 = "0000000000bbffffffefbeaddeaaffffff02003122b6c0"
ROOT = RootKeys(APP_KEY)
RX2_US = Lora(12, 500_000)


def answer_joins(bench: Bench, root: RootKeys, *, late_us: int = 0, **fields: Any) -> None:
    """Have every join request answered in RX1, with rising join nonces."""
    join_nonces = iter(range(fields.pop("join_nonce", 1), 0x1_000_000))

    def answer(sent: Sent) -> None:
        if sent.payload[0]:
            return
        nonce = int.from_bytes(sent.payload[17:19], "little")
        phy = join_accept(root, nonce, next(join_nonces), **fields)
        start_us = sent.end_us + 5_000_000 + late_us
        bench.radio.put_on_air(phy, start_us, sent.frequency_hz, sent.modulation)

    bench.radio.on_uplink = answer


def test_a_join_request_is_the_published_frame() -> None:
    bench = Bench(OTAA, version=MacVersion.V1_0_4)
    bench.node.nonces.dev_nonce = 1

    bench.do(bench.node.join(most=1))

    assert [each.payload.hex() for each in bench.radio.sent] == [JOIN_REQUEST_2]


def test_a_device_of_1_1_signs_with_its_nwk_key() -> None:
    bench = Bench(OTAA_1_1, version=MacVersion.V1_1)
    bench.node.nonces.dev_nonce = 2

    bench.do(bench.node.join(most=1))

    published = "0000000000bbffffffefbeaddeaaffffff0300d7058971"
    assert [each.payload.hex() for each in bench.radio.sent] == [published]


def test_windows_of_a_join_open_after_five_and_six_seconds() -> None:
    bench = Bench(OTAA)

    bench.do(bench.node.join(most=1))

    sent = bench.radio.sent[0]
    rx1, rx2 = bench.radio.windows
    assert 4_980_000 < rx1.open_us - sent.end_us < 5_000_000 < rx1.close_us - sent.end_us
    assert (rx1.frequency_hz, rx1.modulation) == (sent.frequency_hz, sent.modulation)
    assert 5_980_000 < rx2.open_us - sent.end_us < 6_100_000
    assert (rx2.frequency_hz, rx2.modulation) == (RX2_HZ, SF12)


def test_a_published_join_accept_gives_the_published_keys() -> None:
    bench = Bench(OTAA, version=MacVersion.V1_0_4)
    bench.node.nonces.dev_nonce = 1
    bench.answer_in_rx1(bytes.fromhex("206e2d4b19e9195240ea260881a8037f2a"), delay_s=5)

    report = bench.do(bench.node.join(most=1))

    assert report == JoinReport(True, 1, ())
    session = bench.node.session
    assert session is not None
    assert (session.dev_addr, session.net_id) == (DEV_ADDR, "000001")
    assert session.crypto.keys.f_nwk_s_int_key.hex() == "26f623132a659924d9afccf1671cd6fb"
    assert session.crypto.keys.app_s_key.hex() == "4477a56225a6d5edb0315021522a6708"


def test_a_published_join_accept_of_1_1_gives_the_published_keys() -> None:
    bench = Bench(OTAA_1_1, version=MacVersion.V1_1)
    bench.node.nonces.dev_nonce = 2
    bench.answer_in_rx1(bytes.fromhex("20295ab63dc5d1a85a2289386fb8c4dd90"), delay_s=5)

    bench.do(bench.node.join(most=1))

    session = bench.node.session
    assert session is not None
    assert session.crypto.is_1_1
    assert [key.hex() for key in session.crypto.keys] == [
        "2df79c048a3ce10fde9bbb53f38c822a",
        "66e5ce396a0bc88705c7ac81dafdc7ae",
        "a8e105a24bc52a5e4eaaa27014660cd8",
        "ed3bc36591434d8a5437860bb831ee38",
    ]
    assert bench.node.parameters.rx1_delay_s == 5
    assert bench.uplink_options() == bytes.fromhex("0b01")  # RekeyInd


def test_rekeying_is_repeated_until_confirmed() -> None:
    bench = Bench(OTAA_1_1, version=MacVersion.V1_1)
    answer_joins(bench, OTAA_1_1.root, opt_neg=True)
    bench.do(bench.node.join())
    bench.radio.on_uplink = None
    before = [bench.uplink_options() for _ in range(2)]

    bench.command(bytes.fromhex("0b01"), f_cnt=0)

    assert before == [bytes.fromhex("0b01")] * 2
    assert bench.uplink_options() == b""


def test_a_device_that_is_never_confirmed_joins_again() -> None:
    bench = Bench(OTAA_1_1, version=MacVersion.V1_1)
    answer_joins(bench, OTAA_1_1.root, opt_neg=True)
    bench.do(bench.node.join())

    outcomes = [bench.uplink().outcome.value for _ in range(65)]

    assert outcomes == ["sent"] * 64 + ["not joined"]


def test_a_1_1_device_falls_back_in_an_older_network() -> None:
    bench = Bench(OTAA_1_1, version=MacVersion.V1_1)
    answer_joins(bench, RootKeys(NWK_KEY))

    bench.do(bench.node.join())

    session = bench.node.session
    assert session is not None
    assert (session.version, session.crypto.is_1_1) == (MacVersion.V1_0_3, False)
    assert bench.uplink_options() == b""


def test_an_older_network_draws_the_join_nonces_of_a_1_1_device() -> None:
    bench = Bench(OTAA_1_1, version=MacVersion.V1_1)
    bench.node.nonces.join_nonce = 5000

    report = one_join(bench, RootKeys(NWK_KEY), join_nonce=77)

    assert report.is_joined


def test_old_versions_draw_their_nonces() -> None:
    nonces = sent_nonces(Bench(OTAA, version=MacVersion.V1_0_3), 6)

    assert len(set(nonces)) == 6
    assert nonces != sorted(nonces)


@pytest.mark.parametrize("version", [MacVersion.V1_0_4, MacVersion.V1_1])
def test_new_versions_count_their_nonces(version: MacVersion) -> None:
    bench = Bench(OTAA_1_1 if version is MacVersion.V1_1 else OTAA, version=version)

    assert sent_nonces(bench, 4) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("kept", "next_nonce"),
    [(frozenset(("dev_nonce",)), 4), (frozenset(), 0)],
    ids=["kept", "lost"],
)
def test_a_counted_nonce_survives_a_reboot_by_choice(kept: frozenset[str], next_nonce: int) -> None:
    bench = Bench(OTAA, version=MacVersion.V1_0_4, kept=kept)
    sent_nonces(bench, 4)

    bench.node.reboot()

    assert sent_nonces(bench, 1) == [next_nonce]


def sent_nonces(bench: Bench, count: int) -> list[int]:
    already = len(bench.radio.sent)
    bench.do(bench.node.join(most=count))
    return [int.from_bytes(each.payload[17:19], "little") for each in bench.radio.sent[already:]]


def test_a_device_without_nonces_left_says_so() -> None:
    bench = Bench(OTAA, version=MacVersion.V1_0_4)
    bench.node.nonces.dev_nonce = 0xFFFF

    report = bench.do(bench.node.join())

    assert report.explain() == "not sent after 0 requests: every DevNonce has been used"
    assert bench.radio.sent == []


def test_a_join_accept_sets_delay_offset_rx2_and_channels() -> None:
    bench = Bench(OTAA)
    frequencies = (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
    cf_list = encode_cf_list(Frequencies(frequencies))
    answer_joins(
        bench, ROOT, rx_delay=5, rx1_data_rate_offset=2, rx2_data_rate_index=3, cf_list=cf_list
    )

    bench.do(bench.node.join())

    parameters = bench.node.parameters
    assert (parameters.rx1_delay_s, parameters.rx1_offset) == (5, 2)
    assert parameters.rx2 == (RX2_HZ, 3)
    assert [each.frequency_hz for each in parameters.plan.channels if each] == [
        868_100_000,
        868_300_000,
        868_500_000,
        *frequencies,
    ]
    assert parameters.enabled == 0xFF


def test_a_list_of_masks_chooses_among_fixed_channels() -> None:
    bench = Bench(OTAA, region_name="US915")
    root = RootKeys(APP_KEY)
    masks = ChannelMasks((0xFF00, 0, 0, 0, 0x0002))

    def answer(sent: Sent) -> None:
        nonce = int.from_bytes(sent.payload[17:19], "little")
        phy = join_accept(root, nonce, cf_list=encode_cf_list(masks), rx2_data_rate_index=8)
        bench.radio.put_on_air(phy, sent.end_us + 6_000_000, 923_300_000, RX2_US)

    bench.radio.on_uplink = answer

    bench.do(bench.node.join())

    assert bench.node.parameters.enabled == 0xFF << 8 | 1 << 65


def test_a_list_of_the_wrong_type_is_ignored() -> None:
    trace = Trace()
    bench = Bench(OTAA, trace=trace)
    answer_joins(bench, ROOT, cf_list=encode_cf_list(ChannelMasks((0xFF,))))

    bench.do(bench.node.join())

    assert bench.node.parameters.enabled == 0b111
    joined = trace.events[-1][-1]
    assert (joined["outcome"], joined["detail"]) == (
        "joined",
        "CFList ignored: type 1 in EU868",
    )


@pytest.mark.parametrize(
    ("fields", "outcome", "detail"),
    [
        ({"rx1_data_rate_offset": 6}, Outcome.SETTINGS_REFUSED, "RX1DROffset 6"),
        ({"rx2_data_rate_index": 9}, Outcome.SETTINGS_REFUSED, "RX2 data rate DR9"),
    ],
)
def test_settings_that_the_region_does_not_have_are_refused(
    fields: dict[str, int], outcome: Outcome, detail: str
) -> None:
    report = one_join(Bench(OTAA), ROOT, **fields)

    assert (report.most_telling.outcome, report.most_telling.detail) == (outcome, detail)


def test_us915_refuses_an_rx2_data_rate_that_only_uplinks_have() -> None:
    """As LoRaMac-node does: a join accept with DR0 for RX2 is not taken."""
    bench = Bench(OTAA, region_name="US915")

    def answer(sent: Sent) -> None:
        nonce = int.from_bytes(sent.payload[17:19], "little")
        phy = join_accept(ROOT, nonce, rx2_data_rate_index=0)
        bench.radio.put_on_air(phy, sent.end_us + 6_000_000, 923_300_000, RX2_US)

    bench.radio.on_uplink = answer
    report = bench.do(bench.node.join(most=1))

    assert report.explain() == "settings refused after 1 request: RX2 data rate DR0"
    assert not bench.node.is_joined


def one_join(bench: Bench, root: RootKeys, **fields: Any) -> Any:
    answer_joins(bench, root, **fields)
    return bench.do(bench.node.join(most=1))


def test_nobody_answers() -> None:
    report = Bench(OTAA)
    told = report.do(report.node.join(most=3))

    assert told.explain() == "no answer after 3 requests"
    assert [each.outcome for each in told.attempts] == [Outcome.NO_ANSWER] * 3


@pytest.mark.parametrize(
    ("late_us", "detail", "window"),
    [
        (-1_000_000, "1000000 µs too early for RX1", "RX1"),
        (200_000, "200000 µs too late for RX1", "RX1"),
    ],
)
def test_an_answer_outside_the_window_is_noticed_by_who_listens_all_the_time(
    late_us: int, detail: str, window: str
) -> None:
    wide = one_join(Bench(OTAA, wide_join_windows=True), ROOT, late_us=late_us)
    usual = one_join(Bench(OTAA), ROOT, late_us=late_us)

    told = wide.most_telling
    assert (told.outcome, told.detail) == (Outcome.OUTSIDE_WINDOW, detail)
    assert (told.window, told.off_us) == (window, late_us)
    assert usual.explain() == "no answer after 1 request"


def test_who_listens_all_the_time_joins_as_the_others_do() -> None:
    bench = Bench(OTAA, wide_join_windows=True)

    assert one_join(bench, ROOT).is_joined


@pytest.mark.parametrize(
    ("identity", "version", "root", "fields", "detail"),
    [
        pytest.param(
            OTAA,
            MacVersion.V1_0_3,
            RootKeys(bytes(16)),
            {},
            "the network has another root key, or the answer was for another device",
            id="another key",
        ),
        pytest.param(
            OTAA,
            MacVersion.V1_0_3,
            RootKeys(APP_KEY[::-1]),
            {},
            "the key is byte-reversed in the network",
            id="key reversed",
        ),
        pytest.param(
            OTAA,
            MacVersion.V1_0_3,
            RootKeys(APP_KEY, APP_KEY),
            {"opt_neg": True},
            "the network answers as 1.1, the device is 1.0.x",
            id="1.1 for 1.0.x",
        ),
        pytest.param(
            OTAA_1_1,
            MacVersion.V1_1,
            RootKeys(NWK_KEY, APP_KEY),
            {"opt_neg": True},
            "AppKey and NwkKey are swapped in the network",
            id="keys swapped",
        ),
        pytest.param(
            OTAA_1_1,
            MacVersion.V1_1,
            RootKeys(APP_KEY),
            {},
            "the network signs with the AppKey, as 1.0.x does",
            id="AppKey",
        ),
    ],
)
def test_a_wrong_mic_is_explained(
    identity: Any, version: MacVersion, root: RootKeys, fields: dict[str, Any], detail: str
) -> None:
    report = one_join(Bench(identity, version=version), root, **fields)

    assert (report.most_telling.outcome, report.most_telling.detail) == (
        Outcome.WRONG_MIC,
        detail,
    )
    assert not report.is_joined


def test_an_answer_to_an_earlier_request_is_explained_in_1_1() -> None:
    bench = Bench(OTAA_1_1, version=MacVersion.V1_1)
    late = join_accept(OTAA_1_1.root, 0, opt_neg=True)

    def answer_second(sent: Sent) -> None:
        if sent.payload[17] == 1:
            start_us = sent.end_us + 5_000_000
            bench.radio.put_on_air(late, start_us, sent.frequency_hz, sent.modulation)

    bench.radio.on_uplink = answer_second
    report = bench.do(bench.node.join(most=2))

    assert report.most_telling.detail == "it answers an earlier request, with DevNonce 0"


def test_a_frame_that_is_no_join_accept_is_told() -> None:
    bench = Bench(OTAA)
    bench.answer_in_rx1(bytes.fromhex("6002c3d4520000000ff899fded6d0e20374949b4782e"), delay_s=5)

    report = bench.do(bench.node.join(most=1))

    assert report.explain() == "not a join accept after 1 request: byte 0: expected a join accept"


@pytest.mark.parametrize(
    ("version", "joins"), [(MacVersion.V1_0_3, True), (MacVersion.V1_0_4, False)]
)
def test_a_join_nonce_must_grow_from_1_0_4_on(version: MacVersion, joins: bool) -> None:
    bench = Bench(OTAA, version=version)
    bench.node.nonces.join_nonce = 7

    report = one_join(bench, ROOT, join_nonce=7)

    assert report.is_joined is joins
    if not joins:
        assert report.explain() == "join nonce not greater after 1 request: 7 after 7"


def test_the_most_telling_attempt_speaks() -> None:
    bench = Bench(OTAA)
    bad = join_accept(RootKeys(bytes(16)), 0)
    bench.answer_in_rx1(bad, delay_s=5)

    report = bench.do(bench.node.join(most=4))

    assert report.explain().startswith("MIC wrong after 4 requests: ")
    assert [each.outcome.value for each in report.attempts] == ["MIC wrong", *["no answer"] * 3]


def test_requests_go_down_the_ladder_of_data_rates_and_round_again() -> None:
    bench = Bench(OTAA)

    bench.do(bench.node.join(most=14))

    factors = [each.modulation.spreading_factor for each in bench.radio.sent]
    assert factors == [7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 7, 7]


def test_a_fixed_data_rate_is_kept() -> None:
    bench = Bench(OTAA, join_data_rate=2)

    bench.do(bench.node.join(most=3))

    assert [each.modulation.spreading_factor for each in bench.radio.sent] == [10, 10, 10]


def test_us915_takes_one_bank_after_the_other_and_then_a_wide_channel() -> None:
    bench = Bench(OTAA, region_name="US915")

    bench.do(bench.node.join(most=18))

    channels = [round((each.frequency_hz - 902_300_000) / 200_000) for each in bench.radio.sent]
    narrow = channels[:8] + channels[9:17]
    assert [channel // 8 for channel in narrow] == [*range(8), *range(8)]
    assert [bench.radio.sent[number].frequency_hz for number in (8, 17)] == [
        903_000_000,
        904_600_000,
    ]
    assert [datr(each.modulation) for each in bench.radio.sent[7:9]] == ["SF10BW125", "SF8BW500"]


def test_a_device_set_up_for_one_bank_joins_there() -> None:
    bench = Bench(OTAA, region_name="US915", channels=(*range(8, 16), 65))

    bench.do(bench.node.join(most=4))

    frequencies = [each.frequency_hz for each in bench.radio.sent]
    assert frequencies[1] == frequencies[3] == 904_600_000
    assert all(903_900_000 <= each <= 905_300_000 for each in (frequencies[0], frequencies[2]))


def test_the_budget_of_joins_is_kept() -> None:
    bench = Bench(OTAA, join_data_rate=0)

    bench.do(bench.node.join(most=26))

    starts_s = [each.start_us / 1e6 for each in bench.radio.sent]
    # 24 requests of 1.48 s use up the 36 s of the first hour.
    assert starts_s[23] < 600
    assert starts_s[24] == 3600.0


def test_a_join_forgets_what_an_earlier_network_set() -> None:
    bench = Bench(OTAA)
    answer_joins(bench, ROOT, rx_delay=5)
    bench.do(bench.node.join())
    bench.node.parameters.nb_trans = 3
    bench.node.adr_count = 70
    answer_joins(bench, ROOT, join_nonce=2)

    bench.do(bench.node.join())

    assert bench.node.parameters.nb_trans == 1
    assert bench.node.parameters.rx1_delay_s == 1
    assert bench.node.adr_count == 0
    assert bench.node.tally.joins == 2


def test_the_request_is_one_that_a_network_opens() -> None:
    bench = Bench(OTAA)
    bench.do(bench.node.join(most=1))

    request = open_request(bench.radio.sent[0].payload, APP_KEY)

    assert (request.join_eui, request.dev_eui) == (JOIN_EUI, DEV_EUI)
    with pytest.raises(LoRaWanError):
        open_request(bench.radio.sent[0].payload, NWK_KEY)


def test_a_device_with_a_session_from_the_factory_does_not_join() -> None:
    assert Bench(ABP).node.is_joined
    assert not Bench(OTAA).node.is_joined


def test_the_first_uplink_after_a_join_has_the_data_rate_of_the_request() -> None:
    bench = Bench(OTAA)
    answer_joins(bench, ROOT)
    bench.do(bench.node.join())

    bench.uplink(b"!", f_port=1)

    assert bench.radio.sent[-1].modulation == bench.radio.sent[0].modulation == SF7
