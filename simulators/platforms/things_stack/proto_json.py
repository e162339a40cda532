"""
Input in its many spellings to the canonical form of a message.

Generous as the stack's decoder: names in snake_case or lowerCamelCase, numbers as text, enums by
name, alias or number, hex or base64, wrappers bare or not; unknown members are dropped.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable
from typing import Any

import orjson

from simulators.platforms.things_stack import go_json
from simulators.platforms.things_stack.errors import INVALID_ARGUMENT, GatewayError, StackError
from simulators.platforms.things_stack.schema import NO_ZERO, Field, Message, enum, message
from simulators.platforms.things_stack.times import canonical_duration, canonical_time

Document = dict[str, Any]

_BITS = {"u32": (0, 1 << 32), "i32": (-(1 << 31), 1 << 31), "u64": (0, 1 << 64)}
_BITS["i64"] = (-(1 << 63), 1 << 63)
_INTEGER = re.compile(r"-?\d{1,20}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,4})?", re.ASCII)
_UPPER = re.compile(r"[A-Z]")
_HEX = re.compile(r"[0-9A-Fa-f]*")
_LARGEST_FLOAT = 3.4028234663852886e38


def parse(body: bytes) -> Any:
    """
    A body as JSON; an empty one is an empty message.

    Raises:
        GatewayError: no JSON, in the words of the stack's decoder.
    """
    if not body.strip():
        return {}
    try:
        if not go_json.is_suspiciously_deep(body):
            return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:  # such as text after the value, or bytes that are no UTF-8: neither disturbs the stack
        return orjson.loads(go_json.first_value(body.decode("utf-8", "replace")))
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise GatewayError(INVALID_ARGUMENT, f"invalid JSON: {error}") from error


def decode(of: Message, value: Any, path: str = "") -> Document:
    """
    Raw JSON as the canonical form of a message; ``path`` leads to it.

    Raises:
        GatewayError: a known field has a value that is none of its type.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(path, f"expected an object, got {_shown(value)}")
    document: Document = {}
    for name, raw in value.items():
        field = of.by_input.get(name)
        if field is None or raw is None:
            continue
        inner = f"{path}.{field.name}" if path else field.name
        decoded = _field(field, raw, inner)
        if decoded is _ABSENT:
            document.pop(field.name, None)
        else:
            put(of, document, field, decoded)
    return document


def put(of: Message, document: Document, field: Field, value: Any) -> None:
    """Set a field, and unset the others of its oneof."""
    if field.oneof is not None:
        for other in of.oneofs[field.oneof][0]:
            document.pop(other, None)
    document[field.name] = value


def from_text(field: Field, text: str, path: str) -> Any:
    """
    A value that stands in an address, canonical; ABSENT when it is the field's zero.

    Raises:
        GatewayError: not a value of the field.
    """
    if field.kind == "bool":
        return _field(field, _BOOLEANS.get(text, text), path)
    return _field(field, text, path)


class _Absent:
    """What a zero value decodes to."""


_ABSENT = _Absent()
ABSENT = _ABSENT
_BOOLEANS: dict[str, bool] = dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True)
_BOOLEANS |= dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False)


def _field(field: Field, raw: Any, path: str) -> Any:
    if field.is_list:
        if not isinstance(raw, list):
            raise _wrong(path, f"expected an array, got {_shown(raw)}")
        return [_one(field, item, path) for item in raw] or _ABSENT
    if field.is_map:
        if not isinstance(raw, dict):
            raise _wrong(path, f"expected an object, got {_shown(raw)}")
        return {key: _one(field, item, f"{path}.{key}") for key, item in raw.items()} or _ABSENT
    if field.wrapper is not None and isinstance(raw, dict):
        raw = raw.get("value", _zero_of(field))
    value = _one(field, raw, path)
    zero = field.zero
    return _ABSENT if zero is not NO_ZERO and value == zero else value


def _zero_of(field: Field) -> Any:
    return enum(field.of).zero if field.kind == "enum" else 0 if field.kind != "bool" else False


def _one(field: Field, raw: Any, path: str) -> Any:
    if field.kind == "message":
        return decode(message(field.of), raw, path)
    try:
        if field.kind == "enum":
            return _enum(field.of, raw)
        if field.kind == "hex":
            return _hex(field.width, raw)
        return _SCALARS[field.kind](raw)
    except StackError as error:
        raise _wrong(path, error.message) from error
    except ValueError as error:
        raise _wrong(path, str(error)) from error


