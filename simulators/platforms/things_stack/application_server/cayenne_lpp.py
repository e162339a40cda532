"""
CayenneLPP: payloads of records, each a channel, a type and a value.

Uplinks have records of many types; a downlink has only numbers in hundredths, without a type.
Source: Cayenne Low Power Payload; names as The Things Stack gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from simulators.platforms.things_stack.errors import StackError

Document = dict[str, Any]

_NAMESPACE = "pkg/messageprocessors/cayennelpp"
_VALUE = re.compile(r"value_\+?0*(\d{1,3})", re.ASCII)
_WORD = 0xFFFF


class _Type(NamedTuple):
    """What a record holds: values of ``size`` bytes each, in units of 1 / ``per_unit``."""

    name: str
    size: int
    per_unit: int = 1
    is_signed: bool = False
    members: tuple[str, ...] = ()  # of a record with several values


_AXES = ("x", "y", "z")
_GPS = 0x88
_TYPES = {
    0x00: _Type("digital_in", 1),
    0x01: _Type("digital_out", 1),
    0x02: _Type("analog_in", 2, 100, True),
    0x03: _Type("analog_out", 2, 100, True),
    0x65: _Type("luminosity", 2),
    0x66: _Type("presence", 1),
    0x67: _Type("temperature", 2, 10, True),
    0x68: _Type("relative_humidity", 1, 2),
    0x71: _Type("accelerometer", 2, 1000, True, _AXES),
    0x73: _Type("barometric_pressure", 2, 10, True),
    0x86: _Type("gyrometer", 2, 100, True, _AXES),
    _GPS: _Type("gps", 3, 10_000, True, ("latitude", "longitude", "altitude")),
}
_ALTITUDE_PER_M = 100


def decode(payload: bytes) -> Document:
    """
    Values by ``<type>_<channel>``, such as ``temperature_1`` in °C.

    Raises:
        StackError: a type that is unknown, or a payload that ends within a record.
    """
    decoded: Document = {}
    position = 0
    while position < len(payload):
        header = payload[position : position + 2]
        of = _TYPES.get(header[-1]) if len(header) == 2 else None
        if of is None:
            raise StackError(f"{_NAMESPACE}:output")
        values = list(_values(of, payload, position + 2))
        decoded[f"{of.name}_{header[0]}"] = _shown(header[1], of, values)
        position += 2 + len(values) * of.size
    return decoded


def _values(of: _Type, payload: bytes, start: int) -> Iterator[int]:
    for index in range(len(of.members) or 1):
        raw = payload[start + index * of.size : start + (index + 1) * of.size]
        if len(raw) < of.size:
            raise StackError(f"{_NAMESPACE}:output")
        yield int.from_bytes(raw, "big", signed=of.is_signed)


def _shown(number: int, of: _Type, values: list[int]) -> Any:
    if not of.members:
        return values[0] if of.per_unit == 1 else values[0] / of.per_unit
    shown = {name: value / of.per_unit for name, value in zip(of.members, values, strict=True)}
    if number == _GPS:
        shown["altitude"] = values[2] / _ALTITUDE_PER_M
    return shown


def encode(values: Document) -> bytes:
    """
    The numbers named ``value_<channel>``, in the order of their channels; all else is left out.

    A number beyond two bytes loses its upper bits, and digits after the second are cut off.
    """
    records = {}
    for name, value in values.items():
        match = _VALUE.fullmatch(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if match is not None and is_number and (channel := int(match[1])) <= 255:
            word = int(value * 100) & _WORD
            records[channel] = bytes((channel, *word.to_bytes(2, "big")))
    return b"".join(records[channel] for channel in sorted(records))
