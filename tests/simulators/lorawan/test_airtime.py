"""Time on air against published figures and figures of the formula, each to the microsecond."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lorawan.airtime import needs_ldro, symbol_us, time_on_air_us
from simulators.lorawan.modulation import Fsk, Lora

# SF, kHz, coding rate, PHY bytes, implicit header, CRC, preamble, µs. Six programs agree on these:
# the SX1276 and SX126x drivers of LoRaMac-node 4.7, ns-3's lorawan module, basicmac, Basics Station
# and lora-calc.
AGREED = [
    (7, 125, "4/5", 20, False, True, 8, 56_576),
    (8, 125, "4/5", 20, False, True, 8, 102_912),
    (9, 125, "4/5", 20, False, True, 8, 185_344),
    (10, 125, "4/5", 20, False, True, 8, 370_688),
    (11, 125, "4/5", 20, False, True, 8, 741_376),
    (12, 125, "4/5", 20, False, True, 8, 1_318_912),
    (7, 250, "4/5", 20, False, True, 8, 28_288),
    (11, 250, "4/5", 20, False, True, 8, 329_728),
    (12, 250, "4/5", 20, False, True, 8, 659_456),
    (7, 500, "4/5", 20, False, True, 8, 14_144),
    (12, 500, "4/5", 20, False, True, 8, 329_728),
    (12, 125, "4/8", 20, False, True, 8, 1_712_128),
    (7, 125, "4/5", 1, False, True, 8, 25_856),
    (7, 125, "4/5", 13, False, True, 8, 46_336),
    (7, 125, "4/5", 23, False, True, 8, 61_696),
    (12, 125, "4/5", 23, False, True, 8, 1_482_752),
    (10, 125, "4/5", 24, False, True, 8, 370_688),
    (7, 125, "4/5", 255, False, True, 8, 399_616),
    (12, 125, "4/5", 255, False, True, 8, 9_019_392),
    (12, 125, "4/5", 0, False, True, 8, 663_552),
    (7, 125, "4/5", 17, False, False, 8, 46_336),
    (9, 125, "4/5", 33, False, False, 8, 246_784),
    (12, 125, "4/5", 17, False, False, 8, 1_155_072),
    (9, 125, "4/5", 17, True, False, 10, 152_576),
    (12, 500, "4/5", 23, True, False, 10, 305_152),
]
# ns-3's own check values, and the frames of its ALOHA examples.
NS3 = [
    (7, 125, "4/5", 10, False, True, 8, 41_216),
    (8, 125, "4/5", 10, False, True, 8, 72_192),
    (8, 125, "4/6", 10, False, True, 8, 78_336),
    (8, 125, "4/6", 10, False, True, 10, 82_432),
    (12, 125, "4/5", 50, False, True, 8, 2_301_952),
    (12, 125, "4/6", 50, False, True, 8, 2_629_632),
    (7, 125, "4/5", 59, False, True, 8, 112_896),
    (8, 125, "4/5", 59, False, True, 8, 205_312),
    (9, 125, "4/5", 59, False, True, 8, 369_664),
    (10, 125, "4/5", 59, False, True, 8, 657_408),
    (11, 125, "4/5", 59, False, True, 8, 1_478_656),
    (12, 125, "4/5", 59, False, True, 8, 2_629_632),
]


@pytest.mark.parametrize("row", [*AGREED, *NS3], ids=lambda row: "-".join(map(str, row)))
def test_published_figures(row: tuple[int, int, str, int, bool, bool, int, int]) -> None:
    factor, khz, coding_rate, size, implicit_header, has_crc, preamble, expected = row

    airtime_us = time_on_air_us(
        Lora(factor, khz * 1000, coding_rate),
        size,
        preamble=preamble,
        implicit_header=implicit_header,
        has_crc=has_crc,
    )

    assert airtime_us == expected


@pytest.mark.parametrize(
    ("bit_rate", "size", "expected"),
    [(50_000, 0, 1_760), (50_000, 20, 4_960), (50_000, 255, 42_560), (150_000, 1, 640)],
)
def test_fsk_adds_eleven_bytes(bit_rate: int, size: int, expected: int) -> None:
    """Five bytes of preamble, three of sync word, one of length, two of CRC."""
    assert time_on_air_us(Fsk(bit_rate), size) == expected


@given(
    factor=st.integers(7, 12),
    khz=st.sampled_from([125, 250, 500]),
    rate=st.integers(1, 4),
    size=st.integers(0, 255),
    implicit_header=st.booleans(),
    has_crc=st.booleans(),
    preamble=st.integers(6, 20),
    ldro=st.sampled_from([None, False, True]),
)
def test_every_form_of_a_frame_follows_the_datasheet(
    factor: int,
    khz: int,
    rate: int,
    size: int,
    implicit_header: bool,
    has_crc: bool,
    preamble: int,
    ldro: bool | None,
) -> None:
    """The datasheet's formula in fractions, term by term."""
    symbol = Fraction(2**factor * 1000, khz)
    optimised = symbol >= 16_384 if ldro is None else ldro
    numerator = 8 * size - 4 * factor + 28
    numerator += 16 if has_crc else 0
    numerator -= 20 if implicit_header else 0
    blocks = ceil(Fraction(numerator, 4 * (factor - (2 if optimised else 0))))
    expected = symbol * (preamble + Fraction(17, 4) + 8 + max(0, blocks * (rate + 4)))

    airtime_us = time_on_air_us(
        Lora(factor, khz * 1000, f"4/{rate + 4}"),
        size,
        preamble=preamble,
        implicit_header=implicit_header,
        has_crc=has_crc,
        ldro=ldro,
    )

    assert airtime_us == expected


