"""
Adaptive data rate: what the network makes of the SNR and the losses of a device's last uplinks.

SF7 needs -7.5 dB at 125 kHz, each factor more 2.5 dB less; the margin is 15 dB, and 2.5 dB more
while fewer than 20 uplinks are known.
"""

from __future__ import annotations

from typing import Any

import pytest

from simulators.lorawan.frames import ADR
from simulators.lorawan.mac_commands import (
    LinkADRAns,
    LinkADRReq,
    MacCommand,
    encode,
    parse,
)
from simulators.lorawan.modulation import Lora
from tests.simulators.platforms.things_stack.conftest import Bench
from tests.simulators.platforms.things_stack.radio import Air, abp_session, add_abp, state_of
from tests.simulators.platforms.things_stack.test_class_a import SETTLED

EIGHT = SETTLED["factory_preset_frequencies"]
QUIET = {name: value for name, value in SETTLED.items() if name != "adr"}
REFUSES_POWER = LinkADRAns(True, True, False)
TAKES_IT = LinkADRAns(True, True, True)


class Walk:
    """A device that sends with ADR on, and what it is asked."""

    def __init__(self, bench: Bench, *, version: str = "MAC_V1_0_3", **mac_settings: Any) -> None:
        bench.application()
        self.bench = bench
        self.air = Air(bench)
        self.session = abp_session()
        self.f_cnt = 0
        add_abp(bench, mac_settings=QUIET | mac_settings, version=version)

    def send(
        self,
        count: int = 1,
        *,
        snr: float = 0.0,
        spreading_factor: int = 12,
        answers: tuple[MacCommand, ...] = (),
        step: int = 1,
        f_ctrl: int = ADR,
    ) -> None:
        for _ in range(count):
            told = b"".join(map(encode, answers))
            phy = self.session.protect_uplink(self.f_cnt, 1, b"x", f_ctrl=f_ctrl, f_opts=told)
            modulation = Lora(spreading_factor, 125_000)
            assert self.air.send(phy, modulation=modulation, snr=snr) is None
            self.air.wait(10)
            self.f_cnt += step

    def parameters(self, which: str = "desired") -> tuple[int, int, int]:
        """Data rate, power and repetitions."""
        found = state_of(self.bench)["mac_state"][f"{which}_parameters"]
        names = ("adr_data_rate_index", "adr_tx_power_index", "adr_nb_trans")
        return tuple(found.get(name, 0) for name in names)  # type: ignore[return-value]

    def asked(self) -> list[MacCommand]:
        """The commands in the last downlink."""
        downlink = self.air.downlinks[-1].phy
        for f_cnt in range(len(self.air.downlinks)):
            if downlink[6] == f_cnt:
                return parse(
                    self.session.open_downlink(downlink, f_cnt).f_opts, is_uplink=False
                ).commands
        raise AssertionError("the downlink has another counter")


# SNR of one uplink at SF12, whose floor is -20 dB: what is above -2.5 dB is to be used.
FIRST = [
    pytest.param(-10.0, (0, 0, 1), id="too-weak"),
    pytest.param(-2.5, (0, 0, 1), id="nothing-left"),
    pytest.param(-0.1, (0, 1, 1), id="power-alone"),
    pytest.param(0.0, (1, 0, 1), id="one-step"),
    pytest.param(5.0, (3, 0, 1), id="three-steps"),
    pytest.param(10.0, (5, 0, 1), id="all-steps"),
    pytest.param(14.0, (5, 2, 1), id="and-4-dB"),
    pytest.param(60.0, (5, 7, 1), id="all-there-is"),
]


@pytest.mark.parametrize(("snr", "expected"), FIRST)
def test_the_first_uplink_decides(bench: Bench, snr: float, expected: tuple[int, int, int]) -> None:
    walk = Walk(bench)

    walk.send(snr=snr)

    assert walk.parameters() == expected


def test_with_twenty_uplinks_there_is_more_margin(bench: Bench) -> None:
    walk = Walk(bench)

    walk.send(19, snr=-2.5)
    assert walk.parameters() == (0, 0, 1)
    walk.send(snr=-2.5)

    assert walk.parameters() == (1, 0, 1)


def test_the_best_of_the_last_uplinks_counts(bench: Bench) -> None:
    walk = Walk(bench)

    walk.send(snr=0.0)
    walk.send(snr=-15.0)

    assert walk.parameters() == (1, 0, 1)


def test_the_data_rate_is_never_lowered(bench: Bench) -> None:
    walk = Walk(bench)

    walk.send(3, snr=-19.0, spreading_factor=9)

    assert walk.parameters() == (3, 0, 1)


@pytest.mark.parametrize(
    ("step", "expected"),
    [(1, 1), (2, 3)],
    ids=["none-lost", "half-lost"],
)
def test_losses_make_a_device_repeat(bench: Bench, step: int, expected: int) -> None:
    walk = Walk(bench)

    walk.send(10, snr=-19.0, step=step)

    assert walk.parameters()[2] == expected


