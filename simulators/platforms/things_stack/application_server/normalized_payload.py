"""
Normalized payloads: measurements with names and units that are the same for every device.

A field that is unknown or of the wrong type spoils the whole; a value out of range is left out with
a warning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.times import parse_time

Document = dict[str, Any]
Check: TypeAlias = "Callable[[Any, str], StackError | None]"

_NAMESPACE = "pkg/messageprocessors/normalizedpayload"


def inferred(measurements: list[Document]) -> Document:
    """Members of an uplink whose decoder returned normalized values by itself; none if not."""
    try:
        return checked(measurements, [])
    except StackError:
        return {}


def checked(measurements: list[Document], warnings: list[str]) -> Document:
    """
    The members of an uplink that hold these measurements, as far as they are valid.

    Raises:
        StackError: an unknown field, or one of the wrong type.
    """
    valid, told = [], list(warnings)
    for number, measurement in enumerate(measurements, start=1):
        kept, errors = _checked(measurement, "")
        told += [f"measurement {number}: {_text(error)}" for error in errors]
        if kept:
            valid.append(kept)
    members: Document = {"normalized_payload": valid} if valid else {}
    return members | ({"normalized_payload_warnings": told} if told else {})


def _checked(measurement: Document, prefix: str) -> tuple[Document, list[StackError]]:
    kept: Document = {}
    errors: list[StackError] = []
    for name, value in measurement.items():
        path = f"{prefix}{name}"
        if path not in _FIELDS:
            raise StackError(f"{_NAMESPACE}:unknown_field", {"path": path})
        error = _FIELDS[path](value, path)
        if error is not None:
            errors.append(error)
        elif isinstance(value, dict):
            inner, more = _checked(value, f"{path}.")
            errors += more
            if inner:
                kept[name] = inner
        else:
            kept[name] = value
    return kept, errors


def _text(error: StackError) -> str:
    """An error's words alone."""
    return error.message.partition(" (")[2].removesuffix(")")


def _wrong_type(path: str) -> StackError:
    return StackError(f"{_NAMESPACE}:field_type", {"path": path})


def _object(value: Any, path: str) -> None:
    if not isinstance(value, dict):
        raise _wrong_type(path)


def _time(value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise _wrong_type(path)
    try:
        parse_time(value)
    except (ValueError, OverflowError) as error:
        raise _wrong_type(path) from error


def _number(**limits: float) -> Check:
    """A number within limits: ``minimum``, ``maximum``, ``exclusive_…``."""

    def check(value: Any, path: str) -> StackError | None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _wrong_type(path)
        for name, limit in limits.items():
            if _IS_BEYOND[name](value, limit):
                attributes = {"path": path, name.removeprefix("exclusive_"): limit}
                return StackError(f"{_NAMESPACE}:field_{name}", attributes)
        return None

    return check


_IS_BEYOND: dict[str, Callable[[float, float], bool]] = {
    "minimum": lambda value, limit: value < limit,
    "exclusive_minimum": lambda value, limit: value <= limit,
    "maximum": lambda value, limit: value > limit,
    "exclusive_maximum": lambda value, limit: value >= limit,
}

_PERCENTAGE = _number(minimum=0, maximum=100)
_CONCENTRATION = _number(minimum=0, maximum=1_000_000)  # ppm
_TEMPERATURE = _number(minimum=-273.15)  # °C
_AT_LEAST_0 = _number(minimum=0)

# The measurements of the Device Repository's payload schema.
_FIELDS: dict[str, Check] = {
    "time": _time,
    "soil": _object,
    "soil.depth": _AT_LEAST_0,  # cm
    "soil.moisture": _PERCENTAGE,
    "soil.temperature": _TEMPERATURE,
    "soil.ec": _number(minimum=0, maximum=621),  # dS/m
    "soil.pH": _number(minimum=0, maximum=14),
    "soil.n": _CONCENTRATION,
    "soil.p": _CONCENTRATION,
    "soil.k": _CONCENTRATION,
    "air": _object,
    "air.temperature": _TEMPERATURE,
    "air.relativeHumidity": _PERCENTAGE,
    "air.pressure": _number(minimum=900, maximum=1100),  # hPa
    "air.co2": _CONCENTRATION,
    "air.lightIntensity": _AT_LEAST_0,  # lux
    "wind": _object,
    "wind.speed": _AT_LEAST_0,  # m/s
    "wind.direction": _number(minimum=0, exclusive_maximum=360),  # degrees
}
