"""A packet forwarder: what it says to a server that takes notes, and what it sends for it."""

from __future__ import annotations

import random

import pytest

from simulators.gateways.access import Access, access_of
from simulators.gateways.jit_queue import HAL
from simulators.lorawan.modulation import Fsk, Lora
from simulators.lorawan.regions import region
from simulators.lorawan.regions.region import ListenBeforeTalk
from simulators.wire.semtech_packets import RxPk, Stat, TxPk
from simulators.wire.semtech_udp import PullAck, PullData, PushAck, PushData, TxAck, encode
from tests.simulators.gateways.conftest import EUI, Build, Forwarder
from tests.simulators.gateways.stage import SF7, UPLINK

RNG = random.Random(1)
TOKENS = [RNG.getrandbits(16) for _ in range(5)]
DOWNLINK = bytes.fromhex("6002c3d4520000000ff899fded6d0e20374949b4782e")  # 56 576 µs at SF7
TXPK = TxPk(
    868_100_000, SF7, DOWNLINK, tmst=6_000_000, power_dbm=14, inverts_polarity=True, has_crc=False
)


def test_it_keeps_its_connection_alive_and_tells_of_itself(forwarder: Build) -> None:
    """PULL_DATA at once and every ten seconds, a status after thirty."""
    made = forwarder(latitude=52.5, longitude=13.25, altitude_m=34)

    made.play(31)

    stat = Stat(1_704_067_230, 52.5, 13.25, 34)
    assert [(at, each) for at, each, _ in made.received] == [
        (0, PullData(TOKENS[0], EUI)),
        (10_000_000, PullData(TOKENS[1], EUI)),
        (20_000_000, PullData(TOKENS[2], EUI)),
        (30_000_000, PushData(TOKENS[3], EUI, (), stat)),
        (30_000_000, PullData(TOKENS[4], EUI)),
    ]


def test_up_and_down_have_ports_of_their_own(forwarder: Build) -> None:
    made = forwarder()
    made.play(0.5)
    made.air.uplink()
    made.play(31)
    ports: dict[type[object], set[object]] = {}
    for _, datagram, address in made.received:
        ports.setdefault(type(datagram), set()).add(address)
    assert len(ports[PullData]) == len(ports[PushData]) == 1
    assert ports[PullData] != ports[PushData]


def test_a_frame_goes_up_with_the_stamp_of_its_end(forwarder: Build) -> None:
    made = forwarder(counter_start=2**32 - 1_000_000)
    made.play(1.5)
    made.air.uplink()
    made.air.uplink(b"\xe0\x01", frequency_hz=868_800_000, modulation=Fsk(50_000))
    made.play(2)

    assert [push.rxpk for push in made.of(PushData)] == [
        (RxPk(500_000, 868_100_000, SF7, UPLINK, -35, 9.1, channel=0),),
        (RxPk(500_000, 868_800_000, Fsk(50_000), b"\xe0\x01", -35, None, channel=9),),
    ]


@pytest.mark.parametrize("collect_us", [0, 1000])
def test_unobserved_it_sends_the_same(forwarder: Build, collect_us: int) -> None:
    """Frame by frame and without a trace it takes a shorter way to the same datagrams."""
    sent: list[list[bytes]] = []
    for is_observed in (True, False):
        made = forwarder(is_observed=is_observed, collect_us=collect_us)
        raw: list[bytes] = []
        made.datagrams.listen(lambda data, address, raw=raw: raw.append(data))
        made.play(1)
        for number in range(40):
            made.air.uplink(
                bytes((0x40, number)) * (1 + number % 5),
                frequency_hz=868_100_000 + 200_000 * (number % 3),
                modulation=[SF7, Lora(12, 125_000), Lora(9, 125_000, "4/8")][number % 3],
                rssi_dbm=-140 + 3.37 * number,
                snr_db=-20.05 + 0.83 * number,
            )
            made.play(1.01 + number / 100)
        made.air.uplink(b"\xe0", frequency_hz=868_800_000, modulation=Fsk(50_000))
        made.play(2)
        sent.append(raw)
    assert len(sent[0]) == 41 + 1  # and PULL_DATA
    assert sent[0] == sent[1]


