"""Hostile downlinks: whatever bytes come, a device neither breaks nor believes them."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.devices.lorawan.state import NodeState
from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import DataFrame, FType, encode
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.versions import MacVersion

from .network import DEV_ADDR, KEYS, OTAA, Bench, network_session

QUIET = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
VERSIONS = st.sampled_from([MacVersion.V1_0_2, MacVersion.V1_0_4, MacVersion.V1_1])

ADDRESSED = st.builds(
    lambda first, rest: bytes((first,)) + bytes.fromhex(DEV_ADDR)[::-1] + rest,
    st.sampled_from([0x60, 0xA0, 0x20, 0xE0, 0x61]),
    st.binary(max_size=60),
)


def remembered(node: NodeState) -> Any:
    """All that a device knows, but for what it counts as ignored."""
    session, parameters = node.session, node.parameters
    return copy.copy(
        (
            [getattr(parameters, name) for name in parameters.__slots__],
            session and [getattr(session, name) for name in session.__slots__ if name != "crypto"],
            node.ack_due,
            node.link_check,
            node.time,
            node.join_report.is_joined,
            node.queue.take(0),
            len(node.queue),
            node.tally.downlinks,
        )
    )


@QUIET
@given(VERSIONS, st.binary(max_size=255) | ADDRESSED)
def test_bytes_without_a_key_change_nothing(version: MacVersion, phy: bytes) -> None:
    bench = Bench(version=version)
    bench.uplink()
    session = bench.node.session
    assert session is not None
    session.f_cnt_up -= 1
    before = remembered(bench.node)
    bench.answer_in_rx1(phy)

    bench.uplink()

    session.f_cnt_up -= 1
    assert remembered(bench.node) == before
    assert bench.seen == []


@QUIET
@given(st.binary(max_size=255), st.booleans())
def test_bytes_in_answer_to_a_join_join_nothing(phy: bytes, wide: bool) -> None:
    bench = Bench(OTAA, wide_join_windows=wide)
    bench.answer_in_rx1(phy, delay_s=5)

    report = bench.do(bench.node.join(most=1))

    assert not report.is_joined
    assert bench.node.session is None


@QUIET
@given(st.binary(max_size=50), st.binary(max_size=50), st.sampled_from(["EU868", "US915", "AS923"]))
def test_commands_with_a_good_key_never_break_a_device(
    first: bytes, second: bytes, region_name: str
) -> None:
    """A network may say what it likes: the device goes on sending."""
    bench = Bench(region_name=region_name, version=MacVersion.V1_1)
    network = network_session(is_1_1=True)
    for f_cnt, commands in enumerate((first, second)):
        phy = network.protect_downlink(f_cnt, 0, commands)
        bench.answer_in_rx1(phy, delay_s=bench.node.parameters.rx1_delay_s)
        bench.uplink()
        bench.node.parameters.max_duty_exponent = 0

    assert bench.uplink().outcome.value == "sent"
    assert bench.node.parameters.enabled


@QUIET
@given(
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF),
    st.sampled_from([None, 0, 5]),
    st.booleans(),
)
def test_a_counter_that_is_not_greater_is_refused(
    last: int, low: int, f_port: int | None, is_1_1: bool
) -> None:
    bench = Bench(version=MacVersion.V1_1 if is_1_1 else MacVersion.V1_0_4)
    network = network_session(is_1_1=is_1_1)
    payload = b"\x06" if f_port is not None else b""
    first = network.protect_downlink(last, f_port, payload)
    second = network.protect_downlink(low, f_port, payload)
    for phy in (first, second):
        bench.answer_in_rx1(phy)
        bench.uplink()

    assert bench.node.tally.downlinks == (2 if low > last else 1)


@QUIET
@given(
    st.lists(st.binary(max_size=8), max_size=4), st.sampled_from(["loramac-node", "basics-modem"])
)
def test_test_commands_never_break_a_device(commands: list[bytes], manner: str) -> None:
    bench = Bench(certification=manner)
    network = network_session()
    for f_cnt, command in enumerate(commands):
        bench.answer_in_rx1(network.protect_downlink(f_cnt, 224, command))
        bench.uplink()
        bench.rest(1)

    assert bench.uplink().outcome.value in ("sent", "acknowledged", "not acknowledged")


def test_a_gap_of_16384_is_the_last_one_taken_before_1_0_4() -> None:
    def downlinks(version: MacVersion, gap: int) -> int:
        bench = Bench(version=version)
        for f_cnt in (10, 10 + gap):
            bench.answer_in_rx1(network_session().protect_downlink(f_cnt))
            bench.uplink()
        return bench.node.tally.downlinks

    old, new = MacVersion.V1_0_3, MacVersion.V1_0_4
    assert [downlinks(old, 16_384), downlinks(old, 16_385), downlinks(new, 16_385)] == [2, 1, 2]


def test_counters_go_on_beyond_16_bits() -> None:
    bench = Bench()
    session = bench.node.session
    assert session is not None
    session.n_f_cnt_down = 0x1_FFFF
    bench.answer_in_rx1(network_session().protect_downlink(0x2_0003, 7, b"!"))

    bench.uplink()

    assert (bench.seen, session.n_f_cnt_down) == ([(7, b"!")], 0x2_0003)


def test_1_1_counts_network_and_application_apart() -> None:
    bench = Bench(version=MacVersion.V1_1)
    network = network_session(is_1_1=True)
    for f_cnt, f_port in ((5, 1), (2, None), (6, 1), (2, None), (3, 0)):
        bench.answer_in_rx1(
            network.protect_downlink(f_cnt, f_port, b"\x06" if f_port == 0 else b"")
        )
        bench.uplink()

    session = bench.node.session
    assert session is not None
    assert (session.a_f_cnt_down, session.n_f_cnt_down) == (6, 3)
    assert (bench.node.tally.downlinks, bench.node.tally.ignored) == (4, 1)


def test_an_acknowledgement_in_1_1_is_bound_to_the_uplink() -> None:
    bench = Bench(version=MacVersion.V1_1, first_f_cnt=9)
    network = network_session(is_1_1=True)
    wrong = network.protect_downlink(0, f_ctrl=0x20, conf_f_cnt=8)
    right = network.protect_downlink(0, f_ctrl=0x20, conf_f_cnt=9)

    outcomes = []
    for phy in (wrong, right):
        bench.answer_in_rx1(phy)
        bench.node.session.f_cnt_up = 9  # type: ignore[union-attr]
        outcomes.append(bench.uplink(b"!", f_port=1, is_confirmed=True).outcome.value)

    assert outcomes == ["not acknowledged", "acknowledged"]


def test_a_frame_with_the_right_address_and_the_wrong_key_is_refused() -> None:
    other = SessionKeys.legacy(bytes(16), bytes(16))
    bench = Bench()
    bench.answer_in_rx1(Session(DEV_ADDR, other).protect_downlink(0, 1, b"?"))

    bench.uplink()

    assert (bench.seen, bench.node.tally.ignored) == ([], 1)


def test_an_uplink_of_its_own_address_is_no_downlink() -> None:
    bench = Bench()
    bench.answer_in_rx1(encode(DataFrame(FType.UNCONFIRMED_UP, DEV_ADDR, 0)))

    bench.uplink()

    assert (bench.node.tally.downlinks, bench.node.tally.ignored) == (0, 1)
    assert KEYS.app_s_key.hex().endswith("6708")
