"""
Values out of a JSON object that a peer sent: each is what its protocol says, or a WireError.

Numbers are read liberally (``1.0`` is the integer 1: many encoders know one kind of number only),
everything else strictly. Members that nobody asks for are ignored.
"""

from __future__ import annotations

import binascii
import json
from typing import Any

from simulators.wire.errors import WireError

_SHOWN = 40


def read_object(data: bytes | str) -> dict[str, Any]:
    """
    The JSON object that ``data`` holds.

    Raises:
        WireError: not UTF-8, not JSON, too deep a nesting, or no object.
    """
    try:
        value = _decode(data if isinstance(data, str) else data.decode())
    except (ValueError, RecursionError) as problem:
        raise WireError(f"expected JSON; got {shown(data)}") from problem
    if not isinstance(value, dict):
        raise WireError(f"expected a JSON object; got {shown(value)}")
    return value


def integer(fields: dict[str, Any], name: str, low: int, high: int, default: Any = ...) -> Any:
    """
    The whole number called ``name``; ``default``, if one is given, where there is none.

    Raises:
        WireError: absent without a default, no whole number, or out of range.
    """
    value = fields.get(name)
    if value is None:
        return _absent(name, default)
    if type(value) is int and low <= value <= high:  # as nearly always
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise WireError(f"expected {name} from {low} to {high}; got {shown(value)}")
    return value


def number(fields: dict[str, Any], name: str, low: float, high: float, default: Any = ...) -> Any:
    """As ``integer``, with fractions."""
    value = fields.get(name)
    if value is None:
        return _absent(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise WireError(f"expected {name} from {low:g} to {high:g}; got {shown(value)}")
    return value


def boolean(fields: dict[str, Any], name: str, default: Any = ...) -> Any:
    """
    The truth value called ``name``; 0 and 1 stand for one as well.

    Raises:
        WireError: absent without a default, or something else.
    """
    value = fields.get(name)
    if value is None:
        return _absent(name, default)
    if value not in (True, False):
        raise WireError(f"expected {name} to be true or false; got {shown(value)}")
    return bool(value)


def text(fields: dict[str, Any], name: str, default: Any = ...) -> Any:
    """
    The text called ``name``.

    Raises:
        WireError: absent without a default, something else, or half of a surrogate pair in it.
    """
    value = fields.get(name)
    if value is None:
        return _absent(name, default)
    if not isinstance(value, str) or not _is_unicode(value):
        raise WireError(f"expected {name} to be text; got {shown(value)}")
    return value


def listed(fields: dict[str, Any], name: str, default: Any = ...) -> Any:
    """
    The list called ``name``.

    Raises:
        WireError: absent without a default, or something else.
    """
    value = fields.get(name)
    if value is None:
        return _absent(name, default)
    if not isinstance(value, list):
        raise WireError(f"expected {name} to be a list; got {shown(value)}")
    return value


def nested(value: Any, name: str) -> dict[str, Any]:
    """
    ``value`` itself, which stands under ``name`` and has to be an object.

    Raises:
        WireError: it is none.
    """
    if not isinstance(value, dict):
        raise WireError(f"expected {name} to be an object; got {shown(value)}")
    return value


def hexadecimal(fields: dict[str, Any], name: str, longest: int) -> bytes:
    """
    The bytes written in hexadecimal under ``name``.

    Raises:
        WireError: absent, odd, no hexadecimal, or more than ``longest`` bytes.
    """
    value = text(fields, name)
    try:
        data = binascii.unhexlify(value)
    except ValueError as problem:
        raise WireError(f"expected {name} in hexadecimal; got {shown(value)}") from problem
    if len(data) > longest:
        raise WireError(f"expected {name} of at most {longest} bytes; got {len(data)}")
    return data


def base64(fields: dict[str, Any], name: str, longest: int) -> bytes:
    """
    The bytes written in base64 under ``name``, with or without padding.

    Raises:
        WireError: absent, no base64, or more than ``longest`` bytes.
    """
    value: str = text(fields, name)
    try:
        padded = value.rstrip("=").encode("ascii")
        data = binascii.a2b_base64(padded + b"=" * (-len(padded) % 4), strict_mode=True)
    except ValueError as problem:
        raise WireError(f"expected {name} in base64; got {shown(value)}") from problem
    if len(data) > longest:
        raise WireError(f"expected {name} of at most {longest} bytes; got {len(data)}")
    return data


def shown(value: object) -> str:
    """The beginning of something hostile, fit for one line."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    words = ascii(value[: 2 * _SHOWN] if isinstance(value, str | bytes) else value)
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"


def _is_unicode(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)


def _absent(name: str, default: Any) -> Any:
    if default is ...:
        raise WireError(f"expected {name}; got none")
    return default


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


_decode = json.JSONDecoder(parse_constant=_refuse).decode