def test_with_gps_a_frame_has_its_time(forwarder: Build) -> None:
    made = forwarder(has_gps=True)
    made.play(1.5)
    made.air.uplink()
    made.play(2)
    ((packet,),) = [push.rxpk for push in made.of(PushData)]
    assert packet.unix_us == 1_704_067_201_500_000
    assert packet.gps_ms == 1_388_102_419_500  # 18 leap seconds ahead of UTC


def test_eight_frames_share_a_datagram_at_most(forwarder: Build) -> None:
    made = forwarder(collect_us=10_000)
    for number in range(10):
        made.play(1 + number / 1000)
        made.air.uplink(bytes((0xE0, number)))
    made.play(2)
    assert [[packet.data[1] for packet in push.rxpk] for push in made.of(PushData)] == [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [8, 9],
    ]


def test_what_it_does_not_listen_to_stays_unheard(forwarder: Build) -> None:
    made = forwarder()
    made.play(1)
    made.air.uplink(frequency_hz=868_200_000)
    made.air.uplink(modulation=Lora(7, 500_000))
    made.play(2)
    assert made.of(PushData) == []
    assert [told["lost"] for told in made.notebook.messages("radio")] == ["not listened"] * 2


@pytest.mark.parametrize(
    ("delay_us", "percent"), [(50_000, 100.0), (50_001, 0.0)], ids=["in time", "late"]
)
def test_acknowledgements_count_for_a_tenth_of_a_second(
    forwarder: Build, delay_us: int, percent: float
) -> None:
    made = forwarder(delay_us=delay_us)

    def acknowledge(data: bytes, address: tuple[object, ...]) -> None:
        made.take(data, address)
        if isinstance(push := made.received[-1][1], PushData):
            made.datagrams.send(encode(PushAck(push.token)), address)

    made.datagrams.listen(acknowledge)
    made.play(1)
    made.air.uplink()
    made.play(31)
    stat = made.of(PushData)[1].stat
    assert stat.acknowledged_percent == percent
    assert (stat.received, stat.forwarded, stat.downlinks) == (1, 1, 0)


def test_a_frame_is_sent_at_its_stamp(forwarder: Build) -> None:
    """With as much power as the antenna adds, and with the stamp in the trace."""
    made = forwarder()
    made.play(5)
    made.pull_resp(TXPK)
    made.play(7)

    assert made.of(TxAck) == [TxAck(7, EUI)]
    (sent,) = made.air.sent
    assert (sent.start_us, sent.end_us) == (6_000_000, 6_056_576)
    assert (sent.payload, sent.frequency_hz, sent.modulation) == (DOWNLINK, 868_100_000, SF7)
    assert sent.power_dbm == pytest.approx(16.15)
    assert sent.is_downlink
    assert made.notebook.events[-1] == (
        6_000_000,
        "gateway-1",
        "downlink",
        "radio",
        {
            "payload": DOWNLINK.hex(),
            "frequency_hz": 868_100_000,
            "data_rate": "SF7BW125",
            "gateway_eui": EUI,
            "tmst": 6_000_000,
            "power_dbm": 16.15,
            "airtime_us": 56_576,
        },
    )


def test_a_gateway_whose_clock_drifts_keeps_to_its_own_stamps(forwarder: Build) -> None:
    made = forwarder(drift_ppm=20.0, counter_start=2**32 - 5_000_000)
    made.play(1)
    made.air.uplink()
    made.play(4.9)
    (push,) = made.of(PushData)
    stamp = (push.rxpk[0].tmst + 5_000_000) % 2**32
    made.pull_resp(TXPK._replace(tmst=stamp))
    made.play(7)
    assert push.rxpk[0].tmst == 2**32 - 4_000_000 + 20
    # Five of its seconds are 100 µs shorter than five true ones, less what is rounded up.
    assert made.air.sent[0].start_us == 1_000_000 + 5_000_000 - 99
    assert made.notebook.messages("radio")[-1]["tmst"] == stamp == 1_000_020


