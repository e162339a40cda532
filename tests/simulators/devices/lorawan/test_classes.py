"""Class C, class B and multicast groups on a virtual clock."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.clock import MICROSECONDS
from simulators.devices.lorawan.multicast import MulticastGroup
from simulators.devices.lorawan.reporting import Reporting, fixed_source, live
from simulators.devices.lorawan.time_sync import TimeSync
from simulators.devices.lorawan.uplinks import Outcome, UplinkResult
from simulators.devices.lorawan.windows import Timing
from simulators.lorawan.class_b import Beacon, BeaconLayout, encode_beacon
from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import ACK
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.modulation import Lora
from simulators.lorawan.versions import MacVersion

from .network import DEV_ADDR, RX2_HZ, Bench, network_session
from .scripted_radio import SF7, SF9, SF12, Sent

SECOND_US = MICROSECONDS
BEACON_S = 1_234_567_936  # a multiple of 128; the ping offset of DEV_ADDR is 1024 for period 4096
EU868_LAYOUT = BeaconLayout(2, 0)
GROUP_KEYS = SessionKeys.legacy(bytes(range(16)), bytes(range(16, 32)))
GROUP_ADDR = "0011aabb"


def class_c(**options: Any) -> Bench:
    return Bench(device_class="C", **options)


def a_group(device_class: str = "C", **options: Any) -> MulticastGroup:
    values = {"frequency_hz": 869_100_000, "data_rate": 5, **options}
    return MulticastGroup(GROUP_ADDR, GROUP_KEYS, device_class=device_class, **values)


def group_frame(f_cnt: int, payload: bytes = b"all", **options: Any) -> bytes:
    return Session(GROUP_ADDR, GROUP_KEYS).protect_downlink(f_cnt, 9, payload, **options)


def test_class_c_hears_at_any_time() -> None:
    bench = class_c()
    phy = network_session().protect_downlink(0, 3, b"now")
    bench.radio.put_on_air(phy, 40 * SECOND_US, RX2_HZ, SF12)

    bench.rest(60)

    assert bench.seen == [(3, b"now")]
    assert bench.clock.now_us() == 60 * SECOND_US
    assert bench.radio.windows[0][:2] == (0, 60 * SECOND_US)


def test_class_a_hears_nothing_while_it_rests() -> None:
    bench = Bench()
    phy = network_session().protect_downlink(0, 3, b"now")
    bench.radio.put_on_air(phy, 40 * SECOND_US, RX2_HZ, SF12)

    bench.rest(60)

    assert (bench.seen, bench.radio.windows) == ([], [])


def test_class_c_listens_between_its_windows() -> None:
    bench = class_c(timing=Timing(rx_error_us=0, tolerance_ppm=0))

    bench.uplink()

    end_us = bench.radio.sent[0].end_us
    spans = [(each.open_us - end_us, each.close_us - end_us) for each in bench.radio.windows]
    assert spans == [
        (0, 1_001_024),
        (1_001_024, 1_007_168),
        (1_007_168, 2_032_768),
        (2_032_768, 2_229_376),
    ]
    assert [each.modulation for each in bench.radio.windows] == [SF12, SF7, SF12, SF12]


def test_rx1_wins_over_the_continuous_window() -> None:
    """A long frame in the continuous window is left for the answer in RX1."""
    bench = class_c()
    network = network_session()

    def answer(sent: Sent) -> None:
        long = network.protect_downlink(1, 3, bytes(40))
        bench.radio.put_on_air(long, sent.end_us + 500_000, RX2_HZ, SF12)
        short = network.protect_downlink(0, 3, b"short")
        bench.radio.put_on_air(short, sent.end_us + SECOND_US, sent.frequency_hz, SF7)

    bench.radio.on_uplink = answer
    bench.uplink()

    assert bench.seen == [(3, b"short")]


def test_a_downlink_between_the_windows_is_taken_and_leaves_them_open() -> None:
    bench = class_c()
    bench.node.parameters.rx2 = bench.node.parameters.rx2._replace(data_rate=5)
    network = network_session()

    def answer(sent: Sent) -> None:
        phy = network.protect_downlink(0, 3, b"between")
        bench.radio.put_on_air(phy, sent.end_us + 200_000, RX2_HZ, SF7)

    bench.radio.on_uplink = answer
    bench.uplink()

    assert bench.seen == [(3, b"between")]
    assert len(bench.radio.windows) == 5


def test_a_class_c_device_is_one_again_after_a_reboot() -> None:
    bench = class_c()
    bench.node.reboot()

    assert bench.node.device_class == "C"


def test_a_downlink_between_the_windows_does_not_end_sticky_answers() -> None:
    bench = class_c()
    bench.node.queue.put(bytes.fromhex("0507"))
    phy = network_session().protect_downlink(0)
    bench.radio.put_on_air(phy, 10 * SECOND_US, RX2_HZ, SF12)
    bench.uplink()
    bench.rest(60)

    assert bench.node.tally.downlinks == 1
    assert bench.uplink_options().hex() == "0507"


def test_an_acknowledgement_after_both_windows_spares_class_c_a_repetition() -> None:
    bench = class_c()
    acknowledgement = network_session().protect_downlink(0, f_ctrl=ACK)

    def answer(sent: Sent) -> None:
        bench.radio.put_on_air(acknowledgement, sent.end_us + 2_300_000, RX2_HZ, SF12)

    bench.radio.on_uplink = answer
    result = bench.uplink(b"!", f_port=1, is_confirmed=True)

    assert result == UplinkResult(Outcome.ACKNOWLEDGED, 0, 1)
    assert len(bench.radio.sent) == 1


def test_a_confirmed_downlink_is_acknowledged_soon_by_choice() -> None:
    confirmed = network_session().protect_downlink(0, 3, b"!", is_confirmed=True)
    soon, later = class_c(ack_pause_s=2.0), class_c()
    for bench in (soon, later):
        bench.radio.put_on_air(confirmed, 10 * SECOND_US, RX2_HZ, SF12)
        bench.rest(60)

    assert [bench.opened(0).ack for bench in (soon,)] == [True]
    heard_us = soon.radio.on_air[0].end_us
    assert soon.radio.sent[0].start_us == heard_us + 2 * SECOND_US
    assert later.radio.sent == []


def test_somebody_may_wake_a_device_that_rests() -> None:
    for bench in (Bench(), class_c()):
        wake = bench.clock.event()

        def knock(bench: Bench = bench, wake: Any = wake) -> Any:
            yield bench.clock.sleep(5)
            wake.succeed()

        bench.clock.process(knock())
        bench.do(bench.node.rest(60 * SECOND_US, wake))

        assert bench.clock.now_us() == 5 * SECOND_US


def test_the_network_of_a_1_1_device_is_told_its_class() -> None:
    bench = class_c(version=MacVersion.V1_1)
    bench.node.queue.confirm(0x01)
    told = [bench.uplink_options().hex() for _ in range(2)]

    bench.command(bytes.fromhex("2002"), f_cnt=0)

    assert told == ["2002", "2002"]
    assert bench.uplink_options() == b""


def test_more_data_is_fetched_by_choice() -> None:
    bench = Bench(answers_f_pending=True)
    network = network_session()
    bench.answer_in_rx1(network.protect_downlink(0, 3, b"1", f_ctrl=0x10))
    bench.uplink()
    bench.answer_in_rx1(network.protect_downlink(1, 3, b"2"))

    bench.rest(60)

    assert bench.seen == [(3, b"1"), (3, b"2")]
    assert len(bench.radio.sent) == 2


def test_a_class_c_group_is_heard_on_its_own_channel() -> None:
    bench = class_c()
    bench.node.join_group(a_group())
    bench.radio.put_on_air(group_frame(0), 10 * SECOND_US, 869_100_000, SF7)

    bench.rest(60)

    assert bench.seen == [(9, b"all")]
    bench.node.leave_group(GROUP_ADDR)
    bench.rest(10)
    assert bench.radio.windows[-1].frequency_hz == RX2_HZ


@pytest.mark.parametrize(
    ("frames", "seen"),
    [
        pytest.param([group_frame(0), group_frame(0)], 1, id="a counter used twice"),
        pytest.param([group_frame(5), group_frame(4)], 1, id="an old counter"),
        pytest.param([group_frame(100), group_frame(101)], 1, id="beyond the last counter"),
        pytest.param([group_frame(0, is_confirmed=True)], 0, id="confirmed"),
        pytest.param([group_frame(0, f_ctrl=0x20)], 0, id="an acknowledgement"),
        pytest.param([group_frame(0, f_opts=b"\x06")], 0, id="MAC commands"),
        pytest.param(
            [Session(GROUP_ADDR, GROUP_KEYS).protect_downlink(0, 0, b"\x06")], 0, id="port 0"
        ),
        pytest.param(
            [Session(GROUP_ADDR, SessionKeys.legacy(bytes(16), bytes(16))).protect_downlink(0, 9)],
            0,
            id="another key",
        ),
    ],
)
def test_a_group_takes_nothing_but_new_payloads(frames: list[bytes], seen: int) -> None:
    bench = class_c()
    group = a_group(max_f_cnt=100)
    bench.node.join_group(group)
    for number, phy in enumerate(frames):
        bench.radio.put_on_air(phy, (10 + number) * SECOND_US, 869_100_000, SF7)

    bench.rest(60)

    assert len(bench.seen) == seen
    assert len(bench.node.queue) == 0
    assert bench.node.tally.ignored == len(frames) - seen


class ClassB:
    """A bench whose device knows the time, with a gateway that sends beacons."""

    def __init__(self, **options: Any) -> None:
        self.bench = Bench(**options)
        # The clock starts ten seconds before a beacon.
        self.bench.node.time = TimeSync(0, (BEACON_S - 10) * SECOND_US, 4000)

    def beacons(self, *numbers: int) -> None:
        for number in numbers:
            phy = encode_beacon(Beacon(BEACON_S + 128 * number), EU868_LAYOUT)
            self.bench.radio.put_on_air(phy, self.at(128 * number), RX2_HZ, SF9)

    def at(self, after_s: float) -> int:
        """So many seconds after the first beacon, on the clock."""
        return 10 * SECOND_US + round(after_s * SECOND_US)

    def switch(self, periodicity: int = 7) -> bool:
        """PingSlotInfoReq, answered; then the first beacon."""
        network = network_session()
        self.bench.answer_in_rx1(network.protect_downlink(0, f_opts=b"\x10"))
        return bool(self.bench.do(self.bench.node.switch_class("B", periodicity=periodicity)))


def test_class_b_asks_first_and_then_finds_a_beacon() -> None:
    field = ClassB()
    field.beacons(0)

    assert field.switch(7)

    assert field.bench.opened(0).f_opts.hex() == "1007"
    assert field.bench.node.device_class == "B"
    assert field.bench.node.time == TimeSync(field.at(0), BEACON_S * SECOND_US, 0)
    field.bench.uplink()
    assert field.bench.opened(-1).class_b


def test_a_device_of_class_b_looks_for_a_beacon_before_it_reports() -> None:
    field = ClassB(device_class="B", ping_periodicity=7)
    field.beacons(0)
    network = network_session()
    field.bench.answer_in_rx1(network.protect_downlink(0, f_opts=b"\x10"))
    reporting = Reporting(period_s=600, spread_s=0)
    field.bench.clock.process(live(field.bench.node, fixed_source(b"x"), reporting))

    field.bench.clock.play(100)

    assert field.bench.node.device_class == "B"
    first, second = field.bench.opened(0), field.bench.opened(1)
    assert (first.f_opts.hex(), second.frm_payload, second.class_b) == ("1007", b"x", True)


def test_ping_slots_are_where_the_vector_says() -> None:
    """Offset 1024 for one slot per beacon: 2.12 s and 1024 times 30 ms after the beacon."""
    field = ClassB()
    field.beacons(0)
    field.switch(7)
    start_us = field.at(2.12 + 1024 * 0.03)
    phy = network_session().protect_downlink(1, 3, b"ping")
    field.bench.radio.put_on_air(phy, start_us, RX2_HZ, SF9)

    field.bench.rest(100)

    assert field.bench.seen == [(3, b"ping")]
    slots = [each for each in field.bench.radio.windows if each.modulation == SF9][1:]
    assert len(slots) == 1
    assert slots[0].open_us < start_us + 16_384 < slots[0].close_us


def test_there_are_as_many_ping_slots_as_the_periodicity_says() -> None:
    field = ClassB()
    field.beacons(0)
    field.switch(4)
    before = len(field.bench.radio.windows)

    # From the first beacon to just before the second one's window.
    field.bench.rest((field.at(127.5) - field.bench.clock.now_us()) / 1e6)

    assert len(field.bench.radio.windows) - before == 8


def test_windows_widen_while_no_beacon_is_heard() -> None:
    field = ClassB(timing=Timing(rx_error_us=1000, tolerance_ppm=40))
    field.beacons(0)
    field.switch(7)

    field.bench.rest(3000)

    lengths = [
        each.close_us - each.open_us for each in field.bench.radio.windows if each.modulation == SF9
    ]
    # Beacon after beacon is missed, 128 s further away each: twice 40 ppm of that is 10 ms wider.
    missed = lengths[2::2]
    assert missed == sorted(missed)
    assert 200_000 < missed[-1] - missed[0] < 250_000
    tracking = field.bench.node.class_b
    assert tracking is not None
    assert (tracking.heard, tracking.missed) == (1, 23)


def test_class_b_is_given_up_after_two_hours_without_beacon() -> None:
    field = ClassB()
    field.beacons(0)
    field.switch(7)

    field.bench.rest(7100)
    still = field.bench.node.device_class
    field.bench.rest(200)

    assert (still, field.bench.node.device_class) == ("B", "A")


def test_a_beacon_after_a_gap_is_found_again() -> None:
    field = ClassB(drift_ppm=30)
    field.beacons(0, 20, 21)
    field.switch(7)

    field.bench.rest(128 * 22)

    tracking = field.bench.node.class_b
    assert tracking is not None
    assert tracking.heard == 3
    assert tracking.heard_us == field.at(128 * 21)


def test_a_damaged_beacon_is_none() -> None:
    field = ClassB()
    phy = bytearray(encode_beacon(Beacon(BEACON_S), EU868_LAYOUT))
    phy[3] ^= 1
    field.bench.radio.put_on_air(bytes(phy), field.at(0), RX2_HZ, SF9)

    assert not field.switch()
    assert field.bench.node.device_class == "A"


def test_without_an_answer_there_is_no_class_b() -> None:
    field = ClassB()
    field.beacons(0, 1)

    assert not field.bench.do(field.bench.node.switch_class("B"))
    assert [field.bench.opened(number).f_opts.hex() for number in range(3)] == ["1000"] * 3


def test_a_device_that_does_not_know_the_time_asks_for_it() -> None:
    field = ClassB()
    field.bench.node.time = None
    field.beacons(0)
    gps_s = (BEACON_S - 10).to_bytes(4, "little")
    phy = network_session().protect_downlink(0, f_opts=b"\x10\x0d" + gps_s + b"\x0d")
    field.bench.answer_in_rx1(phy)

    assert field.bench.do(field.bench.node.switch_class("B", periodicity=7))
    assert field.bench.opened(0).f_opts.hex() == "10070d"


def test_a_device_that_is_never_told_the_time_searches_for_a_beacon() -> None:
    field = ClassB()
    field.bench.node.time = None
    field.beacons(0, 1)

    assert field.switch(7)
    assert field.bench.node.time is not None


def test_uplinks_keep_clear_of_beacons() -> None:
    field = ClassB()
    field.beacons(0, 1)
    field.switch(7)
    field.bench.rest((field.at(122) - field.bench.clock.now_us()) / 1e6)

    field.bench.uplink(b"late", f_port=1)

    # 3 s of guard and its windows do not fit any more: after the beacon's reserved 2.12 s.
    assert field.bench.radio.sent[-1].start_us >= field.at(128 + 2.12)


def test_a_class_b_group_has_slots_of_its_own() -> None:
    field = ClassB()
    field.beacons(0)
    field.switch(7)
    field.bench.node.join_group(a_group("B", frequency_hz=0, data_rate=3, periodicity=5))
    before = len(field.bench.radio.windows)

    field.bench.rest((field.at(127.5) - field.bench.clock.now_us()) / 1e6)

    assert len(field.bench.radio.windows) - before == 1 + 4


def test_beacons_and_slots_hop_in_us915() -> None:
    bench = Bench(region_name="US915", data_rate=0)
    bench.node.time = TimeSync(0, (BEACON_S - 10) * SECOND_US, 0)
    bench.answer_in_rx1(network_session().protect_downlink(0, f_opts=b"\x10"))
    layout = BeaconLayout(5, 3)
    for number in (0, 1):
        gps_s = BEACON_S + 128 * number
        frequency_hz = 923_300_000 + 600_000 * (gps_s // 128 % 8)
        start_us = (10 + 128 * number) * SECOND_US
        phy = encode_beacon(Beacon(gps_s), layout)
        bench.radio.put_on_air(phy, start_us, frequency_hz, Lora(12, 500_000))

    assert bench.do(bench.node.switch_class("B", periodicity=7))
    bench.rest(130)

    assert bench.node.class_b is not None
    assert bench.node.class_b.heard == 2
    _, _, slot, *_ = bench.radio.windows  # RX1, beacon, slot, …
    hop = (int(DEV_ADDR, 16) + BEACON_S // 128) % 8
    assert slot.frequency_hz == 923_300_000 + 600_000 * hop
