"""
Bytes to canonical documents. Unknown fields are dropped.

Source: protobuf.dev, "Encoding"; google/protobuf/struct.proto, timestamp.proto, wrappers.proto.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator
from typing import Any

from simulators.platforms.things_stack.proto_json import put, shortest_float
from simulators.platforms.things_stack.protobuf.numbers import (
    BITS64,
    FIXED32,
    FIXED64,
    LENGTH,
    VARINT,
    Numbered,
    fields,
)
from simulators.platforms.things_stack.schema import NO_ZERO, Field, Message, enum, message
from simulators.platforms.things_stack.times import NANOSECONDS, duration_text_ns, time_text_ns

Document = dict[str, Any]

_DEEPEST = 100


class ProtobufError(ValueError):
    """Bytes that are no such message."""


def decode(of: Message, data: bytes, depth: int = 0) -> Document:
    """
    Bytes as a canonical document; unknown fields are dropped.

    Raises:
        ProtobufError: no such message.
    """
    document: Document = {}
    numbered = {one.number: one for one in fields(of.name)}
    for number, wire, raw in _raw_fields(data, depth):
        one = numbered.get(number)
        if one is not None:
            _set(of, document, one, _read(one, wire, raw, depth))
    return document


def _set(of: Message, document: Document, one: Numbered, value: Any) -> None:
    field = one.field
    if field.is_map:
        document.setdefault(field.name, {}).update(value)
    elif field.is_list:
        document.setdefault(field.name, []).append(value)
    elif field.zero is not NO_ZERO and value == field.zero:
        document.pop(field.name, None)
    else:
        put(of, document, field, value)


def _raw_fields(data: bytes, depth: int) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and value: a number, or bytes."""
    if depth > _DEEPEST:
        raise ProtobufError("expected fewer messages in each other")
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, wire = key >> 3, key & 7
        if not number:
            raise ProtobufError("expected a field's number; got 0")
        if wire == VARINT:
            value, at = _read_varint(data, at)
            yield number, wire, value
            continue
        if wire == LENGTH:
            size, at = _read_varint(data, at)
        else:
            size = {FIXED64: 8, FIXED32: 4}.get(wire, -1)
        if size < 0 or at + size > len(data):
            raise ProtobufError(f"expected {size} more bytes of field {number}")
        yield number, wire, data[at : at + size]
        at += size


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(at, min(at + 10, len(data))):
        value |= (data[index] & 127) << 7 * (index - at)
        if data[index] < 128:
            return value % BITS64, index + 1
    raise ProtobufError("expected the end of a number")


def _read(one: Numbered, wire: int, raw: Any, depth: int) -> Any:
    field = one.field
    if field.is_map:
        parts = {number: (wire, inner) for number, wire, inner in _raw_fields(raw, depth + 1)}
        key = _text(*parts.get(1, (LENGTH, b"")))
        single = one.single()
        return {key: _read(single, *parts.get(2, (LENGTH, b"")), depth + 1)}
    if one.is_wrapped:
        if wire != LENGTH:
            raise ProtobufError(f"expected a wrapper in {field.name}")
        inner = {number: (kind, value) for number, kind, value in _raw_fields(raw, depth + 1)}
        bare = one._replace(is_wrapped=False)
        return _read(bare, *inner[1], depth + 1) if 1 in inner else 0
    if field.kind == "message":
        _require(wire, LENGTH, field)
        return decode(message(field.of), raw, depth + 1)
    if field.kind == "enum":
        _require(wire, VARINT, field)
        number = _signed(raw, 32)
        return enum(field.of).by_number.get(number, number)
    expected, read = _FROM_BYTES[field.kind]
    _require(wire, expected, field)
    try:
        value = read(raw, depth) if field.kind == "struct" else read(raw)
    except (UnicodeDecodeError, OverflowError) as error:
        raise ProtobufError(f"expected a value of {field.name}: {error}") from error
    if field.kind == "hex" and len(raw) not in (0, field.width):
        raise ProtobufError(f"expected {field.width} bytes of {field.name}; got {len(raw)}")
    return value


def _require(wire: int, expected: int, field: Field) -> None:
    if wire != expected:
        raise ProtobufError(f"expected wire type {expected} of {field.name}; got {wire}")


def _text(wire: int, raw: Any) -> str:
    if wire != LENGTH:
        raise ProtobufError("expected a text as key")
    try:
        return bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise ProtobufError(f"expected a text: {error}") from error


def _signed(value: int, bits: int) -> int:
    value %= 1 << bits
    return value - (1 << bits) if value >> bits - 1 else value


def _read_moment(raw: bytes) -> int:
    parts = {number: value for number, wire, value in _raw_fields(raw, 0) if wire == VARINT}
    return _signed(parts.get(1, 0), 64) * NANOSECONDS + _signed(parts.get(2, 0), 32)


def _read_struct(raw: bytes, depth: int) -> Document:
    found: Document = {}
    for number, _, entry in _raw_fields(raw, depth + 1):
        if number == 1 and isinstance(entry, bytes):
            parts = {number: (wire, inner) for number, wire, inner in _raw_fields(entry, depth + 1)}
            key = _text(*parts.get(1, (LENGTH, b"")))
            found[key] = _read_any(parts.get(2, (LENGTH, b""))[1], depth + 1)
    return found


def _read_any(raw: Any, depth: int) -> Any:
    if not isinstance(raw, bytes):
        raise ProtobufError("expected a value")
    value: Any = None
    for number, wire, inner in _raw_fields(raw, depth + 1):
        if number == 2 and wire == FIXED64:
            value = _plain(struct.unpack("<d", inner)[0])
        elif number == 3:
            value = _text(wire, inner)
        elif number == 4 and wire == VARINT:
            value = bool(inner)
        elif number == 5 and wire == LENGTH:
            value = _read_struct(inner, depth + 1)
        elif number == 6 and wire == LENGTH:
            value = [_read_any(each, depth + 1) for at, _, each in _raw_fields(inner, depth + 1)
                     if at == 1]  # fmt: skip
    return value


def _plain(value: float) -> float | int:
    if value != value or value in (float("inf"), float("-inf")):
        raise ProtobufError("expected a finite number")
    return int(value) if value.is_integer() and abs(value) < 1 << 53 else value


def _read_float(raw: bytes) -> float | int:
    value = _plain(struct.unpack("<f", raw)[0])
    return value if isinstance(value, int) else shortest_float(value)


_FROM_BYTES: dict[str, tuple[int, Callable[..., Any]]] = {
    "bool": (VARINT, bool),
    "u32": (VARINT, lambda raw: raw % (1 << 32)),
    "u64": (VARINT, str),
    "i32": (VARINT, lambda raw: _signed(raw, 32)),
    "i64": (VARINT, lambda raw: str(_signed(raw, 64))),
    "float": (FIXED32, _read_float),
    "double": (FIXED64, lambda raw: _plain(struct.unpack("<d", raw)[0])),
    "string": (LENGTH, lambda raw: raw.decode()),
    "bytes": (LENGTH, lambda raw: base64.b64encode(raw).decode()),
    "hex": (LENGTH, lambda raw: raw.hex().upper()),
    "time": (LENGTH, lambda raw: time_text_ns(_read_moment(raw))),
    "duration": (LENGTH, lambda raw: duration_text_ns(_read_moment(raw))),
    "struct": (LENGTH, _read_struct),
}
