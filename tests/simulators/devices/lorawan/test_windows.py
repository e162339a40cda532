"""Receive windows: where they open, how they widen, what they catch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.devices.lorawan.windows import (
    PICKY,
    Timing,
    Window,
    elapsed_us,
    is_acceptable,
    is_caught,
    shape,
    symbol_us,
    window,
)
from simulators.lorawan.modulation import Fsk, Lora

SF7, SF12 = Lora(7, 125_000), Lora(12, 125_000)


@pytest.mark.parametrize(
    ("modulation", "error_us", "expected"),
    [
        # 14 symbols at SF10/500 for 10 ms of error, as LoRaMac-node opens its window there.
        pytest.param(Lora(10, 500_000), 10_000, (-6144, 28_672), id="SF10/500"),
        pytest.param(SF7, 10_000, (-8192, 24_576), id="SF7"),
        # Six symbols at least, in the middle of the preamble.
        pytest.param(SF12, 0, (32_768, 196_608), id="SF12 without error"),
        pytest.param(Fsk(50_000), 10_000, (-9680, 20_640), id="FSK"),
    ],
)
def test_a_window_is_as_long_as_its_error_needs(
    modulation: Lora | Fsk, error_us: int, expected: tuple[int, int]
) -> None:
    assert shape(modulation, error_us) == expected


def test_a_window_opens_about_the_delay_after_the_uplink() -> None:
    timing = Timing(rx_error_us=0, tolerance_ppm=0)

    opened = window(500_000, 1_000_000, SF7, timing=timing)

    # A symbol takes 1024 µs: one symbol late, six symbols long.
    assert opened == Window(1_501_024, 1_507_168, 1_500_000)


def test_a_fast_crystal_opens_early_and_a_slow_one_late() -> None:
    assert elapsed_us(1_000_000, 100) == 999_900
    assert elapsed_us(1_000_000, -100) == 1_000_100
    assert elapsed_us(1_000_000, 0) == 1_000_000


def test_a_window_widens_with_the_time_since_the_device_knew_better() -> None:
    timing = Timing(rx_error_us=0, tolerance_ppm=50)
    lengths = [
        (opened := window(0, delay_s * 1_000_000, SF7, timing=timing)).close_us - opened.open_us
        for delay_s in (1, 5, 128, 7200)
    ]

    # 4 symbols and twice 50 ppm of the delay, in whole symbols, and six symbols at least.
    assert lengths == [6144, 6144, 17_408, 724_992]


def test_a_window_is_shifted_by_choice_but_never_opens_before_the_uplink_ends() -> None:
    late = window(0, 1_000_000, SF7, timing=Timing(0, 0, rx_shift_us=3000))
    early = window(0, 1_000_000, SF7, timing=Timing(0, 0, rx_shift_us=-2_000_000))

    assert late.open_us == 1_004_024
    assert early.open_us == 0


@pytest.mark.parametrize(
    ("start_us", "caught"),
    [
        pytest.param(1_000_000, True, id="on time"),
        pytest.param(1_010_000, True, id="as late as the device allows for"),
        pytest.param(990_000, True, id="as early as the device allows for"),
        pytest.param(1_012_000, False, id="too late"),
        pytest.param(988_000, False, id="too early"),
    ],
)
def test_a_frame_is_caught_by_five_symbols_of_its_preamble(start_us: int, caught: bool) -> None:
    opened = window(0, 1_000_000, SF7, timing=Timing(tolerance_ppm=0))

    assert is_caught(opened, start_us, SF7) is caught


@given(
    error_us=st.integers(0, 500_000),
    spreading_factor=st.integers(7, 12),
    share=st.floats(-1, 1),
)
def test_every_frame_within_the_error_is_caught(
    error_us: int, spreading_factor: int, share: float
) -> None:
    modulation = Lora(spreading_factor, 125_000)
    timing = Timing(rx_error_us=error_us, tolerance_ppm=0)

    opened = window(0, 5_000_000, modulation, timing=timing)

    assert is_caught(opened, 5_000_000 + round(share * error_us), modulation)


def test_a_picky_device_takes_frames_within_20_us_alone() -> None:
    opened = window(0, 1_000_000, SF7, timing=PICKY)

    starts = [1_000_000 + off for off in (-21, -20, 0, 20, 21)]
    assert [is_acceptable(opened, start, PICKY) for start in starts] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert is_acceptable(opened, 2_000_000, Timing())


def test_a_symbol_of_fsk_is_a_byte() -> None:
    assert symbol_us(Fsk(50_000)) == 160
    assert symbol_us(SF12) == 32_768