def ack(made: Forwarder) -> TxAck:
    """What became of the last PULL_RESP."""
    return made.of(TxAck)[-1]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"tmst": 5_032_501}, None),
        ({"tmst": 5_032_500}, "TOO_LATE"),
        ({"tmst": 4_000_000}, "TOO_EARLY"),
        ({"tmst": 517_000_001}, "TOO_EARLY"),
        ({"frequency_hz": 862_900_000}, "TX_FREQ"),
        ({"frequency_hz": 870_100_000}, "TX_FREQ"),
        ({"power_dbm": 15}, "TX_POWER"),
        ({"power_dbm": 99}, "TX_POWER"),
        ({"tmst": None, "gps_ms": 1_388_102_424_000}, "GPS_UNLOCKED"),
        ({"is_immediate": True}, None),
        ({"tmst": None, "is_immediate": True}, None),
        ({"modulation": Fsk(50_000), "frequency_hz": 868_800_000, "deviation_hz": 25_000}, None),
    ],
)
def test_each_refusal_has_its_word(
    forwarder: Build, change: dict[str, object], error: str | None
) -> None:
    made = forwarder()
    made.play(5)
    made.pull_resp(TXPK._replace(**change))  # type: ignore[arg-type]  # members by name
    made.play(8)
    assert ack(made) == TxAck(7, EUI, error)
    assert len(made.air.sent) == (error is None)


def test_two_frames_do_not_overlap(forwarder: Build) -> None:
    made = forwarder()
    made.play(5)
    made.pull_resp(TXPK)
    made.pull_resp(TXPK._replace(tmst=6_056_576 + 2_500), token=8)
    made.pull_resp(TXPK._replace(tmst=6_056_576 + 2_501), token=9)
    made.play(8)
    assert made.of(TxAck) == [TxAck(7, EUI), TxAck(8, EUI, "COLLISION_PACKET"), TxAck(9, EUI)]
    assert [each.start_us for each in made.air.sent] == [6_000_000, 6_059_077]


def test_newer_forwarders_warn_of_power(forwarder: Build) -> None:
    made = forwarder(warns_of_power=True, rules=HAL)
    made.play(5)
    made.pull_resp(TXPK._replace(power_dbm=99))
    made.pull_resp(TXPK._replace(power_dbm=15, tmst=7_000_000), token=8)
    made.pull_resp(TXPK._replace(power_dbm=-10, tmst=8_000_000), token=9)
    made.pull_resp(TXPK._replace(power_dbm=15, tmst=5_052_500), token=10)
    made.play(9)
    assert made.of(TxAck) == [
        TxAck(7, EUI, warning="TX_POWER", value=27),
        TxAck(8, EUI, warning="TX_POWER", value=14),
        TxAck(9, EUI, warning="TX_POWER", value=-6),
        TxAck(10, EUI, "TOO_LATE"),
    ]
    assert [each.power_dbm for each in made.air.sent] == [29.15, 16.15, pytest.approx(-3.85)]


@pytest.mark.parametrize(
    ("gps_ms", "result"),
    [
        (1_388_102_424_000, 6_000_000),
        (1_388_102_423_033, 5_033_000),
        (1_388_102_423_032, "TOO_LATE"),
        (1_388_102_422_000, "TOO_EARLY"),
        (1_388_102_423_000 + 4_294_967, "TOO_EARLY"),
        (0, "TOO_EARLY"),
        (2**62, "TOO_EARLY"),
    ],
)
def test_with_gps_a_frame_may_have_a_gps_time(
    forwarder: Build, gps_ms: int, result: int | str
) -> None:
    """Also one more than an hour ahead, whose stamp would mean another time."""
    made = forwarder(has_gps=True)
    made.play(5)
    made.pull_resp(TXPK._replace(tmst=None, gps_ms=gps_ms))
    made.play(8)
    if isinstance(result, str):
        assert ack(made) == TxAck(7, EUI, result)
        assert made.air.sent == []
    else:
        assert ack(made) == TxAck(7, EUI)
        assert [each.start_us for each in made.air.sent] == [result]


def test_a_frame_that_is_not_inverted_is_for_no_device(forwarder: Build) -> None:
    """A server that forgets ``ipol`` is the reason for many a silent network."""
    made = forwarder()
    made.play(5)
    made.pull_resp(TXPK._replace(inverts_polarity=False))
    made.play(7)
    assert not made.air.sent[0].is_downlink
    assert made.of(PushData) == []