def test_the_optimisation_is_on_for_long_symbols_alone() -> None:
    optimised = [
        (factor, khz)
        for factor in range(6, 13)
        for khz in (125, 250, 500)
        if needs_ldro(Lora(factor, khz * 1000))
    ]

    assert optimised == [(11, 125), (12, 125), (12, 250)]


def test_a_symbol_doubles_with_each_spreading_factor() -> None:
    symbols = [symbol_us(Lora(factor, 125_000)) for factor in range(7, 13)]

    assert symbols == [1_024, 2_048, 4_096, 8_192, 16_384, 32_768]


def test_an_odd_bandwidth_is_rounded_to_the_nearest_microsecond() -> None:
    assert symbol_us(Lora(7, 41_667)) == 3_072  # 3071.975…


@pytest.mark.parametrize(
    ("modulation", "size", "preamble", "message"),
    [
        (Lora(7, 125_000), 256, 8, "expected a PHY payload of 0 to 255 bytes; got 256"),
        (Fsk(50_000), -1, 8, "expected a PHY payload of 0 to 255 bytes; got -1"),
        (Lora(5, 125_000), 20, 8, "expected a spreading factor of 6 to 12; got 5"),
        (Lora(6, 125_000), 20, 8, "expected an implicit header with spreading factor 6"),
        (Lora(7, 0), 20, 8, "expected a bandwidth above 0 Hz; got 0"),
        (Lora(7, 125_000, "4/9"), 20, 8, "expected a coding rate of 4/5, 4/6, 4/7, 4/8; got '4/9'"),
        (Lora(7, 125_000), 20, -1, "expected a preamble of 0 symbols or more; got -1"),
    ],
)
def test_what_no_radio_sends_is_refused(
    modulation: Lora | Fsk, size: int, preamble: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        time_on_air_us(modulation, size, preamble=preamble)


def test_spreading_factor_6_has_an_implicit_header() -> None:
    """LoRaSim's second network: SF6 at 500 kHz, 20 bytes."""
    assert time_on_air_us(Lora(6, 500_000), 20, implicit_header=True) == 7_072
