"""Channel lists of join accepts, both types in both directions."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lorawan.cf_list import (
    CFList,
    ChannelMasks,
    Frequencies,
    decode_cf_list,
    encode_cf_list,
)
from simulators.lorawan.errors import LoRaWanError

LISTS: list[tuple[str, CFList]] = [
    (
        "184f84e85684b85e84886684586e8400",
        Frequencies((867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)),
    ),
    ("184f8400000000000000000000000000", Frequencies((867_100_000, 0, 0, 0, 0))),
    # US915, second sub-band: channels 8 to 15 and 65
    ("00ff0000000000000200000000000001", ChannelMasks((0xFF00, 0, 0, 0, 2, 0))),
]


@pytest.mark.parametrize(("data", "cf_list"), LISTS)
def test_both_types_in_both_directions(data: str, cf_list: CFList) -> None:
    assert decode_cf_list(bytes.fromhex(data)) == cf_list
    assert type(decode_cf_list(bytes.fromhex(data))) is type(cf_list)
    assert encode_cf_list(cf_list) == bytes.fromhex(data)


def test_short_lists_are_filled_up() -> None:
    assert encode_cf_list(Frequencies((867_100_000,))) == bytes.fromhex(LISTS[1][0])
    assert encode_cf_list(ChannelMasks((0xFF00, 0, 0, 0, 2))) == bytes.fromhex(LISTS[2][0])


def test_masks_know_their_channels() -> None:
    assert ChannelMasks((0xFF00, 0, 0, 0, 2, 0x8000)).channels == [*range(8, 16), 65, 95]


@pytest.mark.parametrize(
    ("data", "offset", "reason"),
    [
        ("", 0, "expected a CFList of 16 bytes; got 0"),
        (15 * "00" + "02", 15, "expected a CFList of type 0 or 1; got 2"),
    ],
)
def test_other_bytes_are_refused(data: str, offset: int, reason: str) -> None:
    with pytest.raises(LoRaWanError) as refused:
        decode_cf_list(bytes.fromhex(data))
    assert (refused.value.offset, refused.value.reason) == (offset, reason)


@given(st.binary(min_size=16, max_size=16))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with suppress(LoRaWanError):
        cf_list = decode_cf_list(data)
        assert decode_cf_list(encode_cf_list(cf_list)) == cf_list


@pytest.mark.parametrize(
    "cf_list",
    [
        Frequencies((867_100_050,)),
        Frequencies((-100,)),
        Frequencies((0,) * 6),
        ChannelMasks((0x10000,)),
        ChannelMasks((0,) * 7),
    ],
)
def test_values_that_do_not_fit_are_refused(cf_list: CFList) -> None:
    with pytest.raises(LoRaWanError):
        encode_cf_list(cf_list)
