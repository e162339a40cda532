"""The certification protocol on FPort 224, in the manners of both reference stacks."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.devices.lorawan.certification import regional_version
from simulators.lorawan.frames import DataFrame
from simulators.lorawan.keys import RootKeys
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.versions import MacVersion

from .network import APP_KEY, OTAA, Bench, join_accept, network_session
from .scripted_radio import Sent

NETWORK = network_session()


def a_bench(manner: str = "loramac-node", **options: Any) -> Bench:
    return Bench(certification=manner, **{"version": MacVersion.V1_0_4, **options})


def tell(bench: Bench, *commands: str, f_cnt: int = 0, f_port: int = 224) -> None:
    """Send test commands, each in answer to an uplink."""
    for number, command in enumerate(commands):
        phy = NETWORK.protect_downlink(f_cnt + number, f_port, bytes.fromhex(command))
        bench.answer_in_rx1(phy)
        bench.uplink()


def replies(bench: Bench, *commands: str, f_cnt: int = 0) -> list[tuple[int | None, str]]:
    """What the device sends by itself within a second after the commands."""
    tell(bench, *commands, f_cnt=f_cnt)
    before = len(bench.radio.sent)
    bench.rest(1)
    sent: list[DataFrame] = [bench.opened(n) for n in range(before, len(bench.radio.sent))]
    return [(each.f_port, each.frm_payload.hex()) for each in sent]


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        pytest.param("00", "000601", id="package version"),
        pytest.param("080102ff", "08020300", id="echo wraps"),
        pytest.param("08", "08", id="echo of nothing"),
        pytest.param("09", "090100", id="count: this downlink is the first"),
        pytest.param("7f", "7f000100000100040002010004", id="versions"),
    ],
)
def test_questions_are_answered_at_once_on_the_same_port(command: str, reply: str) -> None:
    assert replies(a_bench(), command) == [(224, reply)]


def test_an_echo_is_cut_to_what_the_data_rate_takes() -> None:
    bench = a_bench(data_rate=0)
    long = "08" + "00" * 51

    ((f_port, reply),) = replies(bench, long)

    assert (f_port, reply) == (224, "08" + "01" * 50)


def test_application_downlinks_and_bare_acknowledgements_count() -> None:
    bench = a_bench()
    for phy in (
        NETWORK.protect_downlink(0, 1, b"x"),
        NETWORK.protect_downlink(1, f_ctrl=0x20),
        NETWORK.protect_downlink(2, 0, b"\x06"),
        NETWORK.protect_downlink(3, f_opts=b"\x06"),
    ):
        bench.answer_in_rx1(phy)
        bench.uplink()

    assert replies(bench, "09", f_cnt=4)[-1] == (224, "090300")
    assert replies(bench, "0a", "09", f_cnt=5)[-1] == (224, "090100")


@pytest.mark.parametrize(("index", "period_s"), [(1, 5), (7, 60), (10, 480)])
def test_the_period_is_taken_from_a_table(index: int, period_s: int) -> None:
    bench = a_bench()

    tell(bench, f"06{index:02x}")

    assert bench.node.period_us == period_s * 1_000_000


@pytest.mark.parametrize("index", ["0b", "ff"])
def test_a_period_beyond_the_table_is_ignored(index: str) -> None:
    bench = a_bench()
    tell(bench, "0602", f"06{index}")

    assert bench.node.period_us == 10_000_000


@pytest.mark.parametrize(
    ("command", "confirmed"), [("0701", False), ("0702", True), ("0700", None), ("07ff", None)]
)
def test_frames_are_of_the_kind_that_was_asked_for(command: str, confirmed: bool | None) -> None:
    bench = a_bench(confirmed_tries=1)
    bench.node.parameters.nb_trans = 1
    tell(bench, command)

    bench.uplink(b"x", f_port=1)
    bench.uplink(b"x", f_port=1, is_confirmed=True)

    kinds = [bench.opened(number).is_confirmed for number in (-2, -1)]
    assert kinds == ([confirmed] * 2 if confirmed is not None else [False, True])


def test_the_adr_bit_is_switched() -> None:
    bench = a_bench()
    tell(bench, "0400")
    bench.uplink()
    off = bench.opened(-1).adr
    tell(bench, "0401", f_cnt=1)
    bench.uplink()

    assert (off, bench.opened(-1).adr) == (False, True)


def test_the_duty_cycle_is_switched() -> None:
    bench = a_bench(duty_cycle="off-time")
    tell(bench, "0500")
    bench.uplink()
    at_us = bench.clock.now_us()

    bench.uplink()

    assert bench.radio.sent[-1].start_us == at_us


@pytest.mark.parametrize(("command", "f_opts"), [("20", "02"), ("21", "0d"), ("2203", "1003")])
def test_questions_of_the_device_are_sent_when_asked_for(command: str, f_opts: str) -> None:
    bench = a_bench()
    tell(bench, command)

    assert bench.uplink_options().hex() == f_opts


def test_the_class_is_switched_and_others_refused() -> None:
    bench = a_bench()
    tell(bench, "0302", "0303")
    assert bench.node.device_class == "C"
    tell(bench, "0300", f_cnt=2)
    assert bench.node.device_class == "A"


def joined_bench(**options: Any) -> Bench:
    """A device that joins whenever it asks; its session keys are made anew each time."""
    bench = Bench(OTAA, certification="loramac-node", version=MacVersion.V1_0_4, **options)
    answer_joins(bench)
    bench.do(bench.node.join())
    return bench


def answer_joins(bench: Bench) -> None:
    def answer(sent: Sent) -> None:
        if sent.payload[0] == 0:
            nonce = int.from_bytes(sent.payload[17:19], "little")
            phy = join_accept(RootKeys(APP_KEY), nonce, nonce + 1)
            bench.radio.put_on_air(phy, sent.end_us + 5_000_000, sent.frequency_hz, sent.modulation)

    bench.radio.on_uplink = answer


def order(bench: Bench, command: str) -> None:
    session = bench.node.session
    assert session is not None
    phy = session.crypto.protect_downlink(session.n_f_cnt_down + 1, 224, bytes.fromhex(command))
    bench.answer_in_rx1(phy)
    bench.uplink()
    answer_joins(bench)
    bench.rest(60)


@pytest.mark.parametrize("command", ["01", "02"])
def test_a_device_joins_again_with_a_new_nonce(command: str) -> None:
    bench = joined_bench(kept=frozenset(("dev_nonce", "join_nonce")))

    order(bench, command)

    nonces = [each.payload[17] for each in bench.radio.sent if each.payload[0] == 0]
    assert nonces == [0, 1]
    assert bench.node.is_joined


def test_a_port_that_was_switched_off_stays_off_after_a_reboot() -> None:
    bench = joined_bench(kept=frozenset(("dev_nonce", "join_nonce")))
    order(bench, "7e")
    bench.node.reboot()
    bench.do(bench.node.join())

    order(bench, "00")

    assert bench.seen == [(224, b"\0")]


@pytest.mark.parametrize(
    ("manner", "command", "reply"),
    [
        pytest.param("loramac-node", "0900", [(224, "090100")], id="loramac-node reads on"),
        pytest.param("basics-modem", "0900", [], id="basics-modem ignores a wrong length"),
        pytest.param("loramac-node", "06", [], id="too short for both"),
        pytest.param("loramac-node", "42", [(224, "420000")], id="beacons by 42"),
        pytest.param("basics-modem", "43", [(224, "430000")], id="beacons by 43"),
        pytest.param("basics-modem", "42", [], id="unknown to basics-modem"),
        pytest.param("loramac-node", "55", [], id="unknown"),
    ],
)
def test_manners_differ(manner: str, command: str, reply: list[tuple[int, str]]) -> None:
    assert replies(a_bench(manner), command) == reply


def test_without_the_protocol_the_port_is_the_applications() -> None:
    bench = a_bench("")
    tell(bench, "00")

    assert bench.seen == [(224, b"\0")]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (PhyVersion.RP002_V1_0_3, "02010003"),
        (PhyVersion.PHY_V1_0_2_REV_B, "01000201"),
        (PhyVersion.PHY_V1_0_3_REV_A, "01000300"),
    ],
)
def test_versions_of_the_regional_parameters(version: PhyVersion, expected: str) -> None:
    assert regional_version(version).hex() == expected
