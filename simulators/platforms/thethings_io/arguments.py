"""Query parameters and bodies as the endpoints need them; raises Refused for bad ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from simulators.platforms.bodies import BodyError, unambiguous_document_of
from simulators.platforms.effects import Request
from simulators.platforms.thethings_io.refusals import Refused
from simulators.wire.thethings_io import WireError, parse_date

_LONGEST_NUMBER = 18


def json_object(
    request: Request, *, read: Callable[[Request], Any] = unambiguous_document_of
) -> dict[str, Any]:
    """
    The body as an object, read by one of the functions of ``bodies``.

    Raises:
        Refused: it is none.
    """
    try:
        document = read(request)
    except BodyError as error:
        raise Refused(400, str(error)) from error
    if not isinstance(document, dict):
        raise Refused(400, "body must be a JSON object")
    return document


def text(body: dict[str, Any], name: str, *, longest: int = 1024) -> str:
    """
    A member of the body that is a text and can be stored.

    Raises:
        Refused: missing, empty, too long, no text, or with half of a surrogate pair.
    """
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(400, f"{name} must be a text")
    if len(value) > longest or not is_unicode(value):
        raise Refused(400, f"{name} must be at most {longest} characters of Unicode")
    return value


def is_unicode(value: str) -> bool:
    """No half of a surrogate pair stands alone; JSON and SQLite know none."""
    return value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value)


def number(text: str | None, name: str, *, default: int) -> int:
    """A whole number without sign; absent gives the default."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise Refused(400, f"{name} must be a whole number")
    # Longer than any bound in use; int() would refuse thousands of digits.
    return int(text.lstrip("0")[:_LONGEST_NUMBER] or "0")


def date_ms(text: str | None, name: str, now_us: int, *, default: int) -> int:
    """A date of the query in Unix milliseconds; absent gives the default."""
    if text is None:
        return default
    try:
        # A plus sign that was not percent-encoded arrives as a space.
        return parse_date(text.replace(" ", "+"), now_ms=now_us // 1000)
    except WireError as error:
        raise Refused(400, f"{name}: {error}") from error


def datetime_ms(value: Any, now_ms: int) -> int:
    """
    A date inside a body in Unix milliseconds.

    Raises:
        WireError: no date.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # 14 digits written as a number
    if not isinstance(value, str):
        raise WireError("expected datetime as text")
    return parse_date(value, now_ms=now_ms)


def is_true(text: str | None) -> bool:
    """Only the words ``true`` and ``1`` switch something on."""
    return text is not None and text.lower() in ("true", "1")


def is_false(text: str | None) -> bool:
    """Only the words ``false`` and ``0`` switch something off."""
    return text is not None and text.lower() in ("false", "0")


def json_text(value: Any) -> str:
    """A value as compact JSON, as it is stored; leaves room for the nesting of an answer."""
    try:
        if isinstance(value, dict | list):
            return orjson.dumps([[[[value]]]])[4:-4].decode()
        return orjson.dumps(value).decode()
    except TypeError as error:  # nested beyond what can be stored, or not a JSON value
        raise Refused(400, "value is nested too deeply or is no JSON value") from error
