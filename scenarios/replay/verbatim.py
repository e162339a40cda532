"""
Requests that a trace holds as they were sent: fields, body, or every byte of them.

A recording of a judgement is full of them, since there the form is what matters.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

import orjson

Text = str | dict[str, str]  # bytes that are no text stand as {"base64": …}


class Verbatim(NamedTuple):
    """``raw`` is the whole request, if it was sent so; ``answers`` is how many it gets then."""

    headers: dict[str, str]
    body: Text
    raw: Text | None
    answers: int

    @property
    def document(self) -> Any:
        """The body as far as it is JSON: what the request is about."""
        try:
            return orjson.loads(octets(self.body))
        except orjson.JSONDecodeError:
            return None


def verbatim_of(message: dict[str, Any]) -> Verbatim:
    """
    The form of a request.

    Raises:
        ValueError: it has none that could be sent; one phrase says why.
    """
    headers, body, raw = message["headers"], message.get("body", ""), message.get("raw")
    answers = message.get("answers", 1)
    if not isinstance(headers, dict) or not all(isinstance(each, str) for each in headers.values()):
        raise ValueError("expected headers to be an object of texts")
    if not isinstance(answers, int) or not 0 <= answers <= 100:
        raise ValueError("expected answers to be a number up to 100")
    for text in (body, *([] if raw is None else [raw])):
        octets(text)
    return Verbatim(headers, body, raw, answers)


def octets(text: Any) -> bytes:
    """The bytes that stand in a trace as text or encoded."""
    if isinstance(text, str):
        return text.encode("utf-8", "surrogateescape")
    try:
        return base64.b64decode(text["base64"], validate=True)
    except (TypeError, KeyError, binascii.Error, ValueError) as problem:
        raise ValueError("expected a body of text, or of base64") from problem


def text_of(data: bytes) -> Text:
    """The opposite."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
