"""EUIs in every form that stations and servers write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.wire.errors import WireError
from simulators.wire.eui import dashed, id6, read_eui

# EUI, with dashes, as ID6. The first five stand in Basics Station's glossary.
FORMS = [
    ("0000000000000000", "00-00-00-00-00-00-00-00", "::0"),
    ("0001000000000000", "00-01-00-00-00-00-00-00", "1::"),
    ("00000000000a000b", "00-00-00-00-00-0A-00-0B", "::a:b"),
    ("000f000000000001", "00-0F-00-00-00-00-00-01", "f::1"),
    ("000fa12300f80100", "00-0F-A1-23-00-F8-01-00", "f:a123:f8:100"),
    ("b827ebfffe000001", "B8-27-EB-FF-FE-00-00-01", "b827:ebff:fe00:1"),
    ("00000000000000ff", "00-00-00-00-00-00-00-FF", "::ff"),
    ("00010000000a0000", "00-01-00-00-00-0A-00-00", "1:0:a:0"),
    ("0000000a00000000", "00-00-00-0A-00-00-00-00", "0:a::"),
]


@pytest.mark.parametrize(("eui", "with_dashes", "short"), FORMS)
def test_each_form_is_written_and_read(eui: str, with_dashes: str, short: str) -> None:
    assert (dashed(eui), id6(eui)) == (with_dashes, short)
    colons = with_dashes.replace("-", ":")
    for form in (with_dashes, with_dashes.lower(), colons, short, eui, eui.upper(), int(eui, 16)):
        assert read_eui(form) == eui


@given(st.integers(0, 2**64 - 1))
def test_every_eui_survives(number: int) -> None:
    eui = f"{number:016x}"
    assert read_eui(id6(eui)) == read_eui(dashed(eui)) == read_eui(number) == eui


@pytest.mark.parametrize(
    "value",
    [
        "", ":", ":::", "1:2:3", "1:2:3:4:5", "1::2::3", "1:2:3:4::", "12345::", "g::1", "00-01",
        "00-01:02-03-04-05-06-07", "00-01-02-03-04-05-06-0", "0011223344556677889", "\u0661::1",
        -1, 1 << 64, True, None, 1.0, [], {},
    ],
)  # fmt: skip
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(WireError, match="expected an EUI; got "):
        read_eui(value)
