"""Devices of 1.1 that ask for new keys, by order, by schedule, by themselves; and reboots."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.devices.lorawan.rejoin_schedule import Rejoin, RejoinSchedule, forced, periodic
from simulators.devices.lorawan.uplinks import Outcome
from simulators.lorawan.frames import JoinAccept
from simulators.lorawan.join import protect_accept
from simulators.lorawan.keys import Attempt
from simulators.lorawan.mac_commands import ForceRejoinReq, RejoinParamSetupReq, encode
from simulators.lorawan.versions import MacVersion
from simulators.randomness import SmallRandom

from .network import ABP, DEV_EUI, JOIN_EUI, OTAA, OTAA_1_1, Bench
from .scripted_radio import Sent

SECOND_US = 1_000_000
NEW_ADDR = "26011111"


def joined(**options: Any) -> Bench:
    """A 1.1 device with the published session, as if confirmed."""
    bench = Bench(OTAA_1_1, version=MacVersion.V1_1, **options)
    bench.node.nonces.dev_nonce = 2
    bench.answer_in_rx1(bytes.fromhex("20295ab63dc5d1a85a2289386fb8c4dd90"), delay_s=5)
    bench.do(bench.node.join())
    bench.node.queue.confirm(0x0B)
    bench.node.unconfirmed_rekeys = -1
    return bench


def answer_rejoins(bench: Bench, join_nonce: int = 2) -> None:
    def answer(sent: Sent) -> None:
        if sent.payload[0] != 0xC0:
            return
        kind = sent.payload[1]
        count = int.from_bytes(sent.payload[-6:-4], "little")
        accept = JoinAccept(join_nonce, "000013", NEW_ADDR, rx_delay=3, opt_neg=True)
        phy = protect_accept(accept, OTAA_1_1.root, Attempt(JOIN_EUI, DEV_EUI, count, kind))
        bench.radio.put_on_air(phy, sent.end_us + 5 * SECOND_US, *bench.rx1(sent))

    bench.radio.on_uplink = answer


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        (0, "c000010000efbeaddeaaffffff00009fd21c24"),
        (1, "c00100000000bbffffffefbeaddeaaffffff0000bf3b7dc8"),
    ],
)
def test_a_rejoin_request_is_the_published_frame(kind: int, frame: str) -> None:
    bench = joined()

    bench.do(bench.node.rejoin(kind))

    assert bench.radio.sent[-1].payload.hex() == frame


def test_counters_of_rejoins_go_up() -> None:
    bench = joined()
    for kind in (0, 2, 1, 1, 0):
        bench.do(bench.node.rejoin(kind))

    counts = [each.payload[-6] for each in bench.radio.sent[1:]]
    assert counts == [0, 1, 0, 1, 2]


@pytest.mark.parametrize(("kind", "rx1_delay_s"), [(0, 3), (1, 3), (2, 5)])
def test_an_answer_gives_new_keys_and_type_2_nothing_else(kind: int, rx1_delay_s: int) -> None:
    bench = joined()
    answer_rejoins(bench)
    session = bench.node.session

    assert bench.do(bench.node.rejoin(kind))

    renewed = bench.node.session
    assert renewed is not None
    assert renewed is not session
    assert (renewed.dev_addr, renewed.f_cnt_up) == (NEW_ADDR, 0)
    assert bench.node.parameters.rx1_delay_s == rx1_delay_s
    bench.radio.on_uplink = None
    assert bench.uplink_options().hex() == "0b01"


def test_an_answer_with_an_old_join_nonce_is_not_taken() -> None:
    bench = joined()
    answer_rejoins(bench, join_nonce=1)
    session = bench.node.session

    assert not bench.do(bench.node.rejoin(0))
    assert bench.node.session is session


def test_devices_of_1_0_x_do_not_rejoin() -> None:
    bench = Bench(ABP)

    assert not bench.do(bench.node.rejoin(0))
    assert bench.radio.sent == []


def test_a_device_rejoins_when_it_is_told_to() -> None:
    bench = joined()
    bench.command(encode(ForceRejoinReq(1, 0, 3, 2)), f_cnt=0)
    before = len(bench.radio.sent)

    bench.rest(200)

    requests = bench.radio.sent[before:]
    assert [each.payload[:2].hex() for each in requests] == ["c002", "c002"]
    assert [each.modulation.spreading_factor for each in requests] == [9, 9]
    gap_us = requests[1].start_us - requests[0].start_us
    assert 32 * SECOND_US <= gap_us <= 64 * SECOND_US


def test_a_device_rejoins_after_so_many_uplinks() -> None:
    bench = joined()
    bench.command(encode(RejoinParamSetupReq(0, 15)), f_cnt=0)
    for _ in range(20):
        bench.uplink()
        bench.rest(1)

    kinds = [each.payload[0] for each in bench.radio.sent[2:]]
    # The uplink that brought the order counts as well.
    assert kinds == [0x40] * 15 + [0xC0] + [0x40] * 5


def test_a_device_rejoins_after_so_much_time() -> None:
    bench = joined()
    bench.command(encode(RejoinParamSetupReq(15, 0)), f_cnt=0)
    at_us = bench.clock.now_us()

    bench.rest(2100)

    times_s = [round((each.start_us - at_us) / 1e6) for each in bench.radio.sent[2:]]
    assert times_s[0] in (1023, 1024)
    assert len(times_s) == 2


def test_schedules_are_values() -> None:
    by_order = forced(None, ForceRejoinReq(2, 1, 4, 1), 100, SmallRandom(1))
    by_time = periodic(by_order, RejoinParamSetupReq(0, 0), 200)

    assert by_order.due(99) is None
    assert by_order.due(100) == Rejoin(0, 4)
    assert len(by_order.forced) == 3
    assert (by_time.uplinks, by_time.period_us) == (16, 1024 * SECOND_US)
    assert RejoinSchedule(uplinks=16, since=16).due(0) == Rejoin(0, -1)


@pytest.mark.parametrize(
    ("kept", "f_cnt"), [(frozenset(("session",)), 3), (frozenset(), 0)], ids=["kept", "lost"]
)
def test_counters_of_a_personalised_device_survive_a_reboot_by_choice(
    kept: frozenset[str], f_cnt: int
) -> None:
    bench = Bench(ABP, kept=kept)
    for _ in range(3):
        bench.uplink(b"x", f_port=1)
    bench.node.parameters.nb_trans = 2

    bench.node.reboot()

    assert bench.uplink(b"x", f_port=1).f_cnt == f_cnt
    assert bench.node.parameters.nb_trans == (2 if kept else 1)


@pytest.mark.parametrize(
    ("kept", "outcome"),
    [(frozenset(("session",)), Outcome.SENT), (frozenset(), Outcome.NOT_JOINED)],
    ids=["kept", "lost"],
)
def test_a_joined_session_survives_a_reboot_by_choice(
    kept: frozenset[str], outcome: Outcome
) -> None:
    bench = joined(kept=kept)

    bench.node.reboot()

    assert bench.uplink(b"x", f_port=1).outcome is outcome


def test_a_device_without_a_session_forgets_nothing_else() -> None:
    bench = Bench(OTAA)
    bench.do(bench.node.join(most=1))

    bench.node.reboot()

    assert not bench.node.is_joined
    assert bench.node.tally.transmissions == 1
