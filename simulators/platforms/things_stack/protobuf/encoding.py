"""
Canonical documents to bytes. Fields without a number are left out.

Source: protobuf.dev, "Encoding"; google/protobuf/struct.proto, timestamp.proto, wrappers.proto.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from typing import Any

from simulators.platforms.things_stack.protobuf.numbers import (
    BITS64,
    FIXED32,
    FIXED64,
    LENGTH,
    VARINT,
    Numbered,
    fields,
)
from simulators.platforms.things_stack.schema import Field, Message, enum, message
from simulators.platforms.things_stack.times import NANOSECONDS, parse_duration, parse_time

Document = dict[str, Any]


def encode(of: Message, document: Document) -> bytes:
    """A canonical document as bytes; fields go by their number."""
    parts = [_field(one, document[one.field.name]) for one in fields(of.name)
             if one.field.name in document]  # fmt: skip
    return b"".join(parts)


def _field(one: Numbered, value: Any) -> bytes:
    field = one.field
    if field.is_map:
        single = one.single()._replace(number=2)
        entries = (_length(1, key.encode()) + _field(single, each) for key, each in value.items())
        return b"".join(_length(one.number, entry) for entry in entries)
    if field.is_list:
        single = one.single()
        return b"".join(_field(single, each) for each in value)
    if one.is_wrapped:
        inner = one._replace(number=1, is_wrapped=False)
        return _length(one.number, _field(inner, value))
    wire, data = _value(field, value)
    head = varint(one.number << 3 | wire)
    return head + (varint(len(data)) if wire == LENGTH else b"") + data


def _length(number: int, data: bytes) -> bytes:
    return varint(number << 3 | LENGTH) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """A number in as many bytes as it needs; a negative one in ten."""
    value %= BITS64
    data = bytearray()
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    data.append(value)
    return bytes(data)


def _value(field: Field, value: Any) -> tuple[int, bytes]:
    if field.kind == "message":
        return LENGTH, encode(message(field.of), value)
    if field.kind == "enum":
        return VARINT, varint(_enum_number(field.of, value))
    return _TO_BYTES[field.kind](value)


def _enum_number(name: str, value: str | int) -> int:
    if isinstance(value, int):
        return value
    return next(number for number, one in enum(name).by_number.items() if one == value)


def _moment(nanoseconds: int) -> bytes:
    """A Timestamp or Duration; of a Duration both parts have the same sign."""
    seconds, rest = divmod(abs(nanoseconds), NANOSECONDS)
    sign = -1 if nanoseconds < 0 else 1
    return _if_set(1, sign * seconds) + _if_set(2, sign * rest)


def _timestamp(text: str) -> bytes:
    seconds, rest = divmod(parse_time(text), NANOSECONDS)
    return _if_set(1, seconds) + _if_set(2, rest)


def _if_set(number: int, value: int) -> bytes:
    return varint(number << 3 | VARINT) + varint(value) if value else b""


def _struct(value: Document) -> bytes:
    entries = (_length(1, key.encode()) + _length(2, _any(each)) for key, each in value.items())
    return b"".join(_length(1, entry) for entry in entries)


def _any(value: Any) -> bytes:
    """A Value of a Struct."""
    if value is None:
        return varint(1 << 3 | VARINT) + b"\0"
    if isinstance(value, bool):
        return varint(4 << 3 | VARINT) + bytes((value,))
    if isinstance(value, int | float):
        return varint(2 << 3 | FIXED64) + struct.pack("<d", value)
    if isinstance(value, str):
        return _length(3, value.encode())
    if isinstance(value, dict):
        return _length(5, _struct(value))
    return _length(6, b"".join(_length(1, _any(each)) for each in value))


_TO_BYTES: dict[str, Callable[[Any], tuple[int, bytes]]] = {
    "bool": lambda value: (VARINT, bytes((value,))),
    **dict.fromkeys(("u32", "u64", "i32", "i64"), lambda value: (VARINT, varint(int(value)))),
    "float": lambda value: (FIXED32, struct.pack("<f", float(value))),
    "double": lambda value: (FIXED64, struct.pack("<d", float(value))),
    "string": lambda value: (LENGTH, value.encode()),
    "bytes": lambda value: (LENGTH, base64.b64decode(value)),
    "hex": lambda value: (LENGTH, bytes.fromhex(value)),
    "time": lambda value: (LENGTH, _timestamp(value)),
    "duration": lambda value: (LENGTH, _moment(parse_duration(value))),
    "struct": lambda value: (LENGTH, _struct(value)),
}
