"""
Cayenne Low Power Payload: measured values in a few bytes each, channel by channel.

Every value is a channel, a type and big-endian numbers. The names are those that network servers
show: ``temperature``, ``relative_humidity``, ``gps``.

Source: myDevices, "Cayenne LPP", section "Payload structure".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class LppError(ValueError):
    """A value that Cayenne LPP has no form for; the message is one lower-case phrase."""


class Field(NamedTuple):
    """One number of a value: its key in a document, bytes, sign, and what one step is worth."""

    key: str
    size: int
    is_signed: bool
    step: float


class Kind(NamedTuple):
    """A type of value: a single number has one field with an empty key."""

    code: int
    fields: tuple[Field, ...]


def _number(code: int, size: int, step: float, *, signed: bool = False) -> Kind:
    return Kind(code, (Field("", size, signed, step),))


def _axes(code: int, step: float) -> Kind:
    return Kind(code, tuple(Field(axis, 2, True, step) for axis in "xyz"))


KINDS: dict[str, Kind] = {
    "digital_in": _number(0, 1, 1),
    "digital_out": _number(1, 1, 1),
    "analog_in": _number(2, 2, 0.01, signed=True),
    "analog_out": _number(3, 2, 0.01, signed=True),
    "luminosity": _number(101, 2, 1),
    "presence": _number(102, 1, 1),
    "temperature": _number(103, 2, 0.1, signed=True),
    "relative_humidity": _number(104, 1, 0.5),
    "accelerometer": _axes(113, 0.001),
    "barometric_pressure": _number(115, 2, 0.1),
    "gyrometer": _axes(134, 0.01),
    "gps": Kind(
        136,
        (
            Field("latitude", 3, True, 0.0001),
            Field("longitude", 3, True, 0.0001),
            Field("altitude", 3, True, 0.01),
        ),
    ),
}

Value = float | Mapping[str, float]


def encode_lpp(values: Iterable[tuple[int, str, Value]]) -> bytes:
    """
    The payload of measured values.

    Args:
        values: channel (0 to 255), name of the kind, and a number or, for kinds with several, a
            document of numbers. A number beyond what the kind can hold becomes its nearest one.
    Raises:
        LppError: an unknown kind, a wrong channel, or a value that is no number.
    """
    return b"".join(_encode(channel, name, value) for channel, name, value in values)


def _encode(channel: int, name: str, value: Value) -> bytes:
    kind = KINDS.get(name)
    if kind is None:
        raise LppError(f"kind must be one of {', '.join(KINDS)}; got {name!r}")
    if not 0 <= channel <= 255:
        raise LppError(f"channel must lie between 0 and 255; got {channel}")
    numbers = b"".join(_field(field, name, value) for field in kind.fields)
    return bytes((channel, kind.code)) + numbers


def _field(field: Field, name: str, value: Any) -> bytes:
    is_document = isinstance(value, Mapping)
    number = value.get(field.key) if is_document else value
    if is_document != bool(field.key) or not isinstance(number, int | float) or number != number:
        what = f"{name}.{field.key}" if field.key else name
        raise LppError(f"{what} must be a number; got {number!r}")
    bits = 8 * field.size
    below = 1 << bits - 1 if field.is_signed else 0
    steps = min((1 << bits) - 1 - below, max(-below, number / field.step))
    return round(steps).to_bytes(field.size, "big", signed=field.is_signed)
