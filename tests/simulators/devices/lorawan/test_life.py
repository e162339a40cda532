"""A device's whole life: periods, payloads, back-off, every region, the trace."""

from __future__ import annotations

import asyncio
import itertools
import json
from random import Random
from typing import Any

import pytest

from simulators.clock import VirtualClock, WallClock
from simulators.devices.behaviours import constant, counter
from simulators.devices.lorawan.energy import PROFILES
from simulators.devices.lorawan.reporting import (
    Measured,
    Reporting,
    cayenne_source,
    fixed_source,
    live,
)
from simulators.devices.lorawan.settings import Settings
from simulators.devices.lorawan.uplinks import Outcome
from simulators.devices.node import Node
from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import JoinAccept
from simulators.lorawan.join import protect_accept
from simulators.lorawan.keys import Attempt
from simulators.lorawan.mac_commands import LinkCheckReq
from simulators.lorawan.regions import REGIONS, region
from simulators.lorawan.versions import MacVersion
from simulators.randomness import SmallRandom

from .network import ABP, DEV_ADDR, DEV_EUI, JOIN_EUI, KEYS, OTAA, Bench, Trace
from .scripted_radio import ScriptedRadio, Sent

SECOND_US = 1_000_000


def run(bench: Bench, reporting: Reporting, seconds: float, payload: bytes = b"x") -> None:
    bench.clock.process(live(bench.node, fixed_source(payload), reporting))
    bench.clock.play(seconds)


def test_uplinks_follow_their_period() -> None:
    bench = Bench()

    run(bench, Reporting(period_s=600), 3600)

    starts = [each.start_us for each in bench.radio.sent]
    assert len(starts) == 6
    assert starts[0] < 600 * SECOND_US
    assert {b - a for a, b in itertools.pairwise(starts)} == {600 * SECOND_US}


def test_jitter_does_not_add_up() -> None:
    bench = Bench()

    run(bench, Reporting(period_s=600, jitter_s=60, spread_s=0), 36_000)

    late = [each.start_us % (600 * SECOND_US) for each in bench.radio.sent]
    assert len(set(late)) > 50
    assert max(late) < 60 * SECOND_US


def test_a_payload_that_is_too_long_leaves_an_empty_uplink() -> None:
    bench = Bench(data_rate=0)

    run(bench, Reporting(period_s=600, spread_s=0), 1200, bytes(60))

    assert [len(each.payload) for each in bench.radio.sent] == [12, 12]


def test_a_share_of_uplinks_is_confirmed() -> None:
    bench = Bench(confirmed_tries=1)

    run(bench, Reporting(period_s=60, confirmed=0.25), 60 * 400)

    assert 70 < bench.node.tally.confirmed < 130
    assert bench.node.tally.uplinks == 400


def test_a_device_joins_before_it_reports() -> None:
    bench = Bench(OTAA)
    answer_everything(bench.radio, bench.node)

    run(bench, Reporting(period_s=600, spread_s=0), 3600)

    kinds = [each.payload[0] for each in bench.radio.sent]
    assert kinds == [0x00] + [0x40] * 6
    assert bench.node.join_report.explain() == "joined after 1 request"


def test_sensor_models_become_cayenne_payloads() -> None:
    rng = Random(1)
    source = cayenne_source(
        [
            Measured(1, "temperature", constant(rng, value=24.8)),
            Measured(2, "analog_in", counter(rng, start=0, most=1)),
        ]
    )

    first, second = source(0), source(1)

    assert first[:4].hex() == second[:4].hex() == "016700f8"
    assert first[4:6].hex() == "0202"


def test_energy_of_a_day_is_a_few_joules() -> None:
    """SF7, 14 bytes, every 20 minutes: the windows cost more than the transmissions."""
    bench = Bench(currents=PROFILES["sx1272"])

    run(bench, Reporting(), 86_400)

    report = bench.node.energy_report()
    assert report.sleep_s + report.standby_s + report.receive_s + report.transmit_s == (
        pytest.approx(86_400)
    )
    assert report.receive_s > report.transmit_s
    assert 1.0 < report.energy_j < 3.0


