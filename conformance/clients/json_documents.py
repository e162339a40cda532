"""
JSON documents out of a stream of text, wherever its borders fall.

Accepts documents with any whitespace between them, split over chunks, or several in one.
"""

from __future__ import annotations

import codecs
import json
from typing import Any

_WHITESPACE = " \t\r\n"


class BrokenStream(ValueError):  # noqa: N818 - the peer's doing, not a mistake of ours
    """What came can never become JSON."""


class JsonDocuments:
    """Fed with bytes, gives whole documents; keeps the rest until more comes."""

    def __init__(self) -> None:
        self._text = ""
        self._decode_utf8 = codecs.getincrementaldecoder("utf-8")("strict")

    def feed(self, data: bytes) -> list[Any]:
        """
        The documents that are complete now.

        Raises:
            BrokenStream: not UTF-8, or not JSON whatever may follow.
        """
        try:
            self._text += self._decode_utf8.decode(data)
        except UnicodeDecodeError as problem:
            raise BrokenStream(f"expected UTF-8; got {data[:40]!r}") from problem
        found: list[Any] = []
        while (end := self._next_end()) is not None:
            try:
                found.append(json.loads(self._text[:end]))
            except ValueError as problem:
                raise BrokenStream(f"expected JSON; got {self._text[:end][:80]!r}") from problem
            self._text = self._text[end:]
        return found

    @property
    def rest(self) -> str:
        """What has come of a document that is not complete; whitespace does not count."""
        return self._text.strip(_WHITESPACE)

    def _next_end(self) -> int | None:
        """Where the first document ends: where its brackets and quotes close."""
        text = self._text = self._text.lstrip(_WHITESPACE)
        if not text:
            return None
        if text[0] not in '[{"':
            return _scalar_end(text)
        depth, is_string, is_escaped = 0, False, False
        for place, letter in enumerate(text):
            if is_string:
                is_string = is_escaped or letter != '"'
                is_escaped = letter == "\\" and not is_escaped
            elif letter == '"':
                is_string = True
            elif letter in "[{":
                depth += 1
            elif letter in "]}":
                depth -= 1
            if depth == 0 and not is_string:
                return place + 1
        return None


def _scalar_end(text: str) -> int | None:
    """Numbers and words end where something else begins."""
    for place, letter in enumerate(text):
        if letter in _WHITESPACE or letter in '[{"':
            return place
    if len(text) > 64 or text[0] not in "-0123456789tfn":
        raise BrokenStream(f"expected JSON; got {text[:80]!r}")
    return None