def test_some_losses_make_it_repeat_a_little(bench: Bench) -> None:
    walk = Walk(bench)
    walk.send(5, snr=-19.0)
    walk.f_cnt += 2

    walk.send(5, snr=-19.0)

    assert walk.parameters()[2] == 2  # 2 of 12 were lost


def test_what_is_desired_is_asked_for(bench: Bench) -> None:
    walk = Walk(bench)

    walk.send(snr=14.0)

    assert walk.asked() == [LinkADRReq(2, 5, 0xFF, 1, 0)]


def test_from_1_0_4_on_what_stays_is_not_named(bench: Bench) -> None:
    walk = Walk(bench, version="MAC_V1_0_4")

    walk.send(snr=0.0)

    assert walk.asked() == [LinkADRReq(15, 1, 0xFF, 1, 0)]


def test_what_is_accepted_is_current(bench: Bench) -> None:
    walk = Walk(bench)
    walk.send(snr=14.0)

    walk.send(snr=-19.0, answers=(TAKES_IT,), spreading_factor=7)

    assert walk.parameters("current") == (5, 2, 1)
    assert state_of(bench)["mac_state"]["last_adr_change_f_cnt_up"] == 1


def test_what_was_heard_before_a_change_no_longer_counts(bench: Bench) -> None:
    walk = Walk(bench)
    walk.send(snr=0.0)
    walk.send(snr=0.0, answers=(TAKES_IT,), spreading_factor=11)

    walk.send(snr=-30.0, spreading_factor=11)

    assert walk.parameters() == (1, 0, 1)


def test_a_power_that_the_device_has_not_is_not_asked_for_again(bench: Bench) -> None:
    walk = Walk(bench)
    walk.send(snr=60.0)

    walk.send(snr=60.0, answers=(REFUSES_POWER,))

    assert state_of(bench)["mac_state"]["rejected_adr_tx_power_indexes"] == [7]
    assert walk.parameters() == (5, 6, 1)


def test_a_device_without_adr_is_left_as_it_is(bench: Bench) -> None:
    walk = Walk(bench)

    walk.send(3, snr=60.0, f_ctrl=0)

    assert (walk.parameters(), walk.air.downlinks) == ((0, 0, 1), [])


MODES = [
    pytest.param({"adr": {"disabled": {}}}, (0, 0, 1), id="disabled"),
    pytest.param({"use_adr": False}, (0, 0, 1), id="old-disabled"),
    pytest.param(
        {"adr": {"static": {"data_rate_index": 2, "tx_power_index": 3, "nb_trans": 2}}},
        (2, 3, 2),
        id="static",
    ),
    pytest.param({"adr": {"dynamic": {"margin": 20}}}, (4, 0, 1), id="margin"),
    pytest.param({"adr_margin": 20}, (4, 0, 1), id="old-margin"),
    pytest.param({"adr": {"dynamic": {"max_data_rate_index": 3}}}, (3, 3, 1), id="highest"),
    pytest.param({"adr": {"dynamic": {"min_nb_trans": 2}}}, (5, 1, 2), id="repeats"),
    pytest.param({"adr": {"dynamic": {"max_tx_power_index": 0}}}, (5, 0, 1), id="full-power"),
]


@pytest.mark.parametrize(("settings", "expected"), MODES)
def test_a_device_s_settings_choose_the_mode(
    bench: Bench, settings: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    walk = Walk(bench, **settings)

    walk.send(snr=12.5)

    assert walk.parameters() == expected


def test_a_choice_of_the_settings_needs_no_adr_of_the_device(bench: Bench) -> None:
    static = {"data_rate_index": 2, "tx_power_index": 3, "nb_trans": 2}
    walk = Walk(bench, adr={"static": static})

    walk.send(f_ctrl=0)

    assert walk.asked() == [LinkADRReq(3, 2, 0xFF, 2, 0)]


def test_a_margin_that_is_missed_raises_the_power(bench: Bench) -> None:
    walk = Walk(bench)
    walk.send(snr=14.0)
    walk.send(snr=60.0, answers=(TAKES_IT,), spreading_factor=7)
    walk.send(snr=60.0, spreading_factor=7)
    walk.send(snr=60.0, answers=(TAKES_IT,), spreading_factor=7)
    assert walk.parameters("current") == (5, 7, 1)

    walk.send(snr=3.0, spreading_factor=7)

    # 3 - -7.5 - 15 - 2.5 are 7 dB too few: four steps of 2 dB.
    assert walk.parameters() == (5, 3, 1)


def test_where_the_highest_power_may_not_be_the_data_rate_waits(bench: Bench) -> None:
    walk = Walk(bench, adr={"dynamic": {"min_tx_power_index": 2}})

    walk.send(snr=12.5)

    # 12.5 - -20 - 15 - 2.5 are 15 dB: less 4 dB, they are enough for four data rates.
    assert walk.parameters() == (4, 2, 1)


def test_a_device_that_slows_down_has_raised_its_power(bench: Bench) -> None:
    walk = Walk(bench)
    walk.send(snr=14.0)
    walk.send(snr=-19.0, answers=(TAKES_IT,), spreading_factor=7)

    walk.send(snr=-19.0, spreading_factor=8)

    assert walk.parameters("current") == (4, 0, 1)
