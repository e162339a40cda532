"""Cayenne LPP: published examples, limits, and what has no form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.wire.cayenne_lpp import KINDS, LppError, encode_lpp


@pytest.mark.parametrize(
    ("values", "payload"),
    [
        # The first four are the examples of myDevices' description.
        pytest.param(
            [(3, "temperature", 27.2), (5, "temperature", 25.5)], "03670110056700ff", id="two"
        ),
        pytest.param([(1, "temperature", -4.1)], "0167ffd7", id="below zero"),
        pytest.param(
            [(6, "accelerometer", {"x": 1.234, "y": -1.234, "z": 0.0})],
            "067104d2fb2e0000",
            id="axes",
        ),
        pytest.param(
            [(1, "gps", {"latitude": 42.3519, "longitude": -87.9094, "altitude": 10.0})],
            "018806765ff2960a0003e8",
            id="gps",
        ),
        pytest.param([(1, "temperature", 24.8)], "016700f8", id="as The Things Stack reads it"),
        pytest.param([(0, "digital_in", True)], "000001", id="a bit"),
        pytest.param([(2, "analog_in", -1.5)], "0202ff6a", id="analog"),
        pytest.param([(2, "relative_humidity", 45.5)], "02685b", id="half per cents"),
        pytest.param([(2, "barometric_pressure", 1013.2)], "02732794", id="pressure"),
        pytest.param([(2, "luminosity", 70_000)], "0265ffff", id="beyond the highest"),
        pytest.param([(2, "temperature", -9e9)], "02678000", id="beyond the lowest"),
        pytest.param([(2, "temperature", float("inf"))], "02677fff", id="endless"),
        pytest.param([], "", id="nothing"),
    ],
)
def test_values_become_bytes(values: list[tuple[int, str, Any]], payload: str) -> None:
    assert encode_lpp(values).hex() == payload


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((1, "warmth", 1.0), "kind must be one of digital_in, .*; got 'warmth'"),
        ((256, "temperature", 1.0), "channel must lie between 0 and 255; got 256"),
        ((1, "temperature", "warm"), "temperature must be a number; got 'warm'"),
        ((1, "temperature", float("nan")), "temperature must be a number; got nan"),
        ((1, "gps", {"latitude": 1.0}), "gps.longitude must be a number; got None"),
        ((1, "temperature", {"": 1.0}), "temperature must be a number; got 1.0"),
        ((1, "gps", 5.0), "gps.latitude must be a number; got 5.0"),
    ],
)
def test_what_has_no_form_is_refused_in_one_line(value: Any, message: str) -> None:
    with pytest.raises(LppError, match=message):
        encode_lpp([value])


@given(st.integers(0, 255), st.sampled_from(sorted(KINDS)), st.floats(allow_nan=False))
def test_every_number_has_a_form_of_the_kinds_size(channel: int, name: str, number: float) -> None:
    kind = KINDS[name]
    value = {field.key: number for field in kind.fields} if kind.fields[0].key else number

    payload = encode_lpp([(channel, name, value)])

    assert payload[:2] == bytes((channel, kind.code))
    assert len(payload) == 2 + sum(field.size for field in kind.fields)