def test_duty_cycle_is_kept_where_it_has_to_be(forwarder: Build) -> None:
    """The frame was taken, and stays unsent: TX_ACK has no word for it, the trace has."""
    made = forwarder(access=Access(access_of(region("EU868")).duty_cycle))
    made.play(5)
    made.pull_resp(TXPK)
    # One hundredth of the time: 56.576 ms on air close the band for 5.6576 s.
    made.pull_resp(TXPK._replace(tmst=11_657_599), token=8)
    made.pull_resp(TXPK._replace(tmst=12_000_000), token=9)
    made.pull_resp(TXPK._replace(tmst=7_000_000, frequency_hz=869_525_000), token=10)
    made.play(13)
    assert [acknowledgement.error for acknowledgement in made.of(TxAck)] == [None] * 4
    assert [each.start_us for each in made.air.sent] == [6_000_000, 7_000_000, 12_000_000]
    unsent = [told for told in made.notebook.messages("radio") if "unsent" in told]
    assert [(told["unsent"], told["tmst"]) for told in unsent] == [("duty cycle", 11_657_599)]


def test_a_busy_channel_keeps_it_from_talking(forwarder: Build) -> None:
    made = forwarder(access=Access(None, ListenBeforeTalk(-80, 5_000)))
    made.air.busy_hz.add(868_100_000)
    made.play(5)
    made.pull_resp(TXPK)
    made.pull_resp(TXPK._replace(tmst=7_000_000, frequency_hz=868_300_000), token=8)
    made.play(8)
    assert [each.frequency_hz for each in made.air.sent] == [868_300_000]
    assert made.notebook.messages("radio")[0]["unsent"] == "channel busy"


HOSTILE = [
    b"",
    b"\x02",
    b"\x02\x00\x00\x03",
    b"\x02\x00\x00\x03{",
    b'\x02\x00\x00\x03{"txpk":{}}',
    b"\x02\x00\x00\x09",
    b"\x01\x00\x00\x04",
    encode(PullData(1, EUI)),
    encode(PushAck(1)),
    encode(PullAck(1)),
    b"\xff" * 65_000,
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_nonsense_is_noted_and_not_answered(forwarder: Build, data: bytes) -> None:
    made = forwarder()
    made.play(5)
    made.answer(data)
    made.play(6)
    made.pull_resp(TXPK._replace(tmst=7_000_000))
    made.play(8)
    noted = [told for told in made.notebook.messages("udp") if "ignored" in told]
    assert len(noted) == 1
    assert made.of(TxAck) == [TxAck(7, EUI)]
    assert len(made.air.sent) == 1


def test_the_trace_tells_both_directions(forwarder: Build) -> None:
    made = forwarder()
    made.play(5)
    made.air.uplink()
    made.play(5.5)
    made.pull_resp(TXPK._replace(tmst=5_500_000))
    made.play(6)
    told = [(direction, message) for _, _, direction, _, message in made.notebook.events]
    assert [(direction, message.get("type")) for direction, message in told] == [
        ("uplink", "PULL_DATA"),
        ("uplink", None),
        ("uplink", "PUSH_DATA"),
        ("downlink", "PULL_RESP"),
        ("uplink", "TX_ACK"),
    ]
    assert told[1][1] == {
        "payload": UPLINK.hex(), "frequency_hz": 868_100_000, "data_rate": "SF7BW125",
        "gateway_eui": EUI, "tmst": 5_000_000, "rssi_dbm": -35.2, "snr_db": 9.1,
        "start_us": 4_948_544,
    }  # fmt: skip
    assert told[2][1]["rxpk"][0]["data"] == "QALD1FKAAAAPrgJzU2il70/M"
    assert told[3][1]["txpk"]["tmst"] == 5_500_000
    assert told[4][1] == {"type": "TX_ACK", "token": 7, "error": "TOO_LATE"}


def test_a_stopped_gateway_is_silent(forwarder: Build) -> None:
    made = forwarder()
    made.play(1)
    made.gateway.stop()
    made.play(31)
    assert made.air.receivers == {}
    assert len(made.received) == 1
