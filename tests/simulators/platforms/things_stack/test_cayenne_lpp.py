"""CayenneLPP payloads, record by record."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from simulators.platforms.things_stack.application_server import cayenne_lpp
from simulators.platforms.things_stack.errors import StackError

UPLINKS: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("0300ff", {"digital_in_3": 255}),
    ("030101", {"digital_out_3": 1}),
    ("0102ffff", {"analog_in_1": -0.01}),
    ("01030064", {"analog_out_1": 1.0}),
    ("0165ffff", {"luminosity_1": 65535}),
    ("026601", {"presence_2": 1}),
    ("016700f8", {"temperature_1": 24.8}),
    ("0567ffd7", {"temperature_5": -4.1}),
    ("0168c8", {"relative_humidity_1": 100.0}),
    ("067104d2fb2e0000", {"accelerometer_6": {"x": 1.234, "y": -1.234, "z": 0.0}}),
    ("01732794", {"barometric_pressure_1": 1013.2}),
    ("018600c8ff380001", {"gyrometer_1": {"x": 2.0, "y": -2.0, "z": 0.01}}),
    (
        "018806765ff2960a0003e8",
        {"gps_1": {"latitude": 42.3519, "longitude": -87.9094, "altitude": 10.0}},
    ),
    ("0367011005670000", {"temperature_3": 27.2, "temperature_5": 0.0}),
]


@pytest.mark.parametrize(("payload", "values"), UPLINKS, ids=[text for text, _ in UPLINKS])
def test_uplinks_have_a_value_for_each_record(payload: str, values: dict[str, Any]) -> None:
    assert cayenne_lpp.decode(bytes.fromhex(payload)) == values


@pytest.mark.parametrize(("payload", "values"), UPLINKS, ids=[text for text, _ in UPLINKS])
def test_no_prefix_that_ends_within_a_record_is_decoded(
    payload: str, values: dict[str, Any]
) -> None:
    """Every prefix is a whole number of records, or an error."""
    whole = bytes.fromhex(payload)
    for length in range(1, len(whole)):
        with suppress(StackError):
            assert len(cayenne_lpp.decode(whole[:length])) < len(values)


@pytest.mark.parametrize("payload", ["01ff00", "01", "0167", "016700", "01880676"])
def test_what_is_no_record_is_an_invalid_output(payload: str) -> None:
    with pytest.raises(StackError, match="pkg/messageprocessors/cayennelpp:output"):
        cayenne_lpp.decode(bytes.fromhex(payload))


@pytest.mark.parametrize(
    ("values", "payload"),
    [
        ({"value_1": 24.8}, "0109b0"),
        ({"value_1": 50}, "011388"),
        ({"value_2": -50.51, "value_1": 0}, "01000002ec45"),
        ({"value_255": 0.129}, "ff000c"),
        ({"value_1": 400}, "019c40"),
        ({"value_256": 1, "value_": 1, "value": 1, "temperature_1": 1, "_1": 1}, ""),
        ({"value_1": True, "value_2": "3", "value_3": None}, ""),
    ],
)
def test_downlinks_take_numbers_by_channel(values: dict[str, Any], payload: str) -> None:
    assert cayenne_lpp.encode(values).hex() == payload