def _wrong(path: str, reason: str) -> GatewayError:
    return GatewayError(INVALID_ARGUMENT, f'unmarshal error at path "{path}": {reason}')


def _shown(value: Any) -> str:
    kinds = {bool: "a bool", int: "a number", float: "a number", str: "a string", list: "an array"}
    return kinds.get(type(value), "an object")


def _enum(name: str, raw: Any) -> str | int:
    known = enum(name)
    if isinstance(raw, str):
        if raw not in known.by_text:
            raise ValueError(f"unknown value for enum {name}: {raw!r}")
        return known.by_text[raw]
    number = _integer("i32", raw)
    return known.by_number.get(number, number)


def _hex(width: int, raw: Any) -> str:
    text = _string(raw)
    if not text:
        return ""
    if len(text) == 2 * width:
        bad = next((each for each in text if not _HEX.fullmatch(each)), None)
        if bad is not None:
            raise ValueError(f"encoding/hex: invalid byte: U+{ord(bad):04X} {bad!r}")
        return text.upper()
    if len(text) in (4 * ((width + 2) // 3), (4 * width + 2) // 3):
        return _base64_bytes(text).hex().upper()
    attributes = {"want": width, "got": len(text), "got_type": "runes"}
    raise StackError("pkg/types:invalid_length", attributes)


def _string(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError(f"expected a string, got {_shown(raw)}")
    return raw


def _bool(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise ValueError(f"expected a bool, got {_shown(raw)}")
    return raw


def _integer(kind: str, raw: Any) -> int:
    is_text = isinstance(raw, str) and _INTEGER.fullmatch(raw)
    if is_text or (isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e20):
        raw = int(raw)
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise ValueError(f"expected a whole number, got {raw!r:.40}")
    low, high = _BITS[kind]
    if not low <= raw < high:
        raise ValueError(f"value out of range: {raw}")
    return raw


def _double(raw: Any) -> float | int | str:
    if isinstance(raw, str):
        if raw in ("NaN", "Infinity", "-Infinity"):
            return raw  # JSON has no number for them
        if not _NUMBER.fullmatch(raw):
            raise ValueError(f"expected a number, got {raw!r:.40}")
        raw = float(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise ValueError(f"expected a number, got {_shown(raw)}")
    return int(raw) if float(raw).is_integer() and abs(raw) < 1 << 53 else float(raw)


def _float(raw: Any) -> float | int | str:
    value = _double(raw)
    if isinstance(value, str) or (isinstance(value, int) and abs(value) < 1 << 24):
        return value
    if abs(value) > _LARGEST_FLOAT:
        raise ValueError(f"value out of range: {value}")
    return shortest_float(value)


def shortest_float(value: float) -> float:
    """The number nearest to ``value`` in 32 bits, with as few digits as tell it apart."""
    wanted = struct.pack("<f", value)
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        if struct.pack("<f", short) == wanted:
            return short
    return float(f"{struct.unpack('<f', wanted)[0]:.9g}")


def _bytes(raw: Any) -> str:
    return base64.b64encode(_base64_bytes(_string(raw))).decode()


def _base64_bytes(text: str) -> bytes:
    plain = text.translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"illegal base64 data: {error}") from error


_URL_SAFE = str.maketrans("-_", "+/")


def _mask(raw: Any) -> Document:
    if isinstance(raw, str):
        return {"paths": [_snake(path) for path in raw.split(",") if path]}
    paths = raw.get("paths") if isinstance(raw, dict) else raw
    if paths is None:
        return {}
    if not isinstance(paths, list):
        raise ValueError(f"expected an array of paths, got {_shown(paths)}")
    return {"paths": [_string(path) for path in paths]}


def _snake(path: str) -> str:
    return _UPPER.sub(lambda match: "_" + match[0].lower(), path)


def _struct(raw: Any) -> Document:
    if not isinstance(raw, dict):
        raise ValueError(f"expected an object, got {_shown(raw)}")
    return raw


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "bool": _bool,
    "string": _string,
    "u32": lambda raw: _integer("u32", raw),
    "i32": lambda raw: _integer("i32", raw),
    "u64": lambda raw: str(_integer("u64", raw)),
    "i64": lambda raw: str(_integer("i64", raw)),
    "float": _float,
    "double": _double,
    "bytes": _bytes,
    "time": lambda raw: canonical_time(_string(raw)),
    "duration": lambda raw: canonical_duration(_string(raw)),
    "struct": _struct,
    "mask": _mask,
}