def test_a_device_that_hears_nothing_gives_up_its_data_rate() -> None:
    bench = Bench(version=MacVersion.V1_0_4)
    bench.node.parameters.tx_power = 3
    for _ in range(260):
        bench.uplink(b"x", f_port=1)

    factors = [each.modulation.spreading_factor for each in bench.radio.sent]
    changes = [n + 1 for n in range(1, 260) if factors[n] != factors[n - 1]]
    asked = [bench.opened(number).adr_ack_req for number in range(260)]
    powers = [each.power_dbm for each in bench.radio.sent]
    assert changes == [129, 161, 193, 225, 257]
    assert asked.index(True) + 1 == 65
    assert powers.index(16.0) + 1 == 97


def test_any_downlink_begins_the_count_anew() -> None:
    bench = Bench()
    for _ in range(70):
        bench.uplink()
    bench.command(f_cnt=0)

    bench.uplink()

    assert [bench.opened(number).adr_ack_req for number in (-2, -1)] == [True, False]


def test_without_adr_nothing_is_given_up() -> None:
    bench = Bench(adr=False)
    for _ in range(130):
        bench.uplink()

    assert {each.modulation.spreading_factor for each in bench.radio.sent} == {7}
    assert not bench.opened(-1).adr
    assert not bench.opened(-1).adr_ack_req


def test_the_last_step_brings_back_the_default_channels() -> None:
    bench = Bench(data_rate=1)
    bench.node.parameters.enabled = 0b001
    bench.node.parameters.nb_trans = 3
    for _ in range(129):
        bench.uplink()

    parameters = bench.node.parameters
    assert (parameters.data_rate, parameters.enabled, parameters.nb_trans) == (0, 0b111, 1)


def answer_everything(radio: ScriptedRadio, node: Node) -> None:
    """A network that lets everybody in and acknowledges what is confirmed, in RX1."""
    state = {"f_cnt": 0}

    def answer(sent: Sent) -> None:
        kind = sent.payload[0] >> 5
        if kind == 0:
            nonce = int.from_bytes(sent.payload[17:19], "little")
            rx2 = node.region.rx2.data_rate
            accept = JoinAccept(1, "000013", DEV_ADDR, rx2_data_rate_index=rx2)
            phy = protect_accept(accept, OTAA.root, Attempt(JOIN_EUI, DEV_EUI, nonce))
            radio.put_on_air(phy, sent.end_us + 5 * SECOND_US, *rx1(node, sent, 0))
        elif kind == 4:
            session = node.session
            assert session is not None
            network = Session(session.dev_addr, session.crypto.keys)
            phy = network.protect_downlink(state["f_cnt"], f_ctrl=0x20)
            state["f_cnt"] += 1
            radio.put_on_air(phy, sent.end_us + SECOND_US, *rx1(node, sent, 0))

    radio.on_uplink = answer


def rx1(node: Node, sent: Sent, offset: int) -> tuple[int, Any]:
    table = node.region
    data_rate = table.find_data_rate(sent.modulation, is_downlink=False)
    assert data_rate is not None
    places = [(each.channel, each.rx1_frequency_hz) for each in table.join_channels]
    channels = [each.frequency_hz for each in table.join_channels]
    if sent.frequency_hz in channels:
        frequency_hz = places[channels.index(sent.frequency_hz)][1]
    else:
        index = [each.frequency_hz for each in table.uplink_channels].index(sent.frequency_hz)
        frequency_hz = table.rx1_frequency_hz(index, sent.frequency_hz)
    dwell = table.default_downlink_dwell
    answered = table.rx1_data_rate(data_rate, offset, downlink_dwell=dwell)
    return frequency_hz, table.data_rate(answered).modulation


@pytest.mark.parametrize("name", REGIONS)
def test_a_device_joins_and_is_acknowledged_in_every_region(name: str) -> None:
    bench = Bench(OTAA, region_name=name, duty_cycle="off-time")
    answer_everything(bench.radio, bench.node)

    report = bench.do(bench.node.join())
    result = bench.uplink(b"hello", f_port=2, is_confirmed=True)

    assert report.explain() == "joined after 1 request"
    assert (result.outcome, result.transmissions) == (Outcome.ACKNOWLEDGED, 1)
    limit_dbm = bench.node.region.max_eirp_dbm
    assert all(each.power_dbm <= limit_dbm for each in bench.radio.sent)


def a_trace(seed: int) -> str:
    trace = Trace()
    bench = Bench(OTAA, trace=trace, duty_cycle="off-time", seed=seed)
    answer_everything(bench.radio, bench.node)
    bench.node.request(LinkCheckReq())
    run(bench, Reporting(period_s=300, confirmed=0.5, jitter_s=20), 7200)
    return json.dumps(trace.events)


def test_the_same_seed_gives_the_same_trace() -> None:
    assert a_trace(1) == a_trace(1)
    assert a_trace(1) != a_trace(2)


def test_the_trace_tells_all_about_an_uplink() -> None:
    trace = Trace()
    bench = Bench(ABP, trace=trace)
    bench.answer_in_rx1(Session(DEV_ADDR, KEYS).protect_downlink(0, 15, b"hi there!"))

    bench.uplink(b"hello", f_port=15)

    sent = bench.radio.sent[0]
    uplink, window, downlink = trace.events
    assert uplink == (
        "node-1",
        "uplink",
        "radio",
        {
            "type": "unconfirmed",
            "dev_addr": DEV_ADDR,
            "f_cnt": 0,
            "f_port": 15,
            "adr": True,
            "adr_ack_req": False,
            "ack": False,
            "transmission": 1,
            "payload": "4002c3d4528000000fae02735368a5ef4fcc",
            "frequency_hz": sent.frequency_hz,
            "channel": (sent.frequency_hz - 868_100_000) // 200_000,
            "data_rate": "SF7BW125",
            "data_rate_index": 5,
            "power_dbm": 16.0,
            "airtime_us": 51_456,
        },
    )
    assert window[1:3] == ("none", "radio")
    assert window[3]["window"] == "RX1"
    assert downlink[1] == "downlink"
    assert downlink[3] == {
        "payload": "6002c3d4520000000ff899fded6d0e20374949b4782e",
        "frequency_hz": sent.frequency_hz,
        "data_rate": "SF7BW125",
        "rssi_dbm": -80.0,
        "snr_db": 5.0,
        "start_us": sent.end_us + SECOND_US,
        "dev_addr": DEV_ADDR,
        "f_cnt": 0,
        "f_port": 15,
        "is_confirmed": False,
        "ack": False,
        "f_pending": False,
        "frm_payload": "686920746865726521",
    }


def test_a_fleet_shares_plans_and_settings() -> None:
    clock, settings = VirtualClock(), Settings()
    radio = ScriptedRadio(clock)
    nodes = [
        Node(
            f"node-{number}",
            clock=clock,
            radio=radio,
            region=region("EU868"),
            identity=ABP,
            rng=SmallRandom(number),
            settings=settings,
        )
        for number in range(3)
    ]
    channel = nodes[0].region.uplink_channels[0]._replace(frequency_hz=867_100_000)
    plans = {each.parameters.plan.with_channel(3, channel) for each in nodes}

    assert len(plans) == 1


def test_a_device_keeps_its_windows_on_the_wall_clock() -> None:
    async def live_a_little() -> tuple[ScriptedRadio, list[bytes]]:
        clock = WallClock()
        radio = ScriptedRadio(clock)
        heard: list[bytes] = []
        node = Node(
            "node-1",
            clock=clock,
            radio=radio,
            region=region("EU868"),
            identity=ABP,
            rng=SmallRandom(1),
            on_downlink=lambda frame: heard.append(frame.frm_payload),
        )
        phy = Session(DEV_ADDR, KEYS).protect_downlink(0, 15, b"hi there!")
        radio.on_uplink = lambda sent: radio.put_on_air(
            phy, sent.end_us + SECOND_US, sent.frequency_hz, sent.modulation
        )
        clock.process(node.uplink(b"hello", f_port=15))
        await clock.play(1.2)
        return radio, heard

    radio, heard = asyncio.run(live_a_little())

    assert heard == [b"hi there!"]
    sent, (window,) = radio.sent[0], radio.windows
    assert window.open_us - sent.end_us == 1_000_000 - 8_192
